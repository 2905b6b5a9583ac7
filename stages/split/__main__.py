"""`python -m stages.split`: every image gets a part, no group straddles."""

import logging
from pathlib import Path

from stages.common.command import run_stage
from stages.common.manifest import read_manifest
from stages.common.params import load_params
from stages.split.protocol import describe, make_splits
from stages.split.table import PARTS, write_splits


def main() -> None:
    """Split the manifest's images as `params.yaml` says."""
    params = load_params()
    frame = make_splits(read_manifest(), params.split, Path("data/raw") / params.dataset, params.seed)
    protocol = describe(frame, params.split, params.dataset, params.seed)
    write_splits(frame, protocol)
    for part in PARTS:
        counts = protocol["counts"][part]
        logging.info("%s: %d images of %d cases, %s", part, counts["images"], counts["cases"], counts["by_class"])
    if protocol["cases_on_both_sides"]:
        logging.warning(
            "WARNING: %d cases have images in test and in training or validation (split.group: %s). "
            "The scores will be too good; they are not those of new patients.",
            protocol["cases_on_both_sides"],
            params.split.group,
        )


if __name__ == "__main__":
    run_stage("split", main)
