"""The head on cached features, then all layers: averaged weights, cosine, warm-up, batch norm trained, resumed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from bycase.core.params import Params, load_params
from bycase.core.rows import RowFile
from bycase.core.seeding import make_deterministic
from bycase.networks.forward import forward
from bycase.tables.features import Features
from bycase.training import run as training_run
from bycase.training.distribute import make_strategy
from bycase.training.prepare import TrainingContext, gather
from bycase.training.run import run_training
from bycase.training.subsets import Subset, make_targets

SIZE, N, N_TRAIN = 8, 72, 48
RANDOM = np.random.default_rng(0)
Y = np.arange(N) % 2
PIXELS = np.clip(RANDOM.normal(90 + 15 * Y[:, None, None, None], 40, (N, SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
CLASSES = ["benign", "malignant"]


class KilledError(Exception):
    pass


def settings(learning_rate: float, **train: Any) -> Params:
    params = load_params()
    entry = params.zoo["resnet50v2"].model_dump() | {
        "epochs": 3,
        "patience": 3,
        "learning_rate": 0.01,
        "batch_size": 16,
    }
    entry["unfreeze"] |= {
        "layers": "all",
        "epochs": 3,
        "learning_rate": learning_rate,
        "patience": 3,
        "lowest_rate": 0.1,
        "batch_norm": "trained",
    }
    shared = (
        params.train.model_dump() | {"class_weight": "none", "sampling": "patient", "collapse_action": "warn"} | train
    )
    content = params.model_dump() | {"model": "resnet50v2", "train": shared}
    content["zoo"] |= {"resnet50v2": entry}
    return Params.model_validate(content)


def make_backbone() -> keras.Model:
    make_deterministic(1)
    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 128, -1)(image)
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.Conv2D(6, 3, name="convolution")(x))
    backbone = keras.Model(image, keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x)))
    weights = backbone.get_layer("norm").get_weights()
    backbone.get_layer("norm").set_weights([*weights[:2], weights[2] + 0.1, weights[3] + 0.5])  # as pre-trained
    return backbone


def subset(rows: slice) -> Subset:
    y, images = Y[rows], pd.Series([f"{row}.png" for row in range(N)])[rows]
    return Subset(images, y, make_targets(y, 2), np.ones(len(y), np.float32), np.arange(len(y)) // 4)


def make_context(params: Params, folder: Path) -> TrainingContext:
    backbone = make_backbone()
    folder.mkdir(exist_ok=True)
    np.save(folder / "pixels.npy", PIXELS)
    np.save(folder / "features.npy", forward(backbone, PIXELS.astype(np.float32), N)[:, None])
    features = Features(
        [f"{row}.png" for row in range(N)], np.zeros((0, 1, 6), np.float32), {}, folder / "features.npy"
    )
    parts = subset(slice(N_TRAIN)), subset(slice(N_TRAIN, N))
    return gather(params, parts, 2, make_strategy("single"), backbone, features, lambda: RowFile(folder / "pixels.npy"))


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(training_run, "LIVE", tmp_path / "live")

    def run(params: Params, name: str, kill_at: int | None = None) -> Any:
        context = make_context(params, tmp_path / "data")
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(tmp_path)
            if kill_at is not None:
                patched.setattr(training_run, "after_each", lambda report, energy: stop_at(kill_at))
            return run_training(context, CLASSES, tmp_path / f"{name}.npz", "same"), context

    return run


def stop_at(epoch: int) -> Callable[[dict[str, Any]], None]:
    def report(row: dict[str, Any]) -> None:
        if row["epoch"] == epoch:
            raise KilledError

    return report


AVERAGED = {"ema": 0.9, "schedule": "cosine", "warmup_epochs": 1}


def test_all_layers_follow_the_head_and_an_interruption_changes_nothing(train: Callable[..., Any]) -> None:
    params = settings(0.01, **AVERAGED)
    whole, context = train(params, "whole")
    history = whole.progress.history
    assert [row["phase"] for row in history] == ["head"] * 3 + ["fine_tune"] * 3
    rates = [row["learning_rate"] for row in history]
    # Each phase warms up for an epoch and falls to nearly nothing by its end.
    assert max(rates[3:]) < 0.01
    assert rates[2] < rates[1]
    assert rates[5] < rates[4]
    with pytest.raises(KilledError):
        train(params, "killed", kill_at=5)
    resumed, again = train(params, "killed")
    assert resumed.progress.history == history
    for one, other in zip(context.network.get_weights(), again.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_validation_decides_between_the_head_and_what_fine_tuning_made_of_it(train: Callable[..., Any]) -> None:
    # A rate at which the backbone is ruined, and with it all that batch norm knew.
    training, context = train(settings(10.0, monitor="loss", **AVERAGED | {"warmup_epochs": 0}), "ruined")
    progress = training.progress
    assert progress.best_phase == "head"
    backbone = make_backbone()
    for name in ("convolution", "norm"):
        for kept, first in zip(
            context.network.get_layer(name).get_weights(), backbone.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(kept, first)
    better, _ = train(settings(0.03, monitor="loss", **AVERAGED), "better")
    losses = [row["val_loss"] for row in better.progress.history]
    assert better.progress.best_epoch == 1 + int(np.argmin(losses))
