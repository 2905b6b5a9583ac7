"""A plain CNN, for the published system that trains "a CNN" with focal loss and says no more about it.

The layout is VGG's (Simonyan, Zisserman 2014, arXiv:1409.1556) with eight convolutions, half the channels and batch
norm. The focal loss is a setting of training: `train.loss`.
"""

from typing import Any

from bycase.networks.zoo.scratch import normalised_convolution

CHANNELS = (32, 64, 128, 256)


def focal_cnn_layers(x: Any) -> Any:
    """Four blocks of two 3 x 3 convolutions and a max pooling, to 256 channels."""
    import keras

    for number, channels in enumerate(CHANNELS, 1):
        x = normalised_convolution(x, channels, 3, f"block{number}_conv1")
        x = normalised_convolution(x, channels, 3, f"block{number}_conv2")
        x = keras.layers.MaxPooling2D(name=f"block{number}_pool")(x)
    return x
