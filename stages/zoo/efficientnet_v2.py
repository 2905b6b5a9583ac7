"""EfficientNetV2.

Tan, Le (2021), EfficientNetV2: smaller models and faster training, ICML, arXiv:2104.00298.
"""

from typing import TYPE_CHECKING

from stages.zoo.weights import build_with_weights

if TYPE_CHECKING:
    import keras

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STANDARD_DEVIATION = (0.229, 0.224, 0.225)


def build_efficientnetv2b0(image_size: int, weights: str, pooling: str) -> "keras.Model":
    """EfficientNetV2-B0 without its top: 5,919,312 parameters, 1,280 features.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 32 or more; its ImageNet weights were trained at 224.
    weights : str
        See `stages.zoo.weights.build_with_weights`.
    pooling : {'avg', 'max'}
        Over the last feature map.

    Returns
    -------
    keras.Model
        From RGB float (n, image_size, image_size, 3) in [0, 255] to float32 (n, 1280). Inside, each
        channel is standardised by ImageNet's mean and standard deviation.
    """
    import keras

    inputs = keras.Input((image_size, image_size, 3), name="image")
    # The same arithmetic as Keras' own preprocessing, as one layer: its Normalization layer does not
    # survive ONNX export.
    scaled = keras.layers.Rescaling(
        [1 / (255 * deviation) for deviation in IMAGENET_STANDARD_DEVIATION],
        offset=[-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_STANDARD_DEVIATION, strict=True)],
        name="preprocess",
    )(inputs)
    return build_with_weights(
        keras.applications.EfficientNetV2B0,
        "efficientnetv2",
        weights,
        include_top=False,
        include_preprocessing=False,
        input_tensor=scaled,
        pooling=pooling,
    )
