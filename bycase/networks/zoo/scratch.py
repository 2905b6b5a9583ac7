"""What networks need that are trained from scratch.

Convolutions start as He, Zhang, Ren, Sun (2015), Delving deep into rectifiers, ICCV, arXiv:1502.01852, propose.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.networks.weights import load_weights_file
from bycase.networks.zoo.network import Network, Variant
from bycase.networks.zoo.preprocessing import SYMMETRIC, image_input

if TYPE_CHECKING:
    import keras


def convolution(x: Any, channels: int, kernel: int, name: str, **options: Any) -> Any:
    """A convolution with bias and ReLU; "same" padding and stride 1 unless `options` say otherwise."""
    import keras

    settings = {"padding": "same", "kernel_initializer": "he_normal", "activation": "relu"} | options
    return keras.layers.Conv2D(channels, kernel, name=name, **settings)(x)


def normalised_convolution(x: Any, channels: int, kernel: int, name: str, activate: bool = True, **options: Any) -> Any:
    """A convolution without bias, batch norm, and ReLU if `activate`."""
    import keras

    x = convolution(x, channels, kernel, name, use_bias=False, activation=None, **options)
    x = keras.layers.BatchNormalization(epsilon=1e-5, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if activate else x


def own_network(name: str, layers: Callable[[Any], Any], variants: dict[str, Variant], **options: Any) -> Network:
    """The registry's entry of a network that is trained from scratch; its pixels are brought to [-1, 1].

    Parameters
    ----------
    name : str
        In `params.yaml`.
    layers : callable
        From a symbolic batch of preprocessed images to the last feature map.
    variants : dict of str to Variant
        One.
    **options
        Of `Network`.
    """

    def build(image_size: int, weights: str, pooling: str, _: str) -> "keras.Model":
        image = image_input(image_size)
        backbone = pooled(name, image, layers(SYMMETRIC.apply(image)), pooling)
        if weights != "random":
            load_weights_file(name, backbone, Path(weights))
        return backbone

    return Network(build, variants, SYMMETRIC, ("random", "file"), **options)


def pooled(name: str, image: Any, x: Any, pooling: str) -> "keras.Model":
    """The network from `image` to the map `x`, pooled ('avg' or 'max') over its pixels."""
    import keras

    pool = keras.layers.GlobalAveragePooling2D if pooling == "avg" else keras.layers.GlobalMaxPooling2D
    return keras.Model(image, pool(name="pool")(x), name=name)


def start_convolutions(backbone: "keras.Model") -> "keras.Model":
    """Give every convolution He's random weights, by the inputs that each of its outputs has; in place.

    Keras' default counts all channels as inputs of a depthwise convolution, which has one. Through a
    network full of these, random weights then make features of about 1e-12 for every image.
    """
    import keras

    def start(kernel: Any, inputs: int, gain: float = 2.0) -> None:
        kernel.assign(keras.initializers.RandomNormal(stddev=math.sqrt(gain / inputs))(kernel.shape))

    for layer in backbone.layers:
        if isinstance(layer, keras.layers.SeparableConv2D):
            # No activation comes between the two.
            start(layer.depthwise_kernel, math.prod(layer.depthwise_kernel.shape[:2]), gain=1.0)
            start(layer.pointwise_kernel, layer.pointwise_kernel.shape[2])
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            start(layer.kernel, math.prod(layer.kernel.shape[:2]))
        elif isinstance(layer, keras.layers.Conv2D):
            start(layer.kernel, math.prod(layer.kernel.shape[:3]))
    return backbone
