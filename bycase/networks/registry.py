"""Networks by name, and what each expects of an image.

Every builder takes RGB in [0, 255] and does its own preprocessing in its layer "preprocess", so that the
pipeline cannot rescale twice or not at all: `keras.applications` rescales inside some networks and not
inside others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bycase.core.errors import UserError
from bycase.core.seeding import derive_seed
from bycase.networks.weights import check_weights_file
from bycase.networks.zoo import (
    alexnet,
    efficientnet,
    efficientnet_lite,
    efficientnet_v2,
    focal_cnn,
    googlenet,
    mobilenet_v2,
    mobilenet_v3,
    mresnet,
    resnet,
    resnet_v2,
    vgg,
)
from bycase.networks.zoo.preprocessing import rescale_pixels

if TYPE_CHECKING:
    import keras

Build = Callable[[int, str, str, str], "keras.Model"]
Auxiliary = Callable[["keras.Model", int, int], list[Any]]


class InputRange(NamedTuple):
    """What the first convolution sees of [0, 255].

    Attributes
    ----------
    low, high : float
        The lowest and highest value over all channels.
    spread : float
        From black to white within one channel, averaged over the channels.
    """

    low: float
    high: float
    spread: float


SYMMETRIC = InputRange(-1.0, 1.0, 2.0)
STANDARDISED = InputRange(-2.118, 2.64, 4.425)
CAFFE = InputRange(-123.68, 151.061, 255.0)


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
    input_range : InputRange, optional
        Where it differs from its network's.
    """

    input_size: int
    features: int
    parameters: int
    input_range: InputRange | None = None


@dataclass(frozen=True)
class Network:
    """A backbone of the zoo.

    Attributes
    ----------
    build : callable
        ``build(image_size, weights, pooling, variant)`` gives a Keras model from float RGB of shape
        (n, image_size, image_size, 3) in [0, 255] to features of shape (n, features).
    variants : dict of str to Variant
        Its sizes by name; the first is the default.
    input_range : InputRange
        What its first convolution sees of [0, 255].
    weights : tuple of str
        Where its weights may come from: 'imagenet', 'random', 'file'.
    auxiliary : callable, optional
        ``auxiliary(backbone, n_classes, seed)`` gives further outputs on the backbone's inner layers,
        for training only: sigmoid of one unit for two classes, else softmax.
    smallest_size : int
        Pixels below which its maps vanish.
    """

    build: Build
    variants: dict[str, Variant]
    input_range: InputRange
    weights: tuple[str, ...] = ("imagenet", "random", "file")
    auxiliary: Auxiliary | None = None
    smallest_size: int = 32


def _one_size(build: "Callable[[int, str, str], keras.Model]") -> Build:
    """The builder of a network of one variant, as one that is told the variant."""
    return lambda image_size, weights, pooling, _: build(image_size, weights, pooling)


FROM_SCRATCH = ("random", "file")

NETWORKS = {
    "resnet50v2": Network(_one_size(resnet_v2.build_resnet50v2), {"50": Variant(224, 2048, 23_564_800)}, SYMMETRIC),
    "resnet50": Network(_one_size(resnet.build_resnet50), {"50": Variant(224, 2048, 23_587_712)}, CAFFE),
    "efficientnetv2": Network(
        efficientnet_v2.build_efficientnetv2,
        {
            "B0": Variant(224, 1280, 5_919_312),
            "B1": Variant(240, 1280, 6_931_124),
            "B2": Variant(260, 1408, 8_769_374),
            "B3": Variant(300, 1536, 12_930_622),
            "S": Variant(384, 1280, 20_331_360, InputRange(-1.0, 0.992, 1.992)),
        },
        STANDARDISED,
    ),
    "efficientnet": Network(
        efficientnet.build_efficientnet,
        {
            "B0": Variant(224, 1280, 4_049_564),
            "B4": Variant(380, 1792, 17_673_816),
            "B7": Variant(600, 2560, 64_097_680),
        },
        STANDARDISED,
    ),
    "efficientnetlite": Network(
        _one_size(efficientnet_lite.build_efficientnet_lite0),
        {"0": Variant(224, 1280, 3_413_024)},
        InputRange(-0.992, 1.0, 1.992),
    ),
    "vgg16": Network(_one_size(vgg.build_vgg16), {"16": Variant(224, 512, 14_714_688)}, CAFFE),
    "mobilenetv2": Network(
        _one_size(mobilenet_v2.build_mobilenetv2), {"1.0": Variant(224, 1280, 2_257_984)}, SYMMETRIC
    ),
    "mobilenetv3": Network(
        mobilenet_v3.build_mobilenetv3,
        {"large": Variant(224, 960, 2_996_352), "small": Variant(224, 576, 939_120)},
        SYMMETRIC,
    ),
    "alexnet": Network(
        _one_size(alexnet.build_alexnet),
        {"2014": Variant(224, 256, 2_469_696)},
        SYMMETRIC,
        FROM_SCRATCH,
        smallest_size=alexnet.SMALLEST_SIZE,
    ),
    "googlenet": Network(
        _one_size(googlenet.build_googlenet),
        {"2014": Variant(224, 1024, 5_973_552)},
        SYMMETRIC,
        FROM_SCRATCH,
        googlenet.auxiliary_outputs,
    ),
    "mresnet": Network(
        _one_size(mresnet.build_mresnet), {"8_blocks": Variant(224, 2048, 15_377_824)}, SYMMETRIC, FROM_SCRATCH
    ),
    "focal_cnn": Network(
        _one_size(focal_cnn.build_focal_cnn), {"plain": Variant(224, 256, 1_175_136)}, SYMMETRIC, FROM_SCRATCH
    ),
}


def find_network(name: str) -> Network:
    """Look a network up; an unknown name's error lists those there are."""
    if name not in NETWORKS:
        raise UserError(f"model: no network '{name}'; the zoo has {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name]


def find_variant(name: str, variant: str | None = None) -> tuple[str, Variant]:
    """Look a network's variant up, by default its first.

    Returns
    -------
    variant : str
        Its name.
    entry : Variant

    Raises
    ------
    UserError
        If the network or the variant is unknown; lists those there are.
    """
    variants = find_network(name).variants
    chosen = next(iter(variants)) if variant is None else variant
    if chosen not in variants:
        raise UserError(f"zoo.{name}.variant: no variant '{variant}' of {name}; there are {', '.join(variants)}")
    return chosen, variants[chosen]


def input_range(name: str, variant: str | None = None) -> InputRange:
    """What the first convolution of a network's variant sees of [0, 255]."""
    return find_variant(name, variant)[1].input_range or find_network(name).input_range


def build_backbone(
    name: str,
    image_size: int,
    weights: str,
    pooling: str,
    seed: int,
    variant: str | None = None,
    rescale: float = 1.0,
) -> "keras.Model":
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
    variant : str, optional
        One of the network's variants, by default its first.
    rescale : float
        Multiplies the pixels before the network's own preprocessing. Only published mistakes need
        another value than 1: 1/255 is the doubled rescale.

    Returns
    -------
    keras.Model
        A flat graph, from RGB float (n, image_size, image_size, 3) in [0, 255] to float32
        (n, features). Its layer "preprocess" does all preprocessing.

    Raises
    ------
    UserError
        If the name or variant is unknown, the images are too small for it, or the weights cannot be had.
    """
    import keras

    network = find_network(name)
    chosen, _ = find_variant(name, variant)
    if image_size < network.smallest_size:
        raise UserError(f"image_size: {name} takes images of {network.smallest_size} pixels or more, not {image_size}")
    if weights not in ("imagenet", "random"):
        check_weights_file(name, Path(weights))
    if weights == "imagenet" and weights not in network.weights:
        raise UserError(
            f"zoo.{name}.weights: there are no ImageNet weights of {name}; set it to random or to the path of a "
            "weights file"
        )
    keras.utils.set_random_seed(derive_seed(seed, "weights", name))
    backbone = network.build(image_size, weights, pooling, chosen)
    rescale_pixels(backbone, rescale)
    return backbone
