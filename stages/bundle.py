"""`python -m stages.bundle`: the trained network with all that a prediction needs, in one file."""

import logging

import numpy as np

from bycase.apps.classifier import CLASSIFIER
from bycase.apps.classifier.archive import write_classifier
from bycase.apps.classifier.assemble import assemble_info, calibrate_distance, check_scores
from bycase.apps.classifier.network import split_outputs, with_features
from bycase.apps.classifier.reference import NEIGHBOURS, make_reference
from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.core.seeding import make_deterministic
from bycase.core.versions import warn_of_other_versions
from bycase.datasets.restructure import REPORT
from bycase.images.preprocess import read_steps
from bycase.networks.forward import frozen_forward
from bycase.networks.imported import refuse_without_pixels
from bycase.networks.predict import run_images
from bycase.networks.saved import load_network
from bycase.statistics.uncertainty.table import RESULTS
from bycase.tables.manifest import read_manifest
from bycase.tables.models import NETWORK, read_model_info
from bycase.tables.predictions import TEST, VALIDATION, label_splits, read_predictions
from bycase.tables.results import METRICS, read_results
from bycase.tables.splits import read_splits
from bycase.training.subsets import encode


def main() -> None:
    """Write ``models/classifier.keras``."""
    params = load_params()
    trained = read_model_info()
    refuse_without_pixels(trained, "a classifier of new images")
    steps = read_steps()
    warn_of_other_versions(trained.get("versions", {}), str(NETWORK))
    classes: list[str] = trained["classes"]
    metrics, uncertainty = read_results(METRICS, "evaluate"), read_results(RESULTS, "uncertainty")
    manifest = read_manifest()
    images = label_splits(read_splits(), manifest)
    training = images[images["part"] == "train"]

    make_deterministic(params.seed)
    batch_size = params.evaluate.batch_size
    forward = frozen_forward(with_features(load_network(NETWORK)), batch_size)
    names = training["image"].tolist()
    features, _ = split_outputs(run_images(forward, names, batch_size, "train"), len(classes))
    reference = make_reference(features, names, encode(training["label"], classes))
    distances = []
    for path, label in ((VALIDATION, "val"), (TEST, "test")):
        stored = read_predictions(path, classes)
        outputs = run_images(forward, stored["image"].tolist(), batch_size, label)
        features, scores = split_outputs(outputs, len(classes))
        check_scores(path, scores, stored[classes].to_numpy(np.float64))
        distances.append(reference.distance(features, NEIGHBOURS))

    unlike = calibrate_distance(*distances)
    sources = manifest.loc[manifest["image"].isin(names), "source"]
    info = assemble_info(
        trained, params.data, steps, metrics, uncertainty, unlike, read_results(REPORT, "restructure"), sources
    )
    write_classifier(CLASSIFIER, NETWORK, info, reference)
    logging.info(
        "%s: %.0f MB; %.1f %% of test images flagged as unlike the training images",
        CLASSIFIER,
        CLASSIFIER.stat().st_size / 1e6,
        100 * unlike.test_flagged,
    )


if __name__ == "__main__":
    run_stage("bundle", main)
