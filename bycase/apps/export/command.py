"""`bycase export --format FORMAT`: convert the trained network for other programs, if it predicts the same there."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bycase.apps.runtimes import EXPORTS, FORMATS, check_format, network_digest

if TYPE_CHECKING:
    from bycase.apps.export.parity import Parity


def main(arguments: list[str] | None = None) -> None:
    """Write ``<out>/<format>/``: the export and its ``report.json``."""
    parser = argparse.ArgumentParser(prog="bycase export", description=__doc__)
    parser.add_argument("--format", required=True, metavar="|".join(FORMATS), help="int8: OpenVINO in 8-bit integers")
    parser.add_argument("--model", type=Path, help="a .keras file of this run; default: the trained network")
    parser.add_argument("--out", type=Path, default=EXPORTS, help="the folder of all exports; default %(default)s")
    options = parser.parse_args(arguments)
    check_format(options.format)
    from bycase.apps.classifier.network import open_network
    from bycase.apps.export.convert import refuse_other_backends
    from bycase.apps.export.quantise import choose_calibration
    from bycase.apps.export.write import Validation, write_export
    from bycase.core.params import load_params
    from bycase.core.seeding import make_deterministic
    from bycase.tables.models import NETWORK, read_model_info
    from bycase.tables.predictions import VALIDATION, read_predictions
    from bycase.tables.results import METRICS, read_results
    from bycase.tables.splits import read_splits

    model = options.model or NETWORK
    digest = network_digest(model)
    params, model_info = load_params(), read_model_info()
    classes: list[str] = model_info["classes"]
    threshold = read_results(METRICS, "evaluate")["image"].get("threshold")
    predictions = read_predictions(VALIDATION, classes)
    validation = Validation(predictions, classes, threshold, params.evaluate.batch_size)
    calibration = choose_calibration(read_splits(), params.seed)

    make_deterministic(params.seed)
    refuse_other_backends()
    about = {
        "model": model.name,
        "model_sha256": digest,
        **{key: model_info[key] for key in ("dataset", "phantom", "classes", "positive", "image_size")},
        "threshold": threshold,
        "input": "float32 (n, size, size, 3), RGB in [0, 255], any number of images",
        "output": "float32 (n, features + outputs): the features, then the probability of the positive class (one "
        "output) or of each class",
    }
    network = open_network(model)
    parity = write_export(network, options.format, options.out, validation, calibration, about)
    _log(options.out / options.format, parity)


def _log(folder: Path, parity: "Parity") -> None:
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
