"""A network of any format as a `Forward`: the same images in, the same outputs."""

import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bycase.apps.classifier.network import open_network, with_features
from bycase.apps.runtime.packages import need
from bycase.apps.runtime.places import FORMATS, check_format
from bycase.core.errors import UserError
from bycase.networks.forward import Forward, frozen_forward

RUNTIMES = ("keras", *FORMATS)
INSTEAD = "--runtime keras"


def load_runtime(path: Path, runtime: str, batch_size: int) -> Forward:
    """Load a network for inference on the CPU (Keras and TensorFlow: on the GPU where there is one).

    Parameters
    ----------
    path : Path
        A ``.keras`` file, or an export; see `bycase.apps.runtime.places.find_model`.
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
    try:
        return _LOADERS[runtime](path, batch_size)
    except UserError:
        raise
    # Each runtime has exceptions of its own, some of no class but Exception.
    except Exception as error:
        raise UserError(f"{path} cannot be loaded by {runtime} ({str(error)[:200]}); export it again") from None


def _load_keras(path: Path, batch_size: int) -> Forward:
    return frozen_forward(with_features(open_network(path)), batch_size)


def _load_tensorflow(path: Path, _: int) -> Forward:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        (outputs,) = loaded.signatures["serving_default"](tf.constant(batch)).values()
        return np.asarray(outputs, np.float32)

    return run


def _load_litert(path: Path, batch_size: int) -> Forward:
    import tensorflow as tf

    with warnings.catch_warnings():
        # It announces a move to a package of its own, ai_edge_litert; TensorFlow 2.21 still has it.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = tf.lite.Interpreter(str(path), num_threads=len(os.sched_getaffinity(0)))
    (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(image["index"], (batch_size, *image["shape"][1:]))
    interpreter.allocate_tensors()
    turns = threading.Lock()

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with turns:
            interpreter.set_tensor(image["index"], batch)
            interpreter.invoke()
            return np.asarray(interpreter.get_tensor(output["index"]), np.float32)

    return _filled_up(run, batch_size)


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
    core = openvino.Core()
    model = core.read_model(path)
    (image,) = model.inputs
    # Faster than a length left open.
    model.reshape([batch_size, *(side.get_length() for side in list(image.partial_shape)[1:])])
    # By default OpenVINO computes in bfloat16 on CPUs that can, which changes probabilities by up to 0.2.
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        # Requests serve one thread each: every call has its own.
        (outputs,) = compiled.infer_new_request({0: batch}).values()
        return np.asarray(outputs, np.float32)

    return _filled_up(run, batch_size)


def _filled_up(run: Forward, batch_size: int) -> Forward:
    """For a network that takes just `batch_size` images: zeros are added, and their outputs left out."""

    def run_filled_up(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        missing = batch_size - len(batch)
        filled = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), np.float32)]) if missing else batch
        return run(filled)[: len(batch)]

    return run_filled_up


_LOADERS: dict[str, Callable[[Path, int], Forward]] = {
    "keras": _load_keras,
    "onnx": _load_onnx,
    "openvino": _load_openvino,
    "int8": _load_openvino,
    "litert": _load_litert,
    "tf": _load_tensorflow,
}
