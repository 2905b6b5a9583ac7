"""ResNet V2.

He, Zhang, Ren, Sun (2016), Identity mappings in deep residual networks, ECCV, arXiv:1603.05027.
"""

from typing import TYPE_CHECKING

from bycase.networks.weights import build_with_weights
from bycase.networks.zoo.preprocessing import image_input, to_symmetric

if TYPE_CHECKING:
    import keras


def build_resnet50v2(image_size: int, weights: str, pooling: str) -> "keras.Model":
    """ResNet50V2 without its top: 23,564,800 parameters, 2,048 features.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 32 or more; its ImageNet weights were trained at 224.
    weights : str
        See `bycase.networks.weights.build_with_weights`.
    pooling : {'avg', 'max'}
        Over the last feature map.

    Returns
    -------
    keras.Model
        From RGB float (n, image_size, image_size, 3) in [0, 255], which is brought to [-1, 1] inside,
        to float32 (n, 2048).
    """
    import keras

    return build_with_weights(
        keras.applications.ResNet50V2,
        "resnet50v2",
        weights,
        include_top=False,
        input_tensor=to_symmetric(image_input(image_size)),
        pooling=pooling,
    )
