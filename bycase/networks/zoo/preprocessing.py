"""The networks' own preprocessing, each as one layer named "preprocess"."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import keras

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STANDARD_DEVIATION = (0.229, 0.224, 0.225)
# Of ImageNet on [0, 255], in Caffe's order: blue, green, red.
CAFFE_MEAN = (103.939, 116.779, 123.68)


class InputRange(NamedTuple):
    """What the first convolution sees of [0, 255].

    Attributes
    ----------
    low, high : float
        The lowest and highest value over all channels.
    spread : float
        From black to white within one channel, averaged over the channels.
    """

    low: float
    high: float
    spread: float


class Preprocessing(NamedTuple):
    """A preprocessing and what comes of it.

    Attributes
    ----------
    apply : callable
        From a symbolic batch of RGB in [0, 255] to what the network's own layers take.
    input_range : InputRange
        Of its output.
    """

    apply: Callable[[Any], Any]
    input_range: InputRange


def image_input(image_size: int) -> Any:
    """A symbolic batch of RGB images, float in [0, 255]."""
    import keras

    return keras.Input((image_size, image_size, 3), name="image")


def to_symmetric(image: Any) -> Any:
    """[0, 255] to [-1, 1]."""
    return rescale_by(image, 1 / 127.5, -1.0)


def to_standardised(image: Any) -> Any:
    """Each channel of [0, 255] by ImageNet's mean and standard deviation, about -2.1 to 2.6.

    One layer, since Keras' Normalization does not survive ONNX export.
    """
    return rescale_by(
        image,
        [1 / (255 * deviation) for deviation in IMAGENET_STANDARD_DEVIATION],
        [-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_STANDARD_DEVIATION, strict=True)],
    )


def to_caffe(image: Any) -> Any:
    """RGB to BGR minus ImageNet's means, about -124 to 151."""
    import keras

    return rescale_by(keras.ops.take(image, [2, 1, 0], axis=-1), 1.0, [-mean for mean in CAFFE_MEAN])


def rescale_by(image: Any, scale: float | list[float], offset: float | list[float]) -> Any:
    """The layer "preprocess": a multiple of the pixels, then an offset, each one number or one a channel."""
    import keras

    return keras.layers.Rescaling(scale, offset=offset, name="preprocess")(image)


SYMMETRIC = Preprocessing(to_symmetric, InputRange(-1.0, 1.0, 2.0))
STANDARDISED = Preprocessing(to_standardised, InputRange(-2.118, 2.64, 4.425))
CAFFE = Preprocessing(to_caffe, InputRange(-123.68, 151.061, 255.0))
# ``x / 128 - 1`` and ``(x - 127) / 128``.
BY_128 = Preprocessing(lambda image: rescale_by(image, 1 / 128, -1.0), InputRange(-1.0, 0.992, 1.992))
BY_128_FROM_127 = Preprocessing(lambda image: rescale_by(image, 1 / 128, -127 / 128), InputRange(-0.992, 1.0, 1.992))


def rescale_pixels(backbone: "keras.Model", factor: float) -> None:
    """Multiply the pixels before a backbone's preprocessing by `factor`; the change is saved with it."""
    layer = backbone.get_layer("preprocess")
    layer.scale = [each * factor for each in layer.scale] if isinstance(layer.scale, list) else layer.scale * factor
