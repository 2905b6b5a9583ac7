"""MobileNetV2.

Sandler, Howard, Zhu, Zhmoginov, Chen (2018), MobileNetV2: inverted residuals and linear bottlenecks, CVPR,
arXiv:1801.04381.

Weights recovered from a TFLite model come with batch norm folded into the convolutions: mean 0, variance 1, scale
sqrt(1.001), so that each batch norm layer only adds a bias. In inference mode, which is how the pipeline keeps batch
norm when it unfreezes layers, they are used like Keras' own. Training such a layer in training mode (as `mode:
end_to_end` does) would standardise by the batch what was never standardised, and lose what the weights know.
"""

from typing import TYPE_CHECKING

from bycase.networks.weights import build_with_weights
from bycase.networks.zoo.preprocessing import image_input, to_symmetric
from bycase.networks.zoo.scratch import start_convolutions

if TYPE_CHECKING:
    import keras


def build_mobilenetv2(image_size: int, weights: str, pooling: str) -> "keras.Model":
    """MobileNetV2 of width 1 without its top: 2,257,984 parameters, 1,280 features.

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
        to float32 (n, 1280).
    """
    import keras

    backbone = build_with_weights(
        keras.applications.MobileNetV2,
        "mobilenetv2",
        weights,
        include_top=False,
        input_tensor=to_symmetric(image_input(image_size)),
        pooling=pooling,
    )
    return start_convolutions(backbone) if weights == "random" else backbone
