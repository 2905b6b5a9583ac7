"""What a training leaves behind: the network, what it is, its history and its cost."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import replace_file, write_csv, write_json
from bycase.core.params import Params
from bycase.core.versions import RUNTIME, installed_versions
from bycase.training.checkpoint import Progress
from bycase.training.cost import count_flops
from bycase.training.labels import order_classes

if TYPE_CHECKING:
    import keras

MODELS = Path("models")
NETWORK = MODELS / "model.keras"
MODEL_INFO = MODELS / "model.json"
HISTORY = MODELS / "history.csv"
COST = MODELS / "cost.json"


def write_record(
    network: "keras.Model",
    progress: Progress,
    params: Params,
    prior_loss: float,
    embed_seconds: float,
    energy: Mapping[str, float],
) -> None:
    """Write the four files of ``models/``.

    Parameters
    ----------
    network : keras.Model
        With its best weights, not compiled.
    progress : Progress
        Of the finished training.
    params : Params
        What it was trained with.
    prior_loss : float
        Training loss of the best constant prediction, in nats.
    embed_seconds : float
        What the cached features cost; 0 where there were none.
    energy : mapping
        Of the training, in joules; see `bycase.training.cost.EnergyLog.total`.
    """
    with replace_file(NETWORK) as partial:
        network.save(partial)
    write_json(
        MODEL_INFO,
        {
            "model": params.model,
            "variant": params.network.variant,
            "weights": params.weights,
            "mode": params.network.mode,
            "dataset": params.dataset,
            "phantom": params.data.source == "phantom",
            "classes": order_classes(params.data.classes, params.data.positive),
            "positive": params.data.positive,
            "image_size": params.data.image_size,
            "seed": params.seed,
            "monitor": params.train.monitor,
            "prior_loss": round(prior_loss, 6),
            "best_epoch": progress.best_epoch,
            "best_phase": progress.best_phase,
            "versions": installed_versions(RUNTIME),
        },
    )
    write_csv(HISTORY, pd.DataFrame(progress.history))
    epochs = len(progress.history)
    write_json(
        COST,
        {
            "embed_seconds": round(embed_seconds, 2),
            "training_seconds": round(progress.seconds, 2),
            "epochs": epochs,
            "seconds_per_epoch": round(progress.seconds / epochs, 4),
            "parameters": network.count_params(),
            "trainable_parameters": int(sum(np.prod(v.shape) for v in network.trainable_variables)),
            **count_flops(network),
            "model_bytes": NETWORK.stat().st_size,
            **energy,
        },
    )


def read_model_info(path: Path = MODEL_INFO) -> dict[str, Any]:
    """Read the network's information: what it is, what its outputs mean, what it was trained on."""
    try:
        model_info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro train' first") from None
    return model_info


def network_words(model_info: Mapping[str, Any]) -> str:
    """The network and where its weights come from, as figures and tables give it."""
    weights = {"imagenet": "ImageNet weights", "random": "random weights"}.get(
        model_info["weights"], f"weights of {Path(model_info['weights']).name}"
    )
    return f"{model_info['model']}, {weights}"
