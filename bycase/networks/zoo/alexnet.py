"""AlexNet, as one tower.

Krizhevsky (2014), One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997, after
Krizhevsky, Sutskever, Hinton (2012), ImageNet classification with deep convolutional neural networks, NeurIPS.
"""

from typing import TYPE_CHECKING

from bycase.networks.zoo.preprocessing import image_input, to_symmetric
from bycase.networks.zoo.scratch import convolution, finish

if TYPE_CHECKING:
    import keras

SMALLEST_SIZE = 64


def build_alexnet(image_size: int, weights: str, pooling: str) -> "keras.Model":
    """AlexNet's five convolutions: 2,469,696 parameters, 256 features.

    Global pooling stands in place of the fixed map of 6 x 6, so that images of any size do; the paper's
    two hidden layers of 4,096 units belong to the head. As in the paper there is no batch norm; the
    response normalisation of 2012 is left out, as in 2014.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 64 or more; the paper's were 224.
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
    x = keras.layers.ZeroPadding2D(2, name="pad")(to_symmetric(image))
    x = convolution(x, 64, 11, "conv1", strides=4, padding="valid")
    x = keras.layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = convolution(x, 192, 5, "conv2")
    x = keras.layers.MaxPooling2D(3, 2, name="pool2")(x)
    x = convolution(x, 384, 3, "conv3")
    x = convolution(x, 256, 3, "conv4")
    x = convolution(x, 256, 3, "conv5")
    x = keras.layers.MaxPooling2D(3, 2, name="pool5")(x)
    return finish("alexnet", image, x, weights, pooling)
