"""ResNet.

He, Zhang, Ren, Sun (2015), Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385.
"""

from typing import TYPE_CHECKING

from bycase.networks.weights import build_with_weights
from bycase.networks.zoo.preprocessing import image_input, to_caffe

if TYPE_CHECKING:
    import keras


def build_resnet50(image_size: int, weights: str, pooling: str) -> "keras.Model":
    """ResNet-50 without its top: 23,587,712 parameters, 2,048 features.

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
        From RGB float (n, image_size, image_size, 3) in [0, 255], which becomes BGR minus ImageNet's
        means inside (about -124 to 151), to float32 (n, 2048).
    """
    import keras

    return build_with_weights(
        keras.applications.ResNet50,
        "resnet50",
        weights,
        include_top=False,
        input_tensor=to_caffe(image_input(image_size)),
        pooling=pooling,
    )
