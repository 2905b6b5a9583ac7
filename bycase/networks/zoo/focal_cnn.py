"""A plain CNN, for the published system that trains "a CNN" with focal loss and says no more about it.

The layout is VGG's (Simonyan, Zisserman 2014, arXiv:1409.1556) with eight convolutions, half the channels and batch
norm. The focal loss is a setting of training: `train.loss`.
"""

from typing import TYPE_CHECKING

from bycase.networks.zoo.preprocessing import image_input, to_symmetric
from bycase.networks.zoo.scratch import finish, normalised_convolution

if TYPE_CHECKING:
    import keras

CHANNELS = (32, 64, 128, 256)


def build_focal_cnn(image_size: int, weights: str, pooling: str) -> "keras.Model":
    """Four blocks of two 3 x 3 convolutions and a max pooling: 1,175,136 parameters, 256 features.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 32 or more.
    weights : str
        'random' (He), or a weights file.
    pooling : {'avg', 'max'}
        Over the last feature map.

    Returns
    -------
    keras.Model
        From RGB float (n, image_size, image_size, 3) in [0, 255], which is brought to [-1, 1] inside,
        to float32 (n, 256).
    """
    import keras

    image = image_input(image_size)
    x = to_symmetric(image)
    for number, channels in enumerate(CHANNELS, 1):
        x = normalised_convolution(x, channels, 3, f"block{number}_conv1")
        x = normalised_convolution(x, channels, 3, f"block{number}_conv2")
        x = keras.layers.MaxPooling2D(name=f"block{number}_pool")(x)
    return finish("focal_cnn", image, x, weights, pooling)
