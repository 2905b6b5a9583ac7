"""A data set's files, from wherever its entry in `params.yaml` says, into a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bycase.core.files import replace_folder
from bycase.core.params_data import DatasetParams, PhantomParams
from bycase.datasets.sources.archive import unpack
from bycase.datasets.sources.hugging_face import fetch_repository
from bycase.datasets.sources.kaggle_archive import kaggle_archive
from bycase.datasets.sources.local import find_source, link_folder
from bycase.datasets.sources.web import Wanted, web_archive

DOWNLOADS = Path("data/download")  # outlives a stage, unlike its output, which DVC deletes before a run


def fetch(entry: DatasetParams, target: Path) -> None:
    """Fetch, link or generate a data set; its folder appears whole or not at all.

    Parameters
    ----------
    entry : DatasetParams
        One of `datasets` in `params.yaml`.
    target : Path
        The folder to make, or to make anew, named as the data set and in a folder of nothing but stage outputs. An
        interrupted download waits below `DOWNLOADS` in a folder of the same name.

    Raises
    ------
    UserError
        If the source does not give the files, or what it gives is refused.
    """
    downloads = DOWNLOADS / target.name
    limit = entry.max_unpacked_gb
    match entry:
        case DatasetParams(source="kaggle", slug=str(slug)):
            # The folder is in place before its archive goes: contexts end in reverse order.
            with kaggle_archive(slug, downloads) as archive, replace_folder(target) as folder:
                unpack(archive, folder, limit)
        case DatasetParams(source="url", url=str(url)):
            with web_archive(Wanted(url, entry.sha256), downloads) as archive, replace_folder(target) as folder:
                unpack(archive, folder, limit)
        case DatasetParams(source="huggingface", slug=str(slug)):
            repository = fetch_repository(slug, entry.revision, downloads, limit, entry.path)
            with repository as write, replace_folder(target) as folder:
                write(folder)
        case DatasetParams(source="local", path=str(path)):
            source = find_source(path, Path.cwd(), target.parent)
            with replace_folder(target) as folder:
                if source.is_dir():
                    link_folder(source, folder)
                else:
                    unpack(source, folder, limit)
        case DatasetParams(source="phantom", layout=layout, phantom=PhantomParams() as size):
            with replace_folder(target) as folder:
                phantom_writer(layout)(folder, **size.model_dump(exclude_none=True))


def phantom_writer(layout: str) -> Callable[..., Any]:
    """The function that draws the phantom of a layout; imported only when asked for, since drawing needs SciPy."""
    from bycase.datasets.phantoms import breakhis, busi, ham10000, own

    writers: dict[str, Callable[..., Any]] = {
        "breakhis": breakhis.write_phantom,
        "busi": busi.write_phantom,
        "ham10000": ham10000.write_phantom,
        "folders": own.write_folders,
        "table": own.write_table,
    }
    return writers[layout]
