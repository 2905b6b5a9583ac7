"""`python -m stages.audit`: fingerprints of every image, and the duplicates among them."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from bycase.core.command import run_stage
from bycase.core.files import write_json
from bycase.core.fingerprint import fingerprint
from bycase.core.memory import enough_memory
from bycase.core.params import load_params
from bycase.core.seeding import make_deterministic
from bycase.datasets.audit_report import check_labels, make_report
from bycase.datasets.duplicates import (
    DUPLICATES,
    find_duplicates,
    parse_waivers,
    without_waived,
    write_duplicates,
    write_waiver,
)
from bycase.datasets.fingerprints import BACKBONE, compute_fingerprints, write_fingerprints
from bycase.images.pixels import read_pixels
from bycase.networks.forward import frozen_forward
from bycase.networks.registry import build_backbone
from bycase.tables.manifest import MANIFEST, RESTRUCTURED, read_manifest

PARTIAL = Path("data/checkpoints/audit")
REPORT = Path("metrics/audit.json")

# What the features of the reference backbone depend on: neither thresholds nor waivers cost another pass.
FEATURES_CODE = ("bycase.datasets.fingerprints", "bycase.networks.forward", "bycase.networks.registry")

# Nothing here is random: neither the weights nor the pass through them.
SEED = 0


def main() -> None:
    """Fingerprint every image, list the duplicates, and stop at one picture under two labels."""
    params = load_params()
    audit, size = params.audit, params.data.image_size
    manifest = read_manifest()
    key = f"audit.waive.{params.dataset}"
    waived = parse_waivers(audit.waive.get(params.dataset, []), manifest["image"].tolist(), key)
    make_deterministic(SEED)
    backbone = build_backbone(BACKBONE, size, "imagenet", "avg", SEED)
    made_by = {
        "model": BACKBONE,
        "weights": "imagenet",
        "pooling": "avg",
        "image_size": size,
        "resize": params.data.resize,
    }
    read = partial(read_pixels, folder=RESTRUCTURED)
    extract = frozen_forward(backbone, audit.batch_size)
    identity = fingerprint(FEATURES_CODE, made_by, files=(MANIFEST, RESTRUCTURED))
    with enough_memory(params, "audit.batch_size", audit.batch_size):
        fingerprints = compute_fingerprints(manifest, read, extract, PARTIAL, identity, audit.batch_size)
    write_fingerprints(fingerprints, made_by)

    thresholds: dict[str, Any] = {
        "near_distance": audit.near_distance,
        "near_similarity": audit.near_similarity,
        "embedding_similarity": audit.embedding_similarity,
    }
    duplicates = find_duplicates(manifest, fingerprints, **thresholds)
    write_duplicates(duplicates)
    report = make_report(duplicates, len(manifest), thresholds, waived)
    write_json(REPORT, report)
    for pair in waived:
        if len(without_waived(duplicates, [pair])) == len(without_waived(duplicates, [])):
            logging.warning("%s: %s are no duplicates; the waiver can go", key, write_waiver(*pair))
    logging.info(
        "%d images: %s pairs, %d clusters (%s, %s)",
        len(manifest),
        ", ".join(f"{counts['total']} {kind}" for kind, counts in report["pairs"].items()),
        report["clusters"]["number"],
        DUPLICATES,
        REPORT,
    )
    check_labels(duplicates, waived, str(REPORT), key)


if __name__ == "__main__":
    run_stage("audit", main)
