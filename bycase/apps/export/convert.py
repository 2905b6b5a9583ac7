"""From Keras to ONNX, OpenVINO, LiteRT and TensorFlow's SavedModel, in float32."""

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.packages import need

if TYPE_CHECKING:
    import keras

INSTEAD = "choose --format tf or litert"
IMAGE = "image"
OUTPUT = "features_and_outputs"


def refuse_other_backends() -> None:
    """Say that exports need TensorFlow, by which every format is traced, where Keras has another backend."""
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UserError(
            f"an export needs TensorFlow, and KERAS_BACKEND is {backend}: unset it where TensorFlow is installed; "
            "a network is read by either, whichever trained it"
        )


def convert_tensorflow(network: "keras.Model", path: Path) -> None:
    """Write a SavedModel's folder, which needs TensorFlow alone."""
    import tensorflow as tf

    frozen = _freeze(network)
    module = tf.Module()
    module.serve = tf.function(
        lambda image: {OUTPUT: frozen(image)[0]}, input_signature=_trace(network).input_signature, autograph=False
    )
    # The gradients of activations that have their own, such as SiLU, cannot be saved, and nobody trains an export.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(path), signatures=module.serve, options=options)


def convert_litert(network: "keras.Model", path: Path) -> None:
    """Write a ``.tflite`` file; TensorFlow brings the converter."""
    import tensorflow as tf

    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([_freeze(network)]).convert())


def convert_openvino(network: "keras.Model", path: Path) -> None:
    """Write OpenVINO's ``.xml``, and its weights beside it as ``.bin``."""
    openvino = need("openvino", "the format openvino", INSTEAD)
    # By default weights are rounded to half precision.
    openvino.save_model(openvino_model(network), path, compress_to_fp16=False)


def openvino_model(network: "keras.Model") -> Any:
    """The network as an `openvino.Model` of one output; any number of images at a time.

    It goes by way of a SavedModel, which OpenVINO reads by itself: on Python 3.13 its reader of functions in memory
    fails, and elsewhere makes an output of every activation that has a gradient of its own, such as SiLU.
    """
    openvino = need("openvino", "OpenVINO's format", INSTEAD)
    with TemporaryDirectory() as folder:
        convert_tensorflow(network, Path(folder))
        model = openvino.convert_model(folder)
    (output,) = model.outputs
    return openvino.Model([output.get_node()], model.get_parameters(), network.name)


def convert_onnx(network: "keras.Model", path: Path) -> None:
    """Write an ``.onnx`` file whose one input is the image.

    tf2onnx makes an input of every constant that a layer holds as a tensor, such as the mean and the
    variance of `keras.layers.Normalization`; runtimes then refuse to start without them.
    """
    tf2onnx = need("tf2onnx", "the format onnx", INSTEAD)
    onnx = need("onnx", "the format onnx", INSTEAD)
    # It tells every step of its optimiser.
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    function = _trace(network)
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
    for extra in [each for each in model.graph.input if each.name != IMAGE]:
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


def _trace(network: "keras.Model") -> Any:
    """The network's inference as a `tf.function` of images of its size, any number."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name=IMAGE)]
    return tf.function(lambda image: network(image, training=False), input_signature=signature, autograph=False)


def _freeze(network: "keras.Model") -> Any:
    """The network's inference with its weights as constants.

    `keras.Model.export` saves variables, which fails where a layer's name begins with an underscore, as those of
    efficientnetlite do.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(_trace(network).get_concrete_function())


def _captured_constants(function: Any) -> dict[str, NDArray[Any]]:
    """What a `tf.function` took of its surroundings, but for variables, by its name in the graph."""
    import tensorflow as tf

    captures = function.get_concrete_function().graph.captures
    return {inside.name: np.asarray(outside) for outside, inside in captures if outside.dtype != tf.resource}
