"""`python -m stages.bundle`: the trained network with all that a prediction needs, in one file."""

import logging

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.bundle.archive import CLASSIFIER, write_classifier
from stages.bundle.assemble import assemble_card, calibrate_distance, check_scores
from stages.bundle.network import split_outputs, with_features
from stages.bundle.reference import NEIGHBOURS, make_reference
from stages.common.command import run_stage
from stages.common.manifest import read_manifest
from stages.common.params import load_params
from stages.common.prefetch import prefetch
from stages.common.seeding import make_tensorflow_deterministic
from stages.evaluate.network import load_network
from stages.evaluate.predictions import TEST, VALIDATION, label_splits, read_predictions
from stages.evaluate.results import METRICS, read_results
from stages.preprocess.convert import read_steps
from stages.restructure.pixels import read_pixels
from stages.split.table import read_splits
from stages.train.labels import encode
from stages.train.record import NETWORK, read_card
from stages.uncertainty.table import RESULTS
from stages.zoo.forward import Forward, frozen_forward


def main() -> None:
    """Write ``models/classifier.keras``."""
    params = load_params()
    trained, steps = read_card(), read_steps()
    classes: list[str] = trained["classes"]
    metrics, uncertainty = read_results(METRICS, "evaluate"), read_results(RESULTS, "uncertainty")
    images = label_splits(read_splits(), read_manifest())
    training = images[images["part"] == "train"]

    make_tensorflow_deterministic(params.seed)
    batch_size = params.evaluate.batch_size
    forward = frozen_forward(with_features(load_network(NETWORK)), batch_size)
    names = training["image"].tolist()
    features, _ = split_outputs(run_network(forward, names, batch_size, "train"), len(classes))
    reference = make_reference(features, names, encode(training["label"], classes))
    distances = []
    for path, label in ((VALIDATION, "val"), (TEST, "test")):
        stored = read_predictions(path, classes)
        outputs = run_network(forward, stored["image"].tolist(), batch_size, label)
        features, scores = split_outputs(outputs, len(classes))
        check_scores(path, scores, stored[classes].to_numpy(np.float64))
        distances.append(reference.distance(features, NEIGHBOURS))

    unlike = calibrate_distance(*distances)
    card = assemble_card(trained, params.data, steps, metrics, uncertainty, unlike)
    write_classifier(CLASSIFIER, NETWORK, card, reference)
    logging.info(
        "%s: %.0f MB; %.1f %% of test images flagged as unlike the training images",
        CLASSIFIER,
        CLASSIFIER.stat().st_size / 1e6,
        100 * unlike.test_flagged,
    )


def run_network(forward: Forward, images: list[str], batch_size: int, label: str) -> NDArray[np.float32]:
    """The outputs for images below ``data/preprocessed``; (n_images, n_outputs)."""
    starts = range(0, len(images), batch_size)
    batches = (read_pixels(images[start : start + batch_size]).astype(np.float32) for start in starts)
    progress = tqdm(prefetch(batches), desc=label, total=len(starts), unit="batch", disable=None, leave=False)
    return np.concatenate([forward(batch) for batch in progress])


if __name__ == "__main__":
    run_stage("bundle", main)
