"""`python -m stages.bundle`: the trained network with all that a prediction needs, in one file."""

import logging

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bycase.apps.classifier.archive import CLASSIFIER, write_classifier
from bycase.apps.classifier.assemble import assemble_card, calibrate_distance, check_scores
from bycase.apps.classifier.network import split_outputs, with_features
from bycase.apps.classifier.reference import NEIGHBOURS, make_reference
from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.core.prefetch import prefetch
from bycase.core.seeding import make_tensorflow_deterministic
from bycase.core.versions import warn_of_other_versions
from bycase.images.pixels import read_pixels
from bycase.images.preprocess import read_steps
from bycase.networks.forward import Forward, frozen_forward
from bycase.networks.saved import load_network
from bycase.statistics.uncertainty.table import RESULTS
from bycase.tables.manifest import read_manifest
from bycase.tables.predictions import TEST, VALIDATION, label_splits, read_predictions
from bycase.tables.results import METRICS, read_results
from bycase.tables.splits import read_splits
from bycase.training.labels import encode
from bycase.training.record import NETWORK, read_model_info


def main() -> None:
    """Write ``models/classifier.keras``."""
    params = load_params()
    trained, steps = read_model_info(), read_steps()
    warn_of_other_versions(trained.get("versions", {}), str(NETWORK))
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
    model_info = assemble_card(trained, params.data, steps, metrics, uncertainty, unlike)
    write_classifier(CLASSIFIER, NETWORK, model_info, reference)
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
