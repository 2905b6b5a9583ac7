"""Networks by name, and what each expects of an image.

Every builder takes RGB in [0, 255] and does its own preprocessing in its layer "preprocess", so that the
pipeline cannot rescale twice or not at all: `keras.applications` rescales inside some networks and not
inside others.
"""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.core.params_training import family_of, is_imported
from bycase.core.seeding import derive_seed
from bycase.networks.stride import end_at_stride
from bycase.networks.weights import check_weights_file
from bycase.networks.zoo.alexnet import alexnet_layers
from bycase.networks.zoo.applications import APPLICATIONS
from bycase.networks.zoo.efficientnet_lite import EFFICIENTNET_LITE
from bycase.networks.zoo.focal_cnn import focal_cnn_layers
from bycase.networks.zoo.googlenet import auxiliary_outputs, googlenet_layers
from bycase.networks.zoo.hub import HUB
from bycase.networks.zoo.mresnet import mresnet_layers
from bycase.networks.zoo.network import Network, Variant
from bycase.networks.zoo.preprocessing import InputRange, rescale_pixels
from bycase.networks.zoo.scratch import own_network
from bycase.tables.imported import check_imported

if TYPE_CHECKING:
    import keras

NETWORKS = (
    APPLICATIONS
    | HUB
    | {
        "efficientnetlite": EFFICIENTNET_LITE,
        "alexnet": own_network("alexnet", alexnet_layers, {"2014": Variant(224, 256, 2_469_696)}, smallest_size=64),
        "googlenet": own_network(
            "googlenet", googlenet_layers, {"2014": Variant(224, 1024, 5_973_552)}, auxiliary=auxiliary_outputs
        ),
        "mresnet": own_network("mresnet", mresnet_layers, {"8_blocks": Variant(224, 2048, 15_377_824)}),
        "focal_cnn": own_network("focal_cnn", focal_cnn_layers, {"plain": Variant(224, 256, 1_175_136)}),
    }
)


def find_network(name: str) -> Network:
    """Look a network up by an entry's name; an unknown one's error lists those there are."""
    family = family_of(name)
    if is_imported(name):
        raise UserError(f"model {name} has features and no network that computes them; choose another model for this")
    if family not in NETWORKS:
        raise UserError(
            f"model: no network '{family}'; the zoo has {', '.join(sorted(NETWORKS))}, each also by more words after a "
            f"hyphen, such as {next(iter(NETWORKS))}-finetuned"
        )
    return NETWORKS[family]


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
        near = get_close_matches(chosen, variants, 1)
        raise UserError(
            f"zoo.{name}.variant: no variant '{variant}' of {name}{f', but {near[0]}' if near else ''}; there are "
            f"{', '.join(variants)}"
        )
    return chosen, variants[chosen]


def input_range(name: str, variant: str | None = None) -> InputRange:
    """What the first convolution of a network's variant sees of [0, 255]."""
    return (find_variant(name, variant)[1].preprocessing or find_network(name).preprocessing).input_range


def check_network(params: Params) -> None:
    """Refuse a variant, a source of weights or an image size that the chosen network does not have.

    Of imported features, refuse a file that holds none.

    Raises
    ------
    UserError
        Naming the key and what is possible.
    """
    if params.is_imported:
        _check_imported(params)
        return
    variant, _ = find_variant(params.model, params.network.variant)
    _check_source(params.model, params.weights, params.data.image_size, variant)
    if params.network.stride and find_network(params.model).auxiliary and params.network.mode == "end_to_end":
        raise UserError(
            f"zoo.{params.model}.stride: {params.model} trains outputs of its upper layers too; set it to null"
        )


def _check_imported(params: Params) -> None:
    """Refuse settings of model imported that would train layers below its features, and a file that is none."""
    network = params.network
    for key, value, needed in (
        ("mode", network.mode, "frozen"),
        ("stride", network.stride, None),
        ("unfreeze.layers", network.unfreeze.layers, 0),
    ):
        if value != needed:
            words = "null" if needed is None else needed
            raise UserError(
                f"zoo.{params.model}.{key}: features have no layers that could be trained; set it to {words}"
            )
    check_imported(Path(params.weights))


def _check_source(name: str, weights: str, image_size: int, variant: str) -> None:
    network = find_network(name)
    if weights == "imagenet" and weights not in network.weights:
        raise UserError(
            f"zoo.{name}.weights: there are no published ImageNet weights of {name}; set it to random or to the path "
            "of a weights file"
        )
    if image_size < network.smallest_size:
        raise UserError(
            f"datasets.<name>.image_size: {image_size} pixels are too few for {name}, whose maps vanish below "
            f"{network.smallest_size}"
        )
    if network.refuse_size:
        network.refuse_size(image_size, weights, variant)


def build_backbone(
    name: str,
    image_size: int,
    weights: str,
    pooling: str,
    seed: int,
    variant: str | None = None,
    rescale: float = 1.0,
    stride: int | None = None,
) -> "keras.Model":
    """Build a backbone; the same arguments give the same weights, random ones included.

    Parameters
    ----------
    name : str
        An entry's, so a key of `NETWORKS` or one with more words after a hyphen, which change nothing here.
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
    stride : int, optional
        Ends the network early, see `bycase.networks.stride.end_at_stride`.

    Returns
    -------
    keras.Model
        A flat graph, from RGB float (n, image_size, image_size, 3) in [0, 255] to float32
        (n, features). Its layer "preprocess" does all preprocessing.

    Raises
    ------
    UserError
        If the name or variant is unknown, the images are too small for it, the weights cannot be had, or no maps have
        the stride.
    """
    import keras

    chosen, _ = find_variant(name, variant)
    _check_source(name, weights, image_size, chosen)
    if weights not in ("imagenet", "random"):
        check_weights_file(name, Path(weights))
    keras.utils.set_random_seed(derive_seed(seed, "weights", family_of(name)))
    backbone = find_network(name).build(image_size, weights, pooling, chosen)
    rescale_pixels(backbone, rescale)
    return end_at_stride(backbone, stride, name) if stride else backbone


def build_chosen_backbone(params: Params) -> "keras.Model":
    """The backbone that `params.yaml` chooses, with its weights; see `build_backbone`."""
    network = params.network
    size, seed = params.data.image_size, params.seed
    return build_backbone(
        params.model, size, params.weights, network.pooling, seed, network.variant, network.rescale, network.stride
    )
