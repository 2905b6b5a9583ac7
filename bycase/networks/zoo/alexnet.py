"""AlexNet, as one tower.

Krizhevsky (2014), One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997, after
Krizhevsky, Sutskever, Hinton (2012), ImageNet classification with deep convolutional neural networks, NeurIPS.
"""

from typing import Any

from bycase.networks.zoo.scratch import convolution


def alexnet_layers(x: Any) -> Any:
    """AlexNet's five convolutions, to 256 channels; global pooling lets images of any size do.

    The paper's two hidden layers of 4,096 units belong to the head. As in the paper there is no batch norm; the
    response normalisation of 2012 is left out, as in 2014.
    """
    import keras

    x = keras.layers.ZeroPadding2D(2, name="pad")(x)
    x = convolution(x, 64, 11, "conv1", strides=4, padding="valid")
    x = keras.layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = convolution(x, 192, 5, "conv2")
    x = keras.layers.MaxPooling2D(3, 2, name="pool2")(x)
    x = convolution(x, 384, 3, "conv3")
    x = convolution(x, 256, 3, "conv4")
    x = convolution(x, 256, 3, "conv5")
    return keras.layers.MaxPooling2D(3, 2, name="pool5")(x)
