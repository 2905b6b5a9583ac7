"""GoogLeNet, the first Inception network.

Szegedy et al. (2014), Going deeper with convolutions, CVPR 2015, arXiv:1409.4842.
"""

from typing import TYPE_CHECKING, Any

from bycase.core.seeding import derive_seed
from bycase.networks.zoo.scratch import convolution

if TYPE_CHECKING:
    import keras

# Table 1 of the paper: 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection. None is a max pooling.
MODULES = {
    "inception_3a": (64, 96, 128, 16, 32, 32),
    "inception_3b": (128, 128, 192, 32, 96, 64),
    "pool3": None,
    "inception_4a": (192, 96, 208, 16, 48, 64),
    "inception_4b": (160, 112, 224, 24, 64, 64),
    "inception_4c": (128, 128, 256, 24, 64, 64),
    "inception_4d": (112, 144, 288, 32, 64, 64),
    "inception_4e": (256, 160, 320, 32, 128, 128),
    "pool4": None,
    "inception_5a": (256, 160, 320, 32, 128, 128),
    "inception_5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY_AT = ("inception_4a", "inception_4d")
# What the paper gives each auxiliary classifier's loss beside the main one's 1.
AUXILIARY_LOSS_WEIGHT = 0.3


def googlenet_layers(x: Any) -> Any:
    """GoogLeNet without its classifiers, to 1,024 channels; `auxiliary_outputs` adds the two auxiliary ones.

    Without the paper's local response normalisation, and with He's initial weights.
    """
    x = convolution(x, 64, 7, "conv1", strides=2)
    x = _max_pooling(x, "pool1")
    x = convolution(x, 64, 1, "conv2_reduce")
    x = convolution(x, 192, 3, "conv2")
    x = _max_pooling(x, "pool2")
    for name, channels in MODULES.items():
        x = _inception(x, channels, name) if channels else _max_pooling(x, name)
    return x


def auxiliary_outputs(backbone: "keras.Model", n_classes: int, seed: int) -> list[Any]:
    """The two auxiliary classifiers, which help the gradient reach the lower layers in training.

    Where the paper's average pooling of 5 x 5 is larger than the map, it takes the whole map.

    Parameters
    ----------
    backbone : keras.Model
        With the layers of `googlenet_layers`.
    n_classes : int
        Two give one sigmoid unit, more a softmax.
    seed : int
        The pipeline's seed; the classifiers' random weights follow from it.

    Returns
    -------
    list of KerasTensor
        Probabilities of shape (n, 1) or (n, n_classes), float32, as outputs beside the main one. A model
        that is made without them does not hold their weights.
    """
    import keras

    keras.utils.set_random_seed(derive_seed(seed, "weights", "googlenet", "auxiliary"))
    outputs = []
    for number, place in enumerate(AUXILIARY_AT, 1):
        x = backbone.get_layer(place).output
        window = min(5, x.shape[1])
        x = keras.layers.AveragePooling2D(window, 3, name=f"auxiliary{number}_pool")(x)
        x = convolution(x, 128, 1, f"auxiliary{number}_conv")
        x = keras.layers.Flatten(name=f"auxiliary{number}_flatten")(x)
        x = keras.layers.Dense(1024, "relu", kernel_initializer="he_normal", name=f"auxiliary{number}_hidden")(x)
        x = keras.layers.Dropout(0.7, name=f"auxiliary{number}_dropout")(x)
        units, activation = (1, "sigmoid") if n_classes == 2 else (n_classes, "softmax")
        outputs.append(keras.layers.Dense(units, activation, dtype="float32", name=f"auxiliary{number}")(x))
    return outputs


def _inception(x: Any, channels: tuple[int, ...], name: str) -> Any:
    """Four branches side by side: 1x1, 3x3 and 5x5 after a narrowing 1x1, and a pooling before a 1x1."""
    import keras

    one, three_reduce, three, five_reduce, five, projection = channels
    branches = [
        convolution(x, one, 1, f"{name}_1x1"),
        convolution(convolution(x, three_reduce, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"),
        convolution(convolution(x, five_reduce, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
        convolution(_max_pooling(x, f"{name}_pool", stride=1), projection, 1, f"{name}_projection"),
    ]
    return keras.layers.Concatenate(name=name)(branches)


def _max_pooling(x: Any, name: str, stride: int = 2) -> Any:
    import keras

    return keras.layers.MaxPooling2D(3, stride, padding="same", name=name)(x)
