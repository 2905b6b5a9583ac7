"""The epoch loop on a small problem: best weights, early stopping, resuming, divergence, collapse."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.common.errors import UserError
from stages.common.params import load_params
from stages.common.seeding import make_tensorflow_deterministic
from stages.common.training_params import DropoutLayer, ModelParams
from stages.train.batches import feature_batches
from stages.train.checkpoint import Checkpoint, Progress
from stages.train.collapse import CollapseGuard
from stages.train.loop import Phase, run_phase, score
from stages.train.network import build_head, class_probabilities, compile_network

RANDOM = np.random.default_rng(0)
Y = RANDOM.integers(0, 2, 120)
FEATURES = (RANDOM.normal(size=(120, 2, 8)) + Y[:, None, None] * 0.8).astype(np.float32)
ROWS = np.arange(80)
Y_VAL = Y[80:]
ONES = np.ones(80, np.float32)


def settings(**changes: Any) -> ModelParams:
    return load_params().zoo["resnet50v2"].model_copy(update={"head": [DropoutLayer(dropout=0.3)], **changes})


def make_phase(chosen: ModelParams, y: np.ndarray = Y[:80]) -> Phase:
    make_tensorflow_deterministic(1)
    head = build_head(FEATURES[ROWS, 0], list(chosen.head), 2, seed=3)
    compile_network(head, chosen, chosen.learning_rate, 2)
    return Phase(
        name="head",
        model=head,
        batches=partial(feature_batches, FEATURES, ROWS, y, ONES, chosen.batch_size, 5),
        predict=lambda: class_probabilities(head.predict_on_batch(FEATURES[80:, 0])),
        steps=3,
        epochs=chosen.epochs,
        patience=chosen.patience,
    )


def run(phase: Phase, path: Path, report: Any = lambda row: None, **options: Any) -> Progress:
    checkpoint = Checkpoint(path, "same")
    progress = checkpoint.read_progress() or Progress()
    guard = options.pop("guard", CollapseGuard(9.0, ["a", "b"], 1000))
    run_phase(phase, progress, Y_VAL, guard, options.pop("stop", True), checkpoint, report)
    return progress


def test_the_model_ends_with_its_best_weights(tmp_path: Path) -> None:
    phase = make_phase(settings(epochs=12, patience=12, learning_rate=0.05))
    progress = run(phase, tmp_path / "c.npz")
    assert progress.best_score == max(row["val_auc"] for row in progress.history)
    assert score(Y_VAL, phase.predict())["val_auc"] == progress.best_score
    assert progress.best_score > 0.8


def test_stops_after_patience_epochs_without_a_better_auc(tmp_path: Path) -> None:
    progress = run(make_phase(settings(epochs=200, patience=4, learning_rate=0.05)), tmp_path / "c.npz")
    assert len(progress.history) == progress.best_epoch + 4 < 200


class KilledError(Exception):
    pass


def test_an_interrupted_training_ends_as_one_never_interrupted(tmp_path: Path) -> None:
    chosen = settings(epochs=8, patience=8, learning_rate=0.01)
    phase = make_phase(chosen)
    whole = run(phase, tmp_path / "whole.npz")

    def kill(row: dict[str, Any]) -> None:
        if row["epoch"] == 5:
            raise KilledError

    with pytest.raises(KilledError):
        run(make_phase(chosen), tmp_path / "killed.npz", kill)
    resumed_phase = make_phase(chosen)
    rows: list[int] = []
    resumed = run(resumed_phase, tmp_path / "killed.npz", lambda row: rows.append(row["epoch"]))
    assert rows == [5, 6, 7, 8]
    assert resumed.history == whole.history
    for resumed_weight, weight in zip(resumed_phase.model.get_weights(), phase.model.get_weights(), strict=True):
        np.testing.assert_array_equal(resumed_weight, weight)


def test_a_checkpoint_of_another_training_is_not_used(tmp_path: Path) -> None:
    run(make_phase(settings(epochs=2)), tmp_path / "c.npz")
    assert Checkpoint(tmp_path / "c.npz", "same").read_progress() is not None
    assert Checkpoint(tmp_path / "c.npz", "other").read_progress() is None


def test_a_damaged_checkpoint_is_not_used(tmp_path: Path) -> None:
    run(make_phase(settings(epochs=2)), tmp_path / "c.npz")
    content = (tmp_path / "c.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(content[: len(content) // 2])
    assert Checkpoint(tmp_path / "c.npz", "same").read_progress() is None


def test_a_loss_that_is_not_finite_stops_with_advice(tmp_path: Path) -> None:
    phase = make_phase(settings(epochs=3))
    weights = phase.model.get_weights()
    phase.model.set_weights([*weights[:-1], np.full_like(weights[-1], np.nan)])
    with pytest.raises(UserError, match="diverged.*lower the learning rate"):
        run(phase, tmp_path / "c.npz")


def test_collapse_stops_or_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 80 images and random views move the loss more than thousands would.
    monkeypatch.setattr("stages.train.collapse.PLATEAU_TOLERANCE", 0.3)
    chosen = settings(epochs=6, patience=6, learning_rate=1e-9, head=[])
    loss = run(make_phase(chosen), tmp_path / "a.npz").history[-1]["loss"]
    guard = CollapseGuard(loss, ["a", "b"], 3)
    with pytest.raises(UserError, match=r"collapse: .* train.collapse_action to warn"):
        run(make_phase(chosen), tmp_path / "b.npz", guard=guard)
    assert not (tmp_path / "b.npz").exists()
    assert len(run(make_phase(chosen), tmp_path / "c.npz", guard=guard, stop=False).history) == 6
    assert caplog.text.count("collapse:") == 1


def test_batches_hold_every_image_once_in_an_order_of_the_epoch() -> None:
    def images(epoch: int) -> list[float]:
        batches = feature_batches(FEATURES[:, :1], ROWS, Y[:80], ONES, 32, 5, epoch)
        return [float(value) for x, _, _ in batches for value in x[:, 0]]

    assert sorted(images(0)) == sorted(FEATURES[:80, 0, 0].tolist())
    assert images(0) == images(0)
    assert images(0) != images(1)


def test_batches_draw_from_all_views() -> None:
    seen = {
        value
        for e in range(6)
        for x, _, _ in feature_batches(FEATURES, ROWS, Y[:80], ONES, 32, 5, e)
        for value in x[:, 0].tolist()
    }
    assert len(seen) > 150


def test_training_reads_training_rows_only(tmp_path: Path) -> None:
    poisoned = FEATURES.copy()
    poisoned[80:] = np.nan
    clean = [x for x, _, _ in feature_batches(FEATURES, ROWS, Y[:80], ONES, 32, 5, 0)]
    dirty = [x for x, _, _ in feature_batches(poisoned, ROWS, Y[:80], ONES, 32, 5, 0)]
    for a, b in zip(clean, dirty, strict=True):
        np.testing.assert_array_equal(a, b)


def test_score_agrees_with_a_hand_calculation() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    scored = score(np.array([0, 0, 1, 1]), probabilities)
    assert scored["val_auc"] == pytest.approx(0.75)
    assert scored["val_accuracy"] == pytest.approx(0.5)
    assert scored["val_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.3, 0.8]).mean())


def test_multi_class_trains_too(tmp_path: Path) -> None:
    make_tensorflow_deterministic(1)
    y = np.arange(90) % 3
    features = (np.eye(3)[y][:, None, :] * 2 + RANDOM.normal(size=(90, 1, 3))).astype(np.float32)
    chosen = settings(epochs=10, learning_rate=0.05)
    head = build_head(features[:60, 0], [], 3, seed=1)
    compile_network(head, chosen, 0.05, 3)
    phase = Phase(
        "head",
        head,
        partial(feature_batches, features, np.arange(60), y[:60], np.ones(60, np.float32), 16, 1),
        lambda: class_probabilities(head.predict_on_batch(features[60:, 0])),
        4,
        10,
        10,
    )
    progress = Progress()
    guard = CollapseGuard(9.0, ["a", "b", "c"], 99)
    run_phase(phase, progress, y[60:], guard, True, Checkpoint(tmp_path / "c.npz", "x"), lambda row: None)
    assert progress.best_score > 0.85
