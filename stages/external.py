"""`python -m stages.external`: the classifier, all that it decides by locked, on the external test set."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from bycase.apps.classifier import CLASSIFIER
from bycase.apps.classifier.assemble import check_scores
from bycase.apps.classifier.classifier import load_classifier
from bycase.apps.classifier.locked import lock, make_sample, run_folder
from bycase.core.command import run_stage
from bycase.core.files import write_csv, write_json
from bycase.core.params import Params, load_params
from bycase.datasets.overlap import describe_left_out, find_overlap, leave_out
from bycase.statistics.external import METHOD, RESULTS, assess_external
from bycase.tables.external import ABOUT, IMAGES, PREDICTIONS, TABLE
from bycase.tables.manifest import PREPROCESSED, patients_note, read_manifest
from bycase.tables.predictions import COLUMNS, TEST, make_predictions, read_predictions
from bycase.tables.results import METRICS, read_results, write_headlines
from bycase.tables.splits import read_splits

HEADLINES = (
    *("external.image.auc", "external.patient.auc", "change.image.auc", "change.patient.auc"),
    *("change.calibration.image.after.slope", "external.sets.patient.coverage", "external.unlike.share"),
)


def main() -> None:
    """Write predictions and metrics of the external test set; without one, files that say so."""
    about = read_results(ABOUT, "external_images")
    if about["dataset"] is None:
        write_csv(PREDICTIONS, pd.DataFrame(columns=list(COLUMNS)))
        write_json(RESULTS, {})
        write_headlines("external", {}, ())
        logging.info("no external test set (evaluate.external)")
        return
    params, name = load_params(), about["dataset"]
    manifest = read_manifest()
    used = manifest[manifest["image"].isin(read_splits()["image"])]
    images = read_manifest(TABLE)
    known = {params.dataset: params.data.names_patient, name: about["patients_known"]}
    overlap = find_overlap(images, used, all(known.values()))
    kept = leave_out(images, overlap, sorted(set(used["label"])), name, params.dataset)
    left_out = about["left_out"] | {"known": overlap.numbers()}
    if words := describe_left_out(left_out):
        logging.info("left out: %s", words)

    predictions, content = assess_elsewhere(params, manifest, kept)
    write_csv(PREDICTIONS, predictions)
    content |= {"left_out": left_out, "method": METHOD, **patients_note(all(known.values()))}
    write_json(RESULTS, about | content)
    write_headlines("external", content, HEADLINES)
    for level in ("image", "patient"):
        here, there = (content[side][level] for side in ("internal", "external"))
        logging.info(
            "%s, %s level: AUC %.3f (n = %d); internal test %.3f", name, level, there["auc"], there["n"], here["auc"]
        )


def assess_elsewhere(params: Params, own: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Predict images of another data set, and score them beside the classifier's own test part.

    `own` is the manifest that the classifier's predictions are of, `other` that of the external images.
    """
    classifier = load_classifier(CLASSIFIER, params.evaluate.batch_size)
    info = classifier.info
    stored = read_predictions(TEST, info.classes)
    scores, own_unlike = run_folder(classifier, stored["image"].tolist(), PREPROCESSED, True, "internal")
    check_scores(TEST, scores, stored[info.classes].to_numpy(np.float64))
    other = other.sort_values("image", ignore_index=True)
    scores, unlike = run_folder(classifier, other["image"].tolist(), IMAGES, False, "external")
    predictions = make_predictions(other, scores, info.classes, PREDICTIONS)
    content = assess_external(
        make_sample(info, stored, own, own_unlike, TEST),
        make_sample(info, predictions, other, unlike, PREDICTIONS),
        lock(info, read_results(METRICS, "evaluate")),
        params.evaluate.resamples,
        params.seed,
        params.evaluate.prevalence,
    )
    return predictions.assign(unlike=unlike.astype(int)), content


if __name__ == "__main__":
    run_stage("external", main)
