"""`python -m stages.split`: every image gets a part, no group straddles."""

import logging
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.datasets.duplicates import parse_waivers, read_duplicates
from bycase.datasets.splits.protocol import SUPPLIED, describe, make_splits
from bycase.tables.manifest import PATIENTS_UNKNOWN, read_manifest
from bycase.tables.splits import SUBSETS, write_splits


def main() -> None:
    """Split the manifest's images as `params.yaml` says."""
    params = load_params()
    manifest = read_manifest()
    duplicates = read_duplicates()
    raw = Path("data/raw") / params.dataset
    entries, key = params.audit.waive.get(params.dataset, []), f"audit.waive.{params.dataset}"
    waived = parse_waivers(entries, manifest["image"].tolist(), key)
    frame = make_splits(manifest, params.split, raw, params.seed, duplicates, waived)
    protocol = describe(frame, params.split, params.dataset, params.seed, duplicates, params.data.names_patient)
    write_splits(frame, protocol)
    for subset in SUBSETS:
        counts = protocol["counts"][subset]
        logging.info("%s: %d images of %d cases, %s", subset, counts["images"], counts["cases"], counts["by_class"])
    if protocol["merged_groups"]:
        logging.info("%d groups share duplicates and were merged with others", protocol["merged_groups"])
    if protocol["duplicates_on_both_sides"]:
        logging.warning(
            "WARNING: %d pairs of duplicates stand in test and in training or validation (%s).",
            protocol["duplicates_on_both_sides"],
            "the data set's own parts" if params.split.protocol == "supplied_leaky" else "audit.waive",
        )
    if protocol["cases_on_both_sides"]:
        logging.warning(
            "WARNING: %d cases have images in test and in training or validation (split.group: %s). "
            "The scores will be too good; they are not those of new patients.",
            protocol["cases_on_both_sides"],
            protocol["group"],
        )
    if params.split.protocol not in SUPPLIED and (manifest["supplied_part"] != "").any():
        logging.info(
            "the data set has train and test parts of its own, which split.protocol %s leaves out; supplied uses them",
            params.split.protocol,
        )
    if not params.data.names_patient:
        logging.warning(PATIENTS_UNKNOWN)


if __name__ == "__main__":
    run_stage("split", main)
