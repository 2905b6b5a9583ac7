"""EfficientNet.

Tan, Le (2019), EfficientNet: rethinking model scaling for convolutional neural networks, ICML, arXiv:1905.11946.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.networks.weights import build_with_weights, load_weights_file
from bycase.networks.zoo.preprocessing import image_input, to_standardised
from bycase.networks.zoo.scratch import start_convolutions

if TYPE_CHECKING:
    import keras


def build_efficientnet(image_size: int, weights: str, pooling: str, variant: str = "B0") -> "keras.Model":
    """EfficientNet without its top: B0 has 4,049,564 parameters and 1,280 features.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 32 or more; ImageNet weights were trained at 224 (B0), 380 (B4), 600 (B7).
    weights : str
        See `bycase.networks.weights.build_with_weights`. A ``.h5`` file is one that
        Keras published; its normalisation layer is left out.
    pooling : {'avg', 'max'}
        Over the last feature map.
    variant : {'B0', 'B4', 'B7'}
        The size.

    Returns
    -------
    keras.Model
        From RGB float (n, image_size, image_size, 3) in [0, 255] to float32 (n, 1280), B4 1,792, B7 2,560.
        Inside, each channel is standardised by ImageNet's mean and standard deviation.
    """
    import keras

    whole_file = weights.endswith(".h5") and not weights.endswith(".weights.h5")
    published = build_with_weights(
        getattr(keras.applications, f"EfficientNet{variant}"),
        "efficientnet",
        weights if weights == "imagenet" or whole_file else "random",
        include_top=False,
        input_shape=(image_size, image_size, 3),
        pooling=pooling,
    )
    backbone = _with_one_preprocessing_layer(published, image_size)
    if weights == "random":
        return start_convolutions(backbone)
    if weights != "imagenet" and not whole_file:
        load_weights_file("efficientnet", backbone, Path(weights))
    return backbone


def _with_one_preprocessing_layer(published: "keras.Model", image_size: int) -> "keras.Model":
    """The same network and weights, with the whole of its preprocessing in the layer "preprocess".

    Keras' has two or three layers: the pixels are divided by 255; a Normalization layer, whose published
    weights hold ImageNet's standard deviation in place of the variance, divides by its square root; and,
    with ImageNet weights only, a second Rescaling divides by that root again (tensorflow issue 49930).
    All in all ``(x / 255 - mean) / deviation``, as the weights were trained.
    """
    import keras

    image = image_input(image_size)
    scaled = to_standardised(image)

    def call(layer: "keras.Layer", *args: Any, **kwargs: Any) -> Any:
        if not isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)):
            return layer(*args, **kwargs)
        return scaled

    backbone = keras.models.clone_model(published, input_tensors=image, call_function=call)
    first = len(published.weights) - len(backbone.weights)
    backbone.set_weights(published.get_weights()[first:])
    return backbone
