"""`models/`: the files of the trained network, what it is, and what its outputs mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bycase.core.params_training import FITTED_HEADS, family_of, is_imported
from bycase.tables.results import read_results

MODELS = Path("models")
NETWORK = MODELS / "model.keras"
MODEL_INFO = MODELS / "model.json"
HISTORY = MODELS / "history.csv"

# Networks whose published weights are not of ImageNet.
PRETRAINED_ON = {"dinov2": "LVD-142M"}


def read_model_info(path: Path = MODEL_INFO) -> dict[str, Any]:
    """Read the network's information: what it is, what its outputs mean, what it was trained on."""
    return read_results(path, "train")


def network_words(model_info: Mapping[str, Any]) -> str:
    """The network, where its weights come from, and a head that is fitted at once, as figures and tables give it."""
    head = f", {FITTED_HEADS[model_info['head']]} ({model_info['head_setting']})" if "head" in model_info else ""
    if is_imported(model_info["model"]):
        return f"imported features of {Path(model_info['weights']).name}{head}"
    return f"{model_info['model']}, {weights_words(model_info['model'], model_info['weights'])}{head}"


def weights_words(model: str, weights: str) -> str:
    """Where a network's weights come from: 'imagenet' stands for the published ones, whatever they were trained on."""
    published = f"{PRETRAINED_ON.get(family_of(model), 'ImageNet')} weights"
    return {"imagenet": published, "random": "random weights"}.get(weights, f"weights of {Path(weights).name}")


def order_classes(classes: list[str], positive: str | None) -> list[str]:
    """The order of a network's outputs: with two classes the positive one last, else as listed."""
    if positive is None or len(classes) != 2:
        return list(classes)
    return [*(label for label in classes if label != positive), positive]
