"""MobileNetV3.

Howard et al. (2019), Searching for MobileNetV3, ICCV, arXiv:1905.02244.
"""

from typing import TYPE_CHECKING

from bycase.networks.weights import build_with_weights
from bycase.networks.zoo.preprocessing import image_input, to_symmetric
from bycase.networks.zoo.scratch import start_convolutions

if TYPE_CHECKING:
    import keras


def build_mobilenetv3(image_size: int, weights: str, pooling: str, variant: str = "large") -> "keras.Model":
    """MobileNetV3 without its top: large 2,996,352 parameters and 960 features, small 939,120 and 576.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 32 or more; its ImageNet weights were trained at 224.
    weights : str
        See `bycase.networks.weights.build_with_weights`.
    pooling : {'avg', 'max'}
        Over the last feature map.
    variant : {'large', 'small'}
        The size.

    Returns
    -------
    keras.Model
        From RGB float (n, image_size, image_size, 3) in [0, 255], which is brought to [-1, 1] inside,
        to float32 (n, 960) or (n, 576).
    """
    import keras

    backbone = build_with_weights(
        keras.applications.MobileNetV3Large if variant == "large" else keras.applications.MobileNetV3Small,
        "mobilenetv3",
        weights,
        include_top=False,
        include_preprocessing=False,
        input_tensor=to_symmetric(image_input(image_size)),
        pooling=pooling,
    )
    return start_convolutions(backbone) if weights == "random" else backbone
