"""A network of any format as a `Forward`, and `exports/<format>/`, where exports and their reports lie."""

import hashlib
import json
import threading
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError, one_line
from bycase.core.machine import core_count
from bycase.core.packages import need
from bycase.networks.engine import compile_openvino
from bycase.networks.forward import Forward, fill_up

if TYPE_CHECKING:
    from bycase.apps.classifier.classifier import Classifier

EXPORTS = Path("exports")
REPORT = "report.json"

FILES = {
    "onnx": "model.onnx",
    "openvino": "model.xml",  # and model.bin
    "litert": "model.tflite",
    "tf": "saved_model",
    "int8": "model.xml",  # OpenVINO's too
}
FORMATS = tuple(FILES)
RUNTIMES = ("keras", *FORMATS)
INSTEAD = "choose --runtime keras"

# What a network is; the other members of a .keras file hold dates, and what `stages.bundle` adds.
_MEMBERS = ("config.json", "model.weights.h5")


def network_digest(path: Path) -> str:
    """The SHA-256 of the network in a ``.keras`` file, whose layers and weights count, not the time of saving.

    Raises
    ------
    UserError
        If the file is missing or no ``.keras`` file.
    """
    if not path.is_file():
        raise UserError(f"{path} not found: run 'dvc repro train' first, or give another file with --model")
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as archive:
            for member in _MEMBERS:
                with archive.open(member) as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError):
        raise UserError(
            f"{path} is no .keras file, or a damaged one: give the file that 'dvc repro train' wrote"
        ) from None
    return digest.hexdigest()


def find_model(runtime: str, model: Path, exports: Path = EXPORTS) -> Path:
    """Where a runtime's form of a network lies: the ``.keras`` file `model` itself, or its export.

    Raises
    ------
    UserError
        If the runtime is unknown, or `exports`, the folder of `bycase export`, has no export of this network.
    """
    if runtime == "keras":
        return model
    check_format(runtime, RUNTIMES)
    path = exports / runtime / FILES[runtime]
    again = f"run 'bycase export --format {runtime} --model {model} --out {exports}' first"
    try:
        report = json.loads((exports / runtime / REPORT).read_text(encoding="utf-8"))
        made_of = report["model_sha256"]
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} not found: {again}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise UserError(f"{exports / runtime / REPORT} is no export's report: {again}") from None
    if made_of != network_digest(model):
        raise UserError(f"{path} is an export of another network than {model}: {again}")
    return path


def check_format(name: str, valid: tuple[str, ...] = FORMATS) -> None:
    """Refuse a format, or runtime, that there is not; lists those there are."""
    if name not in valid:
        raise UserError(f"no format '{name}'; there are {', '.join(valid)}")


def load_for_runtime(path: Path, runtime: str, batch_size: int, exports: Path = EXPORTS) -> "Classifier":
    """Load a classifier to be run in Keras, or in a runtime that it was exported for.

    Raises
    ------
    UserError
        See `load_classifier`, `find_model` and `load_runtime`.
    """
    from bycase.apps.classifier.classifier import load_classifier

    if runtime == "keras":
        return load_classifier(path, batch_size)
    return load_classifier(path, batch_size, load_runtime(find_model(runtime, path, exports), runtime, batch_size))


def load_runtime(path: Path, runtime: str, batch_size: int) -> Forward:
    """Load a network for inference on the CPU (Keras and TensorFlow: on the GPU where there is one).

    Parameters
    ----------
    path : Path
        A ``.keras`` file, or an export; see `find_model`.
    runtime : str
        One of `RUNTIMES`.
    batch_size : int
        Most images at a time. 1 is fastest for single images.

    Returns
    -------
    callable
        From float32 RGB (n, size, size, 3) in [0, 255], n at most `batch_size`, to float32
        (n, n_features + n_outputs); see `bycase.apps.classifier.network.with_features`. Threads may share it.

    Raises
    ------
    UserError
        If the runtime is unknown, its package or the file is missing, or the file cannot be loaded.
    """
    check_format(runtime, RUNTIMES)
    if not path.exists():
        raise UserError(f"{path} not found: run 'bycase export --format {runtime}' first")
    with one_line(f"{path} cannot be loaded by {runtime}", "export it again"):
        return _LOADERS[runtime](path, batch_size)


def _load_keras(path: Path, batch_size: int) -> Forward:
    from bycase.apps.classifier.network import open_network, with_features
    from bycase.networks.forward import frozen_forward

    return frozen_forward(with_features(open_network(path)), batch_size)


def _load_tensorflow(path: Path, _: int) -> Forward:
    tf = need("tensorflow", "the runtime tf", INSTEAD)
    loaded = tf.saved_model.load(str(path))

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        (outputs,) = loaded.signatures["serving_default"](tf.constant(batch)).values()
        return np.asarray(outputs, np.float32)

    return run


def _load_litert(path: Path, batch_size: int) -> Forward:
    tf = need("tensorflow", "the runtime litert", INSTEAD)
    with warnings.catch_warnings():
        # It announces a move to a package of its own, ai_edge_litert; TensorFlow 2.21 still has it.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = tf.lite.Interpreter(str(path), num_threads=core_count())
    (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(image["index"], (batch_size, *image["shape"][1:]))
    interpreter.allocate_tensors()
    turns = threading.Lock()

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with turns:
            interpreter.set_tensor(image["index"], fill_up(batch, batch_size))
            interpreter.invoke()
            return np.asarray(interpreter.get_tensor(output["index"]), np.float32)[: len(batch)]

    return run


def _load_onnx(path: Path, _: int) -> Forward:
    onnxruntime = need("onnxruntime", "the runtime onnx", INSTEAD)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        (outputs,) = session.run(None, {image.name: batch})
        return np.asarray(outputs, np.float32)

    return run


def _load_openvino(path: Path, batch_size: int) -> Forward:
    openvino = need("openvino", "OpenVINO's format", INSTEAD)
    return compile_openvino(openvino.Core().read_model(path), batch_size)


_LOADERS: dict[str, Callable[[Path, int], Forward]] = {
    "keras": _load_keras,
    "onnx": _load_onnx,
    "openvino": _load_openvino,
    "int8": _load_openvino,
    "litert": _load_litert,
    "tf": _load_tensorflow,
}
