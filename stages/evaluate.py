"""`python -m stages.evaluate`: predict validation and test, score them, and say what it cost."""

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.command import run_stage
from bycase.core.files import write_json
from bycase.core.machine import describe_machine
from bycase.core.memory import enough_memory
from bycase.core.params import load_params
from bycase.core.seeding import make_deterministic
from bycase.core.versions import warn_of_other_versions
from bycase.networks.engine import Engine, choose_engine, spread
from bycase.networks.imported import input_reader
from bycase.networks.predict import predict_images
from bycase.networks.saved import load_network
from bycase.statistics.assessment import assess_predictions
from bycase.tables.cost import COST, read_times, sizes_of, write_times
from bycase.tables.manifest import patients_note, read_manifest
from bycase.tables.models import NETWORK, read_model_info
from bycase.tables.predictions import (
    MADE_BY,
    TEST,
    VALIDATION,
    check_disjoint,
    label_splits,
    make_predictions,
    write_predictions,
)
from bycase.tables.results import METRICS
from bycase.tables.splits import read_splits

FILES = {VALIDATION: "val", TEST: "test"}


def main() -> None:
    """Write predictions, metrics and cost of the network in ``models/``."""
    params = load_params()
    model_info = read_model_info()
    warn_of_other_versions(model_info.get("versions", {}), str(NETWORK))
    classes = model_info["classes"]
    manifest = read_manifest()
    images = label_splits(read_splits(), manifest)

    make_deterministic(params.seed)
    with enough_memory(params, "evaluate.batch_size", params.evaluate.batch_size):
        tables, rate, engine = _predict(images, classes, params.engine, params.evaluate.batch_size)
    check_disjoint(tables[VALIDATION], tables[TEST])

    training = manifest[manifest["image"].isin(images["image"][images["part"] == "train"])]
    metrics = assess_predictions(
        tables[VALIDATION],
        tables[TEST],
        manifest,
        training,
        classes,
        model_info["positive"],
        params.evaluate,
        params.seed,
        params.data.edges,
    )

    for path, table in tables.items():
        write_predictions(path, table, classes)
    write_json(TEST.parent / MADE_BY, {"engine": engine.made_by})
    write_json(METRICS, metrics | patients_note(params.data.names_patient))
    _write_cost(model_info, rate)
    for level in ("image", "patient"):
        scores = metrics[level]
        logging.info(
            "test, %s level: AUC %.3f, accuracy %.3f (n = %d)", level, scores["auc"], scores["accuracy"], scores["n"]
        )


def _write_cost(model_info: dict[str, Any], rate: float) -> None:
    network = model_info["network_sha256"]
    write_times(network, {"inference_images_per_second": round(rate, 2), "machine": describe_machine()})
    write_json(COST, {"network_sha256": network, **sizes_of(model_info), **read_times(network)})


def _predict(
    images: pd.DataFrame, classes: list[str], engine_wanted: str, batch_size: int
) -> tuple[dict[Path, pd.DataFrame], float, Engine]:
    """Predict validation and test; also the images a second, reading their files included."""
    network = load_network(NETWORK)
    tables, read = {}, input_reader(network)
    sample = partial(read, spread(images["image"].tolist()))
    engine = choose_engine(network, engine_wanted, batch_size, sample, "probabilities")
    # Once before the clock runs: the first batch is slower.
    engine.forward(np.zeros((batch_size, *network.input_shape[1:]), np.float32))
    began = time.perf_counter()
    for path, name in FILES.items():
        subset = images[images["part"] == name]
        probabilities = predict_images(engine.forward, subset["image"].tolist(), batch_size, name, read)
        tables[path] = make_predictions(subset, probabilities, classes, path)
    return tables, sum(map(len, tables.values())) / (time.perf_counter() - began), engine


if __name__ == "__main__":
    run_stage("evaluate", main)
