"""`python -m stages.robustness`: the trained network on damaged test images."""

import logging
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.command import run_stage
from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.fingerprint import fingerprint
from bycase.core.memory import enough_memory
from bycase.core.params import Params, load_params
from bycase.core.seeding import make_deterministic
from bycase.core.versions import warn_of_other_versions
from bycase.images.corruptions import STAIN, applicable, corrupt
from bycase.images.pixels import read_pixels
from bycase.images.preprocess import FITTED, apply_steps, read_steps
from bycase.networks.engine import Engine, choose_engine, spread
from bycase.networks.imported import refuse_without_pixels
from bycase.networks.predict import predict_rows
from bycase.networks.saved import load_network
from bycase.statistics.robustness.summary import summarise_robustness
from bycase.statistics.robustness.table import (
    PARTIAL,
    RESULTS,
    ROBUSTNESS,
    check_untouched,
    fill_table,
    list_conditions,
    remove_partial,
    write_robustness,
)
from bycase.statistics.units import number_patients
from bycase.studies.benchmark.robustness_cells import one_cell
from bycase.tables.manifest import PREPROCESSED, RESTRUCTURED, patients_note, read_manifest
from bycase.tables.models import NETWORK, read_model_info
from bycase.tables.predictions import MADE_BY, TEST, read_predictions
from bycase.tables.results import METRICS, read_results, write_headlines

HEADLINES = ("mean.auc", "mean.auc_drop", "mean.accuracy", "mean.accuracy_drop")


def main() -> None:
    """Predict the test part under every corruption and severity, and score it."""
    params, model_info = load_params(), read_model_info()
    refuse_without_pixels(model_info, "damage to images")
    warn_of_other_versions(model_info.get("versions", {}), str(NETWORK))
    classes, positive = model_info["classes"], model_info["positive"]
    predictions = read_predictions(TEST, classes)
    threshold = read_results(METRICS, "evaluate")["image"].get("threshold")
    patient = number_patients(predictions, read_manifest(), TEST)
    corruptions = _choose(params)

    with enough_memory(params, "evaluate.batch_size", params.evaluate.batch_size):
        table, engine = _predict(params, predictions, corruptions, classes)
    check_untouched(table, predictions, classes)
    patients = dict(zip(predictions["image"], patient, strict=True))
    cell = one_cell(table, table["image"].map(patients).to_numpy(), threshold)
    summary = summarise_robustness(cell, classes, positive)

    write_robustness(ROBUSTNESS, table, classes)
    write_json(ROBUSTNESS.parent / MADE_BY, {"engine": engine.made_by})
    write_json(RESULTS, summary | patients_note(params.data.names_patient))
    write_headlines("robustness", summary, HEADLINES)
    remove_partial()
    logging.info(
        "mean over corruptions: AUC %.3f (clean %.3f), accuracy %.3f (clean %.3f)",
        summary["mean"]["auc"],
        summary["clean"]["auc"],
        summary["mean"]["accuracy"],
        summary["clean"]["accuracy"],
    )


def _choose(params: Params) -> list[str]:
    """The corruptions asked for that make sense for the data set."""
    wanted = list(dict.fromkeys(params.robustness.corruptions))
    chosen = applicable(wanted, params.data.layout == "breakhis")
    if not chosen:
        raise UserError("robustness.corruptions: stain alone is nothing to do to images without stain; add others")
    if chosen != wanted:
        logging.info("%s left out: %s images are not known to be of stained tissue", STAIN, params.dataset)
    return chosen


def _predict(
    params: Params, part: pd.DataFrame, corruptions: list[str], classes: list[str]
) -> tuple[pd.DataFrame, Engine]:
    """The table of all conditions, from where an interruption left it, and what computed it."""
    make_deterministic(params.seed)
    batch_size, images = params.evaluate.batch_size, part["image"].to_numpy()
    sample = partial(read_pixels, spread(images.tolist()))
    engine = choose_engine(load_network(NETWORK), params.engine, batch_size, sample, "probabilities")
    # Damage comes before what is done to every image, as it would from a microscope.
    steps = read_steps()
    folder = PREPROCESSED if steps.change_nothing else RESTRUCTURED

    def read(name: str, severity: int, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        chosen = images[rows].tolist()
        damaged = corrupt(read_pixels(chosen, folder), chosen, name, severity, params.seed)
        return damaged if steps.change_nothing else np.stack([apply_steps(image, steps)[0] for image in damaged])

    def predict(name: str, severity: int) -> NDArray[np.float64]:
        return predict_rows(
            engine.forward, partial(read, name, severity), np.arange(len(images)), batch_size, f"{name} {severity}"
        )

    files = (NETWORK, TEST, FITTED, folder)
    identity = fingerprint(["stages.robustness"], params.seed, batch_size, engine.identity, files=files)
    conditions = list_conditions(corruptions, params.robustness.severities)
    return fill_table(part, conditions, predict, classes, PARTIAL / identity[:16]), engine


if __name__ == "__main__":
    run_stage("robustness", main)
