"""`bycase export --format FORMAT`: the trained network for other programs, if it gives the same answers."""

import argparse
import logging
from pathlib import Path

from bycase.apps.classifier.network import open_network
from bycase.apps.export.parity import Parity
from bycase.apps.export.quantise import choose_calibration
from bycase.apps.export.write import Validation, write_export
from bycase.apps.runtime.places import EXPORTS, FORMATS, check_format, network_digest
from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.core.seeding import make_tensorflow_deterministic
from bycase.tables.models import MODEL_INFO, NETWORK, read_model_info
from bycase.tables.predictions import VALIDATION, read_predictions
from bycase.tables.results import METRICS, read_results
from bycase.tables.splits import read_splits


def main() -> None:
    """Write ``<out>/<format>/``: the export and its ``report.json``."""
    parser = argparse.ArgumentParser(prog="bycase export", description=__doc__)
    parser.add_argument("--format", required=True, metavar="|".join(FORMATS), help="int8: OpenVINO in 8-bit integers")
    parser.add_argument("--model", type=Path, default=NETWORK, help="a .keras file of this run; default %(default)s")
    parser.add_argument("--out", type=Path, default=EXPORTS, help="the folder of all exports; default %(default)s")
    arguments = parser.parse_args()
    check_format(arguments.format)
    digest = network_digest(arguments.model)
    params, card = load_params(), read_model_info(MODEL_INFO)
    classes: list[str] = card["classes"]
    threshold = read_results(METRICS, "evaluate")["image"].get("threshold")
    predictions = read_predictions(VALIDATION, classes)
    validation = Validation(predictions, classes, threshold, params.evaluate.batch_size)
    calibration = choose_calibration(read_splits(), params.seed)

    make_tensorflow_deterministic(params.seed)
    about = {
        "model": arguments.model.name,
        "model_sha256": digest,
        **{key: card[key] for key in ("dataset", "phantom", "classes", "positive", "image_size")},
        "threshold": threshold,
        "input": "float32 (n, size, size, 3), RGB in [0, 255], any number of images",
        "output": "float32 (n, features + outputs): the features, then the probability of the positive class (one "
        "output) or of each class",
    }
    network = open_network(arguments.model)
    parity = write_export(network, arguments.format, arguments.out, validation, calibration, about)
    _log(arguments.out / arguments.format, parity)


def _log(folder: Path, parity: Parity) -> None:
    logging.info(
        "%s: largest probability difference to Keras %.2g on %d validation images, AUC %.4f (Keras %.4f), %d decisions "
        "changed",
        folder,
        parity.largest_difference,
        parity.n_images,
        parity.auc_export,
        parity.auc_keras,
        len(parity.changed),
    )
    for row in parity.changed.itertuples():
        logging.info(
            "%s (%s): %s becomes %s, its probability %.3f becomes %.3f",
            row.image,
            row.label,
            row.keras,
            row.export,
            row.probability_keras,
            row.probability_export,
        )


if __name__ == "__main__":
    run_stage("export", main)
