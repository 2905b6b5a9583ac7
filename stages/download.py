"""`python -m stages.download`: the data set's files, as published, into `data/raw/<dataset>/`."""

import logging
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.datasets.sources.fetch import fetch
from bycase.datasets.sources.local import list_files

RAW = Path("data/raw")


def main() -> None:
    """Fetch, link or generate the chosen data set."""
    params = load_params()
    target = RAW / params.dataset
    fetch(params.data, target)
    sizes = [file.stat().st_size for file in list_files(target)]
    logging.info("%s: %d files, %.1f MB (source: %s)", target, len(sizes), sum(sizes) / 1e6, params.data.source)


if __name__ == "__main__":
    run_stage("download", main)
