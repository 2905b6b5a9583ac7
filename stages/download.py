"""`python -m stages.download`: the data set's files, as published, into `data/raw/<dataset>/`."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bycase.core.command import run_stage
from bycase.core.files import replace_folder
from bycase.core.params import load_params
from bycase.core.params_data import DatasetParams, PhantomParams
from bycase.datasets.sources.archive import unpack
from bycase.datasets.sources.kaggle_archive import kaggle_archive
from bycase.datasets.sources.local import find_source, link_folder, list_files

RAW = Path("data/raw")
DOWNLOADS = Path("data/download")  # outlives the stage, unlike its output, which DVC deletes before a run


def main() -> None:
    """Fetch, link or generate the chosen data set; its folder appears whole or not at all."""
    params = load_params()
    target = RAW / params.dataset
    match params.data:
        case DatasetParams(source="kaggle", slug=str(slug), max_unpacked_gb=limit):
            # The folder is in place before its archive goes: contexts end in reverse order.
            with kaggle_archive(slug, DOWNLOADS / params.dataset) as archive, replace_folder(target) as folder:
                unpack(archive, folder, limit)
        case DatasetParams(source="local", path=str(path), max_unpacked_gb=limit):
            source = find_source(path, Path.cwd(), RAW)
            with replace_folder(target) as folder:
                if source.is_dir():
                    link_folder(source, folder)
                else:
                    unpack(source, folder, limit)
        case DatasetParams(source="phantom", layout=layout, phantom=PhantomParams() as size):
            with replace_folder(target) as folder:
                phantom_writer(layout)(folder, **size.model_dump(exclude_none=True))
    sizes = [file.stat().st_size for file in list_files(target)]
    logging.info("%s: %d files, %.1f MB (source: %s)", target, len(sizes), sum(sizes) / 1e6, params.data.source)


def phantom_writer(layout: str) -> Callable[..., Any]:
    """The function that draws the phantom of a layout; imported only when asked for, since drawing needs SciPy."""
    from bycase.datasets.phantoms import breakhis, busi, ham10000

    return {"breakhis": breakhis, "busi": busi, "ham10000": ham10000}[layout].write_phantom


if __name__ == "__main__":
    run_stage("download", main)
