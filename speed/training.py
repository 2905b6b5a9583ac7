"""What the training benchmarks share: the project's images, and system A's settings."""

from typing import TYPE_CHECKING, Any

from bycase.core.params import Params, load_params
from bycase.networks.registry import build_backbone
from bycase.tables.manifest import read_manifest
from bycase.tables.models import order_classes
from bycase.tables.splits import read_splits
from bycase.training.subsets import Subset, take_subset

if TYPE_CHECKING:
    import keras

BATCH = 32
LEARNING_RATE = 0.0001


def settings(model: str, epochs: int, mode: str) -> Params:
    """The project's parameters with system A's training: Adam, no class weights, one dense layer, no early stop."""
    params = load_params()
    changes: dict[str, Any] = {
        "weights": "imagenet" if model == "efficientnetlite" else "random",
        "mode": mode,
        "standardise": False,
        "head": [],
        "optimizer": "adam",
        "learning_rate": LEARNING_RATE,
        "batch_size": BATCH,
        "epochs": epochs,
        "patience": epochs,
    }
    zoo = params.zoo | {model: params.zoo[model].model_copy(update=changes)}
    train = params.train.model_copy(update={"class_weight": "none"})
    return params.model_copy(update={"model": model, "zoo": zoo, "train": train})


def subsets_of(params: Params) -> tuple[Subset, Subset, list[str]]:
    """Training and validation images, and the classes in the order of the network's outputs."""
    manifest, splits = read_manifest(), read_splits()
    classes = order_classes(params.data.classes, params.data.positive)
    train, val = (take_subset(part, splits, manifest, classes, "none") for part in ("train", "val"))
    return train, val, classes


def backbone_of(params: Params) -> "keras.Model":
    """The chosen backbone at the images' size."""
    return build_backbone(params.model, params.data.image_size, params.weights, "avg", params.seed)
