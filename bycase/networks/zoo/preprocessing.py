"""The networks' own preprocessing, each as one layer named "preprocess"."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STANDARD_DEVIATION = (0.229, 0.224, 0.225)
# Of ImageNet on [0, 255], in Caffe's order: blue, green, red.
CAFFE_MEAN = (103.939, 116.779, 123.68)


def image_input(image_size: int) -> Any:
    """A symbolic batch of RGB images, float in [0, 255]."""
    import keras

    return keras.Input((image_size, image_size, 3), name="image")


def to_symmetric(image: Any) -> Any:
    """[0, 255] to [-1, 1]."""
    import keras

    return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocess")(image)


def to_standardised(image: Any) -> Any:
    """Each channel of [0, 255] by ImageNet's mean and standard deviation, about -2.1 to 2.6.

    One layer, since Keras' Normalization does not survive ONNX export.
    """
    import keras

    return keras.layers.Rescaling(
        [1 / (255 * deviation) for deviation in IMAGENET_STANDARD_DEVIATION],
        offset=[-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_STANDARD_DEVIATION, strict=True)],
        name="preprocess",
    )(image)


def to_caffe(image: Any) -> Any:
    """RGB to BGR minus ImageNet's means, about -124 to 151."""
    import keras

    reversed_channels = keras.ops.take(image, [2, 1, 0], axis=-1)
    return keras.layers.Rescaling(1.0, offset=[-mean for mean in CAFFE_MEAN], name="preprocess")(reversed_channels)


def rescale_pixels(backbone: "keras.Model", factor: float) -> None:
    """Multiply the pixels before a backbone's preprocessing by `factor`; the change is saved with it."""
    layer = backbone.get_layer("preprocess")
    layer.scale = [each * factor for each in layer.scale] if isinstance(layer.scale, list) else layer.scale * factor
