"""Writing an export: converted, run, compared and only then given its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bycase.apps.classifier.network import split_outputs, with_features
from bycase.apps.export.convert import convert_litert, convert_onnx, convert_openvino
from bycase.apps.export.parity import Outputs, Parity, compare, describe, find_breach
from bycase.apps.export.quantise import quantise
from bycase.apps.runtimes import FILES, REPORT, load_runtime
from bycase.core.errors import UserError, one_line
from bycase.core.files import replace_folder, write_json
from bycase.core.versions import installed_versions
from bycase.networks.forward import Forward, frozen_forward
from bycase.networks.graph import save_graph
from bycase.networks.predict import run_images

if TYPE_CHECKING:
    import keras

# Largest difference between probabilities stored by `evaluate` and those of the same network elsewhere, as on a GPU.
SAME_NETWORK = 0.01
PACKAGES = ("keras", "tensorflow", "numpy", "onnx", "tf2onnx", "onnxruntime", "openvino", "nncf")


@dataclass(frozen=True)
class Validation:
    """What an export is compared on, and how.

    Attributes
    ----------
    predictions : DataFrame
        ``data/predictions/val.csv``.
    classes : list of str
        In the order of the network's outputs.
    threshold : float or None
        Of two classes, as stored; see `bycase.apps.export.parity.compare`.
    batch_size : int
        Images at a time.
    """

    predictions: pd.DataFrame
    classes: list[str]
    threshold: float | None
    batch_size: int


def write_export(
    network: "keras.Model",
    kind: str,
    folder: Path,
    validation: Validation,
    calibration: Sequence[str],
    about: dict[str, Any],
) -> Parity:
    """Write ``<folder>/<kind>/``, which is replaced as a whole, if the export passes the parity gate.

    Parameters
    ----------
    network : keras.Model
        Of `bycase.networks.head.join`.
    kind : str
        The format: one of `bycase.apps.runtimes.FORMATS`.
    folder : Path
        The folder of all exports.
    validation : Validation
        What the export is compared on.
    calibration : sequence of str
        Training images, for int8.
    about : dict
        What the report begins with.

    Raises
    ------
    UserError
        If a package is missing, the format cannot express the network, ``<folder>/<kind>`` holds something else than an
        export, the stored predictions are another network's, or the gate says no; then nothing is written.
    """
    target = folder / kind
    if target.is_dir() and any(target.iterdir()) and not (target / REPORT).is_file():
        raise UserError(f"{target} holds something else than an export: move it away, or give another --out")
    with replace_folder(target) as partial_folder:
        with one_line("the network is none of this pipeline", "choose another --model"):
            whole = with_features(network)
        path = partial_folder / FILES[kind]
        _convert(kind, whole, path, calibration)
        reference = run(frozen_forward(whole, validation.batch_size), validation, "keras")
        check_stored(validation, reference)
        exported_forward = load_runtime(path, kind, validation.batch_size)
        # An operation that the CPU does not have shows only now.
        with one_line(f"{kind}: the export does not run", "choose another --format"):
            exported = run(exported_forward, validation, kind)
        parity = compare(validation.predictions, reference, exported, validation.classes, validation.threshold)
        breach = find_breach(parity, exact=kind != "int8")
        if breach:
            raise UserError(
                f"{kind}: not the network's predictions on {parity.n_images} validation images: {breach}; nothing is "
                "written; choose another --format"
            )
        size = sum(file.stat().st_size for file in partial_folder.rglob("*") if file.is_file())
        report = {
            "format": kind,
            **about,
            "bytes": size,
            "parity": describe(parity),
            "versions": installed_versions(PACKAGES),
        }
        write_json(partial_folder / REPORT, report)
    return parity


def run(forward: Forward, validation: Validation, label: str) -> Outputs:
    """Features and probabilities of the validation images."""
    outputs = run_images(forward, validation.predictions["image"].tolist(), validation.batch_size, label)
    return Outputs(*split_outputs(outputs, len(validation.classes)))


def check_stored(validation: Validation, reference: Outputs) -> None:
    """Refuse a threshold that is another network's, by the probabilities that were stored with it.

    Raises
    ------
    UserError
        If the network gives other probabilities than ``data/predictions/val.csv``.
    """
    stored = validation.predictions[validation.classes].to_numpy(np.float64)
    difference = float(np.abs(stored - reference.scores).max())
    # Written so that NaN fails too.
    if not difference <= SAME_NETWORK:
        raise UserError(
            f"the network is not the one of data/predictions/val.csv (probabilities differ by up to {difference:.3g}), "
            "nor the threshold in metrics/metrics.json its own: run 'dvc repro evaluate' first, or choose its --model"
        )


def _convert(kind: str, network: "keras.Model", path: Path, calibration: Sequence[str]) -> None:
    converters: dict[str, Callable[[keras.Model, Path], None]] = {
        "onnx": convert_onnx,
        "openvino": convert_openvino,
        "litert": convert_litert,
        "tf": save_graph,
        "int8": partial(quantise, calibration=calibration),
    }
    with one_line(f"{kind} cannot express the network", "choose another --format"):
        converters[kind](network, path)
