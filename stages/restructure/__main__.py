"""`python -m stages.restructure`: raw folders into one folder a class, and the manifest."""

import logging
from pathlib import Path

from stages.common.command import run_stage
from stages.common.files import replace_folder, write_json
from stages.common.manifest import MANIFEST, RESTRUCTURED, write_manifest
from stages.common.params import load_params
from stages.restructure import breakhis
from stages.restructure.report import (
    check_bad_share,
    check_classes,
    check_labels,
    count_by_class_and_magnification,
    make_report,
)
from stages.restructure.table import convert_all

LAYOUTS = {"breakhis": breakhis}
REPORT = Path("metrics/restructure.json")


def main() -> None:
    """Convert every image of the data set and write the manifest and the report."""
    params = load_params()
    data = params.data
    layout = LAYOUTS[data.layout]
    raw = Path("data/raw") / params.dataset
    listing = layout.read_layout(raw)
    check_labels(listing, data.classes, raw)
    with replace_folder(RESTRUCTURED) as folder:
        result = convert_all(listing, raw, folder, data.classes, data.image_size, data.resize)
        report = make_report(params.dataset, data.source, listing, result)
        write_json(REPORT, report)
        check_bad_share(result, data.max_bad_share, REPORT)
        check_classes(result.manifest, data.classes, raw)
        if data.source == "kaggle":
            layout.check_full(count_by_class_and_magnification(result.manifest))
    write_manifest(MANIFEST, result.manifest)
    logging.info("%d images, %d rejected (%s)", len(result.manifest), len(result.rejected), REPORT)


if __name__ == "__main__":
    run_stage("restructure", main)
