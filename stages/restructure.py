"""`python -m stages.restructure`: raw folders into one folder a class, and the manifest."""

import logging
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_json
from bycase.core.params import load_params
from bycase.datasets.layouts.listing import label_by_subtype
from bycase.datasets.layouts.registry import LAYOUTS
from bycase.datasets.restructure import REPORT, check_bad_share, check_classes, check_labels, convert_all, make_report
from bycase.tables.manifest import MANIFEST, RESTRUCTURED, write_manifest


def main() -> None:
    """Convert every image of the data set and write the manifest and the report."""
    params = load_params()
    data = params.data
    layout = LAYOUTS[data.layout]
    raw = Path("data/raw") / params.dataset
    listing = layout.read_layout(raw)
    if data.task == "subtype":
        listing = label_by_subtype(listing)
    check_labels(listing, data.classes, raw)
    with replace_folder(RESTRUCTURED) as folder:
        result = convert_all(listing, raw, folder, data.classes, data.image_size, data.resize)
        expected = None if data.source == "phantom" else layout.FULL_IMAGES
        report = make_report(params.dataset, data.source, listing, result, expected)
        write_json(REPORT, report)
        check_bad_share(result, data.max_bad_share, REPORT)
        check_classes(result.manifest, data.classes, raw)
        if data.source == "kaggle":
            layout.check_full(result.manifest)
    write_manifest(MANIFEST, result.manifest)
    logging.info("%d images, %d rejected (%s)", len(result.manifest), len(result.rejected), REPORT)
    if report["partial"]:
        logging.info("partial: %d of %d images", len(result.manifest), expected)
    if listing.rows_without_image:
        logging.info("%d metadata rows without an image (%s)", len(listing.rows_without_image), REPORT)


if __name__ == "__main__":
    run_stage("restructure", main)
