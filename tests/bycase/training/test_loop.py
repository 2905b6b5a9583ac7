"""The epoch loop on a small problem: best weights, early stopping, resuming, divergence, collapse."""

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.params import load_params
from bycase.core.params_training import DropoutLayer, ModelParams, TrainParams
from bycase.core.rows import RowFile
from bycase.core.seeding import make_deterministic
from bycase.networks.forward import forward
from bycase.networks.head import build_head, feature_statistics
from bycase.networks.predict import predict_rows
from bycase.training.batches import feature_batches
from bycase.training.checkpoint import Checkpoint, Progress
from bycase.training.collapse import CollapseGuard
from bycase.training.compile import compile_network
from bycase.training.distribute import make_strategy
from bycase.training.loop import EpochCallbacks, Phase, averaged_weights, run_phase
from bycase.training.phases import PhasePlan, Schedule
from bycase.training.scores import monitor_score, score
from bycase.training.subsets import Subset, make_targets

RANDOM = np.random.default_rng(0)
Y = RANDOM.integers(0, 2, 120)
FEATURES = (RANDOM.normal(size=(120, 2, 8)) + Y[:, None, None] * 0.8).astype(np.float32)
ROWS = np.arange(80)
VAL_ROWS = np.arange(80, 120)


def settings(**changes: Any) -> ModelParams:
    return load_params().zoo["resnet50v2"].model_copy(update={"head": [DropoutLayer(dropout=0.3)], **changes})


def training(**changes: Any) -> TrainParams:
    return load_params().train.model_copy(update=changes)


def stored(array: np.ndarray, folder: Path) -> RowFile:
    np.save(folder / "features.npy", array)
    return RowFile(folder / "features.npy")


def make_part(y: np.ndarray, n_classes: int = 2) -> Subset:
    return Subset(
        pd.Series([""] * len(y)), y, make_targets(y, n_classes), np.ones(len(y), np.float32), np.arange(len(y)) % 30
    )


def make_phase(
    folder: Path,
    chosen: ModelParams,
    params: TrainParams | None = None,
    features: np.ndarray = FEATURES,
    y: np.ndarray = Y,
    n_classes: int = 2,
) -> Phase:
    params = params or training()
    make_deterministic(1)
    rows = stored(features, folder)
    head = build_head(features.shape[-1], list(chosen.head), n_classes, 3, feature_statistics(rows, ROWS))
    plan = PhasePlan("head", 0, chosen.learning_rate, chosen.epochs, chosen.patience)
    compile_network(head, chosen, params, plan, n_classes)
    return Phase(
        plan,
        head,
        Schedule(params, chosen.learning_rate, 3, chosen.epochs),
        partial(
            feature_batches, rows, ROWS, make_part(y[:80], n_classes), chosen.batch_size, 5, sampling=params.sampling
        ),
        lambda: predict_rows(partial(forward, head, batch_size=40), lambda at: rows.read(at)[:, 0], VAL_ROWS, 40),
        make_strategy("single"),
    )


def run(phase: Phase, path: Path, report: Any = lambda row: None, y: np.ndarray = Y, **options: Any) -> Progress:
    checkpoint = Checkpoint(path, "same")
    progress = checkpoint.read_progress() or Progress()
    guard = options.pop("guard", CollapseGuard(9.0, ["a", "b", "c"], 1000))
    callbacks = EpochCallbacks(
        y[80:], options.pop("monitor", "auc"), guard, options.pop("stop", True), checkpoint, report
    )
    run_phase(phase, progress, callbacks)
    return progress


def test_the_model_ends_with_its_best_weights(tmp_path: Path) -> None:
    phase = make_phase(tmp_path, settings(epochs=12, patience=12, learning_rate=0.05))
    progress = run(phase, tmp_path / "c.npz")
    assert progress.best_score == max(row["val_auc"] for row in progress.history)
    assert score(Y[80:], phase.predict())["val_auc"] == progress.best_score
    assert progress.best_score > 0.8


def test_stops_after_patience_epochs_without_a_better_auc(tmp_path: Path) -> None:
    progress = run(make_phase(tmp_path, settings(epochs=200, patience=4, learning_rate=0.05)), tmp_path / "c.npz")
    assert len(progress.history) == progress.best_epoch + 4 < 200


class KilledError(Exception):
    pass


def test_an_interrupted_training_ends_as_one_never_interrupted(tmp_path: Path) -> None:
    chosen = settings(epochs=8, patience=8, learning_rate=0.01)
    phase = make_phase(tmp_path, chosen)
    whole = run(phase, tmp_path / "whole.npz")

    def kill(row: dict[str, Any]) -> None:
        if row["epoch"] == 5:
            raise KilledError

    with pytest.raises(KilledError):
        run(make_phase(tmp_path, chosen), tmp_path / "killed.npz", kill)
    resumed_phase = make_phase(tmp_path, chosen)
    rows: list[int] = []
    resumed = run(resumed_phase, tmp_path / "killed.npz", lambda row: rows.append(row["epoch"]))
    assert rows == [5, 6, 7, 8]
    assert resumed.history == whole.history
    for resumed_weight, weight in zip(resumed_phase.model.get_weights(), phase.model.get_weights(), strict=True):
        np.testing.assert_array_equal(resumed_weight, weight)


def test_a_checkpoint_of_another_training_is_not_used(tmp_path: Path) -> None:
    run(make_phase(tmp_path, settings(epochs=2)), tmp_path / "c.npz")
    assert Checkpoint(tmp_path / "c.npz", "same").read_progress() is not None
    assert Checkpoint(tmp_path / "c.npz", "other").read_progress() is None


def test_a_damaged_checkpoint_is_not_used(tmp_path: Path) -> None:
    run(make_phase(tmp_path, settings(epochs=2)), tmp_path / "c.npz")
    content = (tmp_path / "c.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(content[: len(content) // 2])
    assert Checkpoint(tmp_path / "c.npz", "same").read_progress() is None


def test_a_loss_that_is_not_finite_stops_with_advice(tmp_path: Path) -> None:
    phase = make_phase(tmp_path, settings(epochs=3))
    weights = phase.model.get_weights()
    phase.model.set_weights([*weights[:-1], np.full_like(weights[-1], np.nan)])
    with pytest.raises(UserError, match="diverged.*lower the learning rate"):
        run(phase, tmp_path / "c.npz")


def test_collapse_stops_or_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 80 images and random views move the loss more than thousands would.
    monkeypatch.setattr("bycase.training.collapse.PLATEAU_TOLERANCE", 0.3)
    chosen = settings(epochs=6, patience=6, learning_rate=1e-9, head=[])
    loss = run(make_phase(tmp_path, chosen), tmp_path / "a.npz").history[-1]["loss"]
    guard = CollapseGuard(loss, ["a", "b"], 3)
    with pytest.raises(UserError, match=r"collapse: .* train.collapse_action to warn"):
        run(make_phase(tmp_path, chosen), tmp_path / "b.npz", guard=guard)
    assert not (tmp_path / "b.npz").exists()
    assert len(run(make_phase(tmp_path, chosen), tmp_path / "c.npz", guard=guard, stop=False).history) == 6
    assert caplog.text.count("collapse:") == 1


def batches_of(folder: Path, features: np.ndarray, epoch: int) -> list[np.ndarray]:
    return [x for x, _, _ in feature_batches(stored(features, folder), ROWS, make_part(Y[:80]), 32, 5, epoch)]


def test_batches_hold_every_image_once_in_an_order_of_the_epoch(tmp_path: Path) -> None:
    def images(epoch: int) -> list[float]:
        return [float(value) for x in batches_of(tmp_path, FEATURES[:, :1], epoch) for value in x[:, 0]]

    assert sorted(images(0)) == sorted(FEATURES[:80, 0, 0].tolist())
    assert images(0) == images(0)
    assert images(0) != images(1)


def test_batches_draw_from_all_views(tmp_path: Path) -> None:
    seen = {value for e in range(6) for x in batches_of(tmp_path, FEATURES, e) for value in x[:, 0].tolist()}
    assert len(seen) > 150


def test_training_reads_training_rows_only(tmp_path: Path) -> None:
    poisoned = FEATURES.copy()
    poisoned[80:] = np.nan
    for a, b in zip(batches_of(tmp_path, FEATURES, 0), batches_of(tmp_path, poisoned, 0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_score_agrees_with_a_hand_calculation() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    scored = score(np.array([0, 0, 1, 1]), probabilities)
    assert scored["val_auc"] == pytest.approx(0.75)
    assert scored["val_accuracy"] == pytest.approx(0.5)
    assert scored["val_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.3, 0.8]).mean())


def test_multi_class_trains_too(tmp_path: Path) -> None:
    y = np.arange(120) % 3
    features = (np.eye(3)[y][:, None, :] * 2 + RANDOM.normal(size=(120, 1, 3))).astype(np.float32)
    phase = make_phase(tmp_path, settings(epochs=10, learning_rate=0.05, head=[]), None, features, y, 3)
    assert run(phase, tmp_path / "c.npz", y=y).best_score > 0.85


@pytest.mark.parametrize(
    "changes",
    [
        {"ema": 0.9, "schedule": "cosine", "warmup_epochs": 2},
        {"loss": "focal", "label_smoothing": 0.1, "gradient_clip": 1.0},
        {"schedule": "plateau", "plateau_patience": 1, "monitor": "loss"},
        {"class_weight": "none", "sampling": "patient"},
    ],
)
def test_every_setting_is_resumed_exactly(tmp_path: Path, changes: dict[str, Any]) -> None:
    params, chosen = training(**changes), settings(epochs=6, patience=6, learning_rate=1.0, optimizer="sgd")
    whole_phase = make_phase(tmp_path, chosen, params)
    whole = run(whole_phase, tmp_path / "whole.npz", monitor=params.monitor)

    def kill(row: dict[str, Any]) -> None:
        if row["epoch"] == 4:
            raise KilledError

    with pytest.raises(KilledError):
        run(make_phase(tmp_path, chosen, params), tmp_path / "killed.npz", kill, monitor=params.monitor)
    phase = make_phase(tmp_path, chosen, params)
    resumed = run(phase, tmp_path / "killed.npz", monitor=params.monitor)
    assert resumed.history == whole.history
    assert len({row["learning_rate"] for row in whole.history}) > 1 or params.schedule == "constant"
    for resumed_weight, weight in zip(phase.model.get_weights(), whole_phase.model.get_weights(), strict=True):
        np.testing.assert_array_equal(resumed_weight, weight)


@pytest.mark.parametrize("monitor", ["auc", "accuracy", "balanced_accuracy", "f1", "loss"])
def test_the_monitored_score_decides(tmp_path: Path, monitor: str) -> None:
    progress = run(
        make_phase(tmp_path, settings(epochs=12, patience=12, learning_rate=0.3)), tmp_path / "c.npz", monitor=monitor
    )
    merits = [monitor_score(row, monitor) for row in progress.history]
    assert progress.best_epoch == 1 + int(np.argmax(merits))
    values = [row[f"val_{monitor}"] for row in progress.history]
    assert values[progress.best_epoch - 1] == (min(values) if monitor == "loss" else max(values))


def test_averaged_weights_are_validated_and_given_back(tmp_path: Path) -> None:
    phase = make_phase(tmp_path, settings(epochs=3, learning_rate=0.1), training(ema=0.5))
    model, averages = phase.model, []
    weights = np.asarray(model.trainable_variables[0])
    for step, (x, targets, weight) in enumerate(phase.batches(0)):
        model.train_on_batch(x, targets, sample_weight=weight)
        weights = np.asarray(model.trainable_variables[0])
        averages.append(weights if step == 0 else 0.5 * averages[-1] + 0.5 * weights)
    with averaged_weights(model):
        np.testing.assert_allclose(np.asarray(model.trainable_variables[0]), averages[-1], atol=1e-6)
    np.testing.assert_array_equal(np.asarray(model.trainable_variables[0]), weights)


def test_score_of_a_constant_prediction_names_its_share() -> None:
    scored = score(np.array([0, 0, 1]), np.tile([0.7, 0.3], (3, 1)))
    assert scored["val_top_share"] == 1
    assert scored["val_f1"] == 0
    assert scored["val_balanced_accuracy"] == 0.5


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_with_probabilities_in_full_precision(tmp_path: Path, precision: str) -> None:
    try:
        make_deterministic(1, precision)
        rows = stored(FEATURES, tmp_path)
        head = build_head(8, [], 2, 3, feature_statistics(rows, ROWS))
        chosen = settings(learning_rate=0.05)
        compile_network(head, chosen, training(ema=0.9), PhasePlan("head", 0, 0.05, 5, 5), 2)
        part = make_part(Y[:80])
        losses = []
        for epoch in range(8):
            for x, targets, weights in feature_batches(rows, ROWS, part, 32, 5, epoch):
                head.optimizer.learning_rate = 0.05
                losses.append(head.train_on_batch(x, targets, sample_weight=weights)[0])
        with averaged_weights(head):
            outputs = head.predict_on_batch(FEATURES[:, 0])
        assert outputs.dtype == np.float32
        assert losses[-1] < 0.75 * losses[0]
        assert head.get_layer("probability").compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")
