"""What the registry holds of each network: how it is built, its sizes, and what it expects of an image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bycase.networks.zoo.preprocessing import Preprocessing

if TYPE_CHECKING:
    import keras

Build = Callable[[int, str, str, str], "keras.Model"]
Auxiliary = Callable[["keras.Model", int, int], list[Any]]


@dataclass(frozen=True)
class Variant:
    """One size of a network.

    Attributes
    ----------
    input_size : int
        Pixels at which its ImageNet weights were trained, or its paper's images.
    features : int
        Length of its feature vector.
    parameters : int
        Number of weights, batch norm's statistics included, without any head.
    constructor : str
        Its function in `keras.applications`; empty for a network of this project.
    preprocessing : Preprocessing, optional
        Where it differs from its network's.
    """

    input_size: int
    features: int
    parameters: int
    constructor: str = ""
    preprocessing: Preprocessing | None = None


@dataclass(frozen=True)
class Network:
    """A backbone of the zoo.

    Attributes
    ----------
    build : callable
        ``build(image_size, weights, pooling, variant)`` gives a Keras model from float RGB of shape
        (n, image_size, image_size, 3) in [0, 255] to float32 features of shape (n, features): the last feature map,
        pooled ('avg' or 'max'). `weights` are 'imagenet', 'random' or a file.
    variants : dict of str to Variant
        Its sizes by name; the first is the default.
    preprocessing : Preprocessing
        From [0, 255] to what its first convolution sees.
    weights : tuple of str
        Where its weights may come from: 'imagenet', 'random', 'file'.
    auxiliary : callable, optional
        ``auxiliary(backbone, n_classes, seed)`` gives further outputs on the backbone's inner layers,
        for training only: sigmoid of one unit for two classes, else softmax.
    smallest_size : int
        Pixels below which its maps vanish.
    refuse_size : callable, optional
        ``refuse_size(image_size, weights, variant)`` raises a UserError where a variant takes no such images.
    """

    build: Build
    variants: dict[str, Variant]
    preprocessing: Preprocessing
    weights: tuple[str, ...] = ("imagenet", "random", "file")
    auxiliary: Auxiliary | None = None
    smallest_size: int = 32
    refuse_size: Callable[[int, str, str], None] | None = None
