"""From Keras to ONNX, OpenVINO and LiteRT, in float32."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.packages import need
from bycase.networks.engine import openvino_model
from bycase.networks.graph import INPUT, freeze, trace

if TYPE_CHECKING:
    import keras

INSTEAD = "choose --format tf or litert"


def refuse_other_backends() -> None:
    """Say that exports need TensorFlow, by which every format is traced, where Keras has another backend."""
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UserError(
            f"an export needs TensorFlow, and KERAS_BACKEND is {backend}: unset it where TensorFlow is installed; "
            "a network is read by either, whichever trained it"
        )


def convert_litert(network: "keras.Model", path: Path) -> None:
    """Write a ``.tflite`` file; TensorFlow brings the converter."""
    import tensorflow as tf

    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([freeze(network)]).convert())


def convert_openvino(network: "keras.Model", path: Path) -> None:
    """Write OpenVINO's ``.xml``, and its weights beside it as ``.bin``."""
    openvino = need("openvino", "the format openvino", INSTEAD)
    # By default weights are rounded to half precision.
    openvino.save_model(openvino_model(network, INSTEAD), path, compress_to_fp16=False)


def convert_onnx(network: "keras.Model", path: Path) -> None:
    """Write an ``.onnx`` file whose one input is the image.

    tf2onnx makes an input of every constant that a layer holds as a tensor, such as the mean and the
    variance of `keras.layers.Normalization`; runtimes then refuse to start without them.
    """
    tf2onnx = need("tf2onnx", "the format onnx", INSTEAD)
    onnx = need("onnx", "the format onnx", INSTEAD)
    # It tells every step of its optimiser.
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    function = trace(network)
    model, _ = tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, custom_op_handlers={"Erfc": (_write_erfc, [])}
    )
    fix_inputs(model, _captured_constants(function))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def fix_inputs(model: Any, constants: Mapping[str, NDArray[Any]]) -> None:
    """Give every input of an ONNX graph that is one of `constants`, by its name, this value; in place.

    Raises
    ------
    ValueError
        If an input is neither the image nor a constant.
    """
    onnx = need("onnx", "the format onnx", INSTEAD)
    for extra in [each for each in model.graph.input if each.name != INPUT]:
        if extra.name not in constants:
            raise ValueError(f"input {extra.name} has no value")
        model.graph.initializer.append(onnx.numpy_helper.from_array(constants[extra.name], extra.name))
        model.graph.input.remove(extra)


def _write_erfc(graph: Any, node: Any, name: str, _arguments: list[Any]) -> Any:
    """Write TensorFlow's erfc, of which GELU is made and which ONNX lacks, as 1 - erf."""
    one = graph.make_const(f"{name}_one", np.ones((), np.float32))
    erf = graph.make_node("Erf", node.input)
    graph.remove_node(name)
    return graph.make_node("Sub", [one.output[0], erf.output[0]], name=name, outputs=node.output)


def _captured_constants(function: Any) -> dict[str, NDArray[Any]]:
    """What a `tf.function` took of its surroundings, but for variables, by its name in the graph."""
    import tensorflow as tf

    captures = function.get_concrete_function().graph.captures
    return {inside.name: np.asarray(outside) for outside, inside in captures if outside.dtype != tf.resource}
