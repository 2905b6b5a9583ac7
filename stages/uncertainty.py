"""`python -m stages.uncertainty`: how sure the network is of each image, and whether it is right to be."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_csv, write_json
from bycase.core.memory import enough_memory
from bycase.core.params import Params, load_params
from bycase.core.seeding import make_deterministic
from bycase.core.versions import warn_of_other_versions
from bycase.networks.engine import Outputs, choose_engine, spread
from bycase.networks.forward import Forward
from bycase.networks.imported import input_reader, takes_pixels
from bycase.networks.repeated import find_dropout, predict_views, predict_with_dropout
from bycase.networks.saved import load_network
from bycase.statistics.conformal import calibrate_sets, make_sets
from bycase.statistics.thresholds import choose_threshold
from bycase.statistics.uncertainty.members import Combined, combine_members
from bycase.statistics.uncertainty.summary import summarise
from bycase.statistics.uncertainty.table import FOLDER, METHODS, RESULTS, TEST, VALIDATION, add_sets, make_table
from bycase.statistics.units import Units, image_units
from bycase.tables import predictions
from bycase.tables.manifest import patients_note, read_manifest
from bycase.tables.models import NETWORK, read_model_info
from bycase.tables.predictions import MADE_BY, read_predictions
from bycase.tables.results import write_headlines

if TYPE_CHECKING:
    import keras

HEADLINES = (
    *(f"{method}.difference.auc" for method in METHODS[1:]),
    *("conformal.image.coverage", "conformal.image.size", "conformal.patient.patient_coverage"),
    *("selective.plain.aurc", "selective.plain.accuracy_80"),
)


def main() -> None:
    """Write the tables, ``metrics/uncertainty.json`` and its headlines."""
    params = load_params()
    model_info, manifest = read_model_info(), read_manifest()
    warn_of_other_versions(model_info.get("versions", {}), str(NETWORK))
    classes, positive = model_info["classes"], model_info["positive"]
    predicted = {path: read_predictions(path, classes) for path in (predictions.VALIDATION, predictions.TEST)}
    images = {path: image_units(table, manifest, classes, positive, path) for path, table in predicted.items()}
    validation, test = images.values()

    make_deterministic(params.seed)
    network = load_network(NETWORK)
    if not find_dropout(network):
        logging.warning(
            "WARNING: the network's head has no dropout: mc_dropout is the plain prediction, without variance"
        )
    with enough_memory(params, "evaluate.batch_size", params.evaluate.batch_size):
        members, made_by = _predict_members(network, pd.concat(predicted.values()), classes, params)
    rows = np.split(np.arange(len(validation.truth) + len(test.truth)), [len(validation.truth)])
    combined = {
        path: {method: combine_members(outputs[:, part]) for method, outputs in members.items()}
        for path, part in zip(predicted, rows, strict=True)
    }

    thresholds = _choose_thresholds(validation, combined[predictions.VALIDATION], params)
    tables = {path: make_table(table, combined[path], thresholds, classes) for path, table in predicted.items()}
    calibrated = calibrate_sets(validation, params.uncertainty.coverage)
    sets = {level: make_sets(test.scores, numbers["conformal_threshold"]) for level, numbers in calibrated.items()}
    table = add_sets(tables[predictions.TEST], sets, classes)

    chosen = params.uncertainty.coverage, params.evaluate.resamples, params.seed
    content = summarise(table, classes, positive, test.patient, None, *chosen)
    for level, numbers in calibrated.items():
        content["conformal"][level] |= numbers

    with replace_folder(FOLDER) as partial:
        write_csv(partial / VALIDATION, tables[predictions.VALIDATION])
        write_csv(partial / TEST, table)
        write_json(partial / MADE_BY, made_by)
    write_json(RESULTS, content | patients_note(params.data.names_patient))
    write_headlines("uncertainty", content, HEADLINES)
    _log(content)


def _predict_members(
    network: "keras.Model", predicted: pd.DataFrame, classes: list[str], params: Params
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
    """Each method's predictions of the same images, (n_members, n_images, n_classes), and what computed them."""
    images, batch_size = predicted["image"].tolist(), params.evaluate.batch_size
    plain: NDArray[np.float64] = predicted[classes].to_numpy(np.float64)
    sample = partial(input_reader(network), spread(images))
    dropped, made_by = plain[None], dict[str, Any]()

    def prepare(
        body: "keras.Model", batch_size: int, method: str = "mc_dropout", outputs: Outputs = "features"
    ) -> Forward:
        engine = choose_engine(body, params.engine, batch_size, sample, outputs)
        made_by[method] = {"engine": engine.made_by}
        return engine.forward

    if find_dropout(network):
        dropped = predict_with_dropout(
            network, images, params.uncertainty.dropout_passes, batch_size, params.seed, prepare
        )
    if not takes_pixels(network):
        logging.warning(
            "WARNING: imported features are of images as they are: tta is the plain prediction, without variance"
        )
        return dict(zip(METHODS, (plain[None], dropped, plain[None]), strict=True)), made_by
    forward = prepare(network, batch_size, "tta", "probabilities")
    views = predict_views(forward, images, plain, params.uncertainty.views, batch_size)
    return dict(zip(METHODS, (plain[None], dropped, views), strict=True)), made_by


def _choose_thresholds(validation: Units, combined: Mapping[str, Combined], params: Params) -> dict[str, float] | None:
    """Of two classes, each method's own threshold; see `bycase.statistics.uncertainty.table.make_table`."""
    chosen = {
        method: choose_threshold(replace(validation, scores=members.mean), params.evaluate)
        for method, members in combined.items()
    }
    thresholds = {method: threshold for method, threshold in chosen.items() if threshold is not None}
    return thresholds or None


def _log(content: dict[str, Any]) -> None:
    for method in METHODS[1:]:
        gain = content[method]["difference"]
        limits = gain["ci"]["auc"]
        logging.info("%s: AUC %+.3f (%+.3f to %+.3f) over plain", method, gain["auc"], limits["low"], limits["high"])
    for level, reached in content["conformal"].items():
        if reached["conformal_threshold"] == 0:
            logging.warning(
                "WARNING: %d validation %ss allow a coverage of %.3f at most: every set holds every class",
                reached["n_calibration"],
                level,
                reached["attainable"],
            )
        words = "sets calibrated by %s: %.3f of images and %.3f of a patient's images covered, %.2f classes a set"
        logging.info(words, level, reached["coverage"], reached["patient_coverage"], reached["size"])


if __name__ == "__main__":
    run_stage("uncertainty", main)
