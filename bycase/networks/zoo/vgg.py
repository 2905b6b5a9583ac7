"""VGG.

Simonyan, Zisserman (2014), Very deep convolutional networks for large-scale image recognition, ICLR 2015,
arXiv:1409.1556.
"""

from typing import TYPE_CHECKING

from bycase.networks.weights import build_with_weights
from bycase.networks.zoo.preprocessing import image_input, to_caffe

if TYPE_CHECKING:
    import keras


def build_vgg16(image_size: int, weights: str, pooling: str) -> "keras.Model":
    """VGG16's convolutions, without its three dense layers: 14,714,688 parameters, 512 features.

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
        means inside (about -124 to 151), to float32 (n, 512). It has no batch norm: from random weights
        it learns slowly.
    """
    import keras

    return build_with_weights(
        keras.applications.VGG16,
        "vgg16",
        weights,
        include_top=False,
        input_tensor=to_caffe(image_input(image_size)),
        pooling=pooling,
    )
