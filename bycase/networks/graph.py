"""A network's inference as a TensorFlow graph, from which other programs read it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

INPUT = "image"
OUTPUT = "features_and_outputs"


def trace(network: "keras.Model", batch_size: int | None = None) -> Any:
    """The network's inference as a `tf.function` of float32 inputs of its shape, so many or any number, to float32."""
    import tensorflow as tf

    signature = [tf.TensorSpec((batch_size, *network.input_shape[1:]), tf.float32, name=INPUT)]
    return tf.function(
        lambda image: tf.cast(network(image, training=False), tf.float32), input_signature=signature, autograph=False
    )


def freeze(network: "keras.Model", batch_size: int | None = None) -> Any:
    """As `trace`, with the weights as constants, and batch norm folded into the convolutions.

    `keras.Model.export` saves variables, which fails where a layer's name begins with an underscore, as those of
    efficientnetlite do.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(trace(network, batch_size).get_concrete_function())


def save_graph(network: "keras.Model", path: Path) -> None:
    """Write a SavedModel's folder, which needs TensorFlow alone."""
    import tensorflow as tf

    frozen = freeze(network)
    module = tf.Module()
    module.serve = tf.function(
        lambda image: {OUTPUT: frozen(image)[0]}, input_signature=trace(network).input_signature, autograph=False
    )
    # The gradients of activations that have their own, such as SiLU, cannot be saved, and nobody trains an export.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(path), signatures=module.serve, options=options)
