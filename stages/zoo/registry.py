"""Networks by name, and what each expects of an image.

Every builder takes RGB in [0, 255] and does its own preprocessing, so that the pipeline cannot rescale
twice or not at all: `keras.applications` rescales inside some networks and not inside others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stages.common.errors import UserError
from stages.common.seeding import derive_seed
from stages.zoo import efficientnet_lite, efficientnet_v2, resnet_v2

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Network:
    """A backbone of the zoo.

    Attributes
    ----------
    build : callable
        ``build(image_size, weights, pooling)`` gives a Keras model from float RGB of shape
        (n, image_size, image_size, 3) in [0, 255] to features of shape (n, features).
    input_size : int
        Pixels at which its ImageNet weights were trained.
    input_range : tuple of float
        What its first convolution sees of [0, 255]: the lowest and highest value over all channels.
    features : int
        Length of its feature vector.
    parameters : int
        Number of weights, batch norm's statistics included, without any head.
    """

    build: "Callable[[int, str, str], keras.Model]"
    input_size: int
    input_range: tuple[float, float]
    features: int
    parameters: int


NETWORKS = {
    "resnet50v2": Network(resnet_v2.build_resnet50v2, 224, (-1.0, 1.0), 2048, 23_564_800),
    "efficientnetv2": Network(efficientnet_v2.build_efficientnetv2b0, 224, (-2.118, 2.64), 1280, 5_919_312),
    "efficientnetlite": Network(efficientnet_lite.build_efficientnet_lite0, 224, (-0.992, 1.0), 1280, 3_413_024),
}


def find_network(name: str) -> Network:
    """Look a network up; an unknown name's error lists those there are."""
    if name not in NETWORKS:
        raise UserError(f"model: no network '{name}'; the zoo has {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name]


def build_backbone(name: str, image_size: int, weights: str, pooling: str, seed: int) -> "keras.Model":
    """Build a backbone; the same arguments give the same weights, random ones included.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    image_size : int
        Side of the images, in pixels.
    weights : str
        'imagenet', 'random', or the path of a weights file for this backbone without its top.
    pooling : {'avg', 'max'}
        How the last feature map becomes a vector.
    seed : int
        The pipeline's seed; random weights follow from it.

    Returns
    -------
    keras.Model
        From RGB float (n, image_size, image_size, 3) in [0, 255] to float32 (n, features).

    Raises
    ------
    UserError
        If the name is unknown or the weights cannot be had.
    """
    import keras

    network = find_network(name)
    keras.utils.set_random_seed(derive_seed(seed, "weights", name))
    return network.build(image_size, weights, pooling)
