"""`python -m stages.restructure`: raw folders into one folder a class, and the manifest."""

import logging
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_json
from bycase.core.params import load_params
from bycase.datasets.layouts.registry import check_full, count_full, read_layout
from bycase.datasets.restructure import (
    REPORT,
    check_bad_share,
    check_classes,
    check_labels,
    check_ranges,
    convert_all,
    make_report,
)
from bycase.images.formats import why_not
from bycase.images.ranges import in_words
from bycase.tables.manifest import MANIFEST, PATIENTS_UNKNOWN, RESTRUCTURED, write_manifest


def main() -> None:
    """Convert every image of the data set and write the manifest and the report."""
    params = load_params()
    data = params.data
    raw = Path("data/raw") / params.dataset
    listing = read_layout(data, raw)
    check_labels(listing, data.classes, raw)
    with replace_folder(RESTRUCTURED) as folder:
        result = convert_all(
            listing, raw, folder, data.classes, data.image_size, data.resize, value_range=data.value_range
        )
        report = make_report(params.dataset, data.source, listing, result, count_full(data), data.names_patient)
        write_json(REPORT, report)
        check_ranges(result, f"datasets.{params.dataset}.value_range")
        check_bad_share(result, data.max_bad_share, REPORT)
        check_classes(result.manifest, data.classes, raw)
        check_full(data, result.manifest)
    write_manifest(MANIFEST, result.manifest)
    logging.info("%d images, %d rejected (%s)", len(result.manifest), len(result.rejected), REPORT)
    if report["partial"]:
        logging.info("partial: %d of %d images", len(result.manifest), report["expected"])
    if listing.rows_without_image:
        logging.info("%d metadata rows without an image (%s)", len(listing.rows_without_image), REPORT)
    for label, n in listing.left_out.items():
        logging.info(
            "%d images of '%s' are left out, as datasets.%s.%s.names says", n, label, params.dataset, data.layout
        )
    if named := report["copies_by_name"]:
        logging.info(
            "%d images are copies by their names, each in the group of its original; the first: %s",
            len(named),
            named[0]["file"],
        )
    for path in {path.suffix.lower(): path for path in reversed(listing.others)}.values():
        if reason := why_not(path):
            logging.warning("no image: %s and other %s files: %s", path.as_posix(), path.suffix, reason)
    for note in listing.notes:
        logging.info("%s", note)
    for kind, values in report["pixel_values"].items():
        if kind != "8-bit" or values["origin"] != "type":
            logging.info("%s", in_words(kind, values))
    if result.blank:
        first = result.blank[0]
        logging.warning(
            "%d images with nothing to see in them, the first: %s (%s); all: %s",
            len(result.blank),
            first.source.as_posix(),
            first.reason,
            REPORT,
        )
    if not data.names_patient:
        logging.warning(PATIENTS_UNKNOWN)


if __name__ == "__main__":
    run_stage("restructure", main)
