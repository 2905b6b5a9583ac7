from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bycase.figures.run_info import RunInfo
from bycase.figures.training_sanity import check_training, draw_sanity, write_sanity
from tests.fixtures.layout import check_layout, figure_words
from tests.fixtures.plot import fitted_history

TRUTH = pd.Series(["Benign"] * 45 + ["Malignant"] * 55)
LEARNED, CLASSES, GAP, RISE, OVERFITTING = range(5)


def sound(epochs: int = 10) -> pd.DataFrame:
    """A training that every check passes."""
    epoch = np.arange(1, epochs + 1)
    loss = 0.69 * 0.9**epoch
    return pd.DataFrame(
        {
            "phase": "head",
            "epoch": epoch,
            "loss": loss,
            "accuracy": 1 - loss / 2,
            "val_loss": loss + 0.05,
            "val_accuracy": 0.97 - loss / 2,
            "val_top_share": 0.62,
        }
    )


def failed(history: pd.DataFrame, run_info: RunInfo) -> list[int]:
    checks = check_training(history, run_info.model_info | {"best_epoch": len(history)}, TRUTH)
    assert len(checks) == 5
    return [number for number, check in enumerate(checks) if not check.passed]


def test_a_sound_training_passes_and_its_numbers_are_said(run_info: RunInfo) -> None:
    history = sound()
    assert failed(history, run_info) == []
    card = run_info.model_info | {"best_epoch": 10}
    checks = check_training(history, card, TRUTH)
    assert checks[LEARNED].words == "training loss 0.241 at its lowest, 0.693 of a constant prediction"
    assert "most predicted class: 62 % of validation images (largest true class: 55 %)" in checks[CLASSES].words
    assert checks[GAP].words.startswith("gap of 0.030 between training accuracy 0.880 and validation accuracy 0.850")
    assert "never rose by more than 0.000" in checks[RISE].words
    text = write_sanity(checks, replace(run_info, model_info=card))
    assert text.startswith("Sanity of the training: 5 of 5 checks passed\n")
    assert "phantom" in text
    assert "weights kept: epoch 10 (head), best validation AUC" in text
    assert text.count("passed: ") == 5
    assert failed(sound(1), run_info) == []


@pytest.mark.parametrize(("loss", "warned"), [(0.67, []), (0.68, [LEARNED]), (0.75, [LEARNED])])
def test_a_loss_at_that_of_a_constant_is_no_learning(run_info: RunInfo, loss: float, warned: list[int]) -> None:
    assert failed(sound().assign(loss=loss, val_loss=loss), run_info) == warned


@pytest.mark.parametrize(("share", "warned"), [(0.77, []), (0.78, [CLASSES]), (1.0, [CLASSES])])
def test_one_class_for_most_is_warned_of(run_info: RunInfo, share: float, warned: list[int]) -> None:
    history = sound().assign(val_top_share=share)
    assert failed(history, run_info) == warned
    words = check_training(history, run_info.model_info, TRUTH)[CLASSES].words
    assert ("one class for all in 10 of 10 epochs" in words) == (share == 1)


def test_the_gap_is_that_of_the_epoch_kept(run_info: RunInfo) -> None:
    history = sound()
    history.loc[4, "val_accuracy"] = history.loc[4, "accuracy"] - 0.2
    assert failed(history, run_info) == []
    assert not check_training(history, run_info.model_info | {"best_epoch": 5}, TRUTH)[GAP].passed
    better = history.assign(val_accuracy=history["accuracy"] + 0.3)
    assert check_training(better, run_info.model_info | {"best_epoch": 5}, TRUTH)[GAP].passed


def test_a_rise_counts_within_a_phase_only(run_info: RunInfo) -> None:
    history = sound()
    history.loc[6:, ["loss", "val_loss"]] += 0.2
    assert RISE in failed(history, run_info)
    assert "in epoch 7" in check_training(history, run_info.model_info, TRUTH)[RISE].words
    history.loc[6:, "phase"] = "fine_tune"
    assert RISE not in failed(history, run_info)


def test_overfitting_is_rising_validation_loss_under_falling_training_loss(run_info: RunInfo) -> None:
    history = sound()
    history.loc[5:, "val_loss"] = history.loc[4, "val_loss"] + [0.01, 0.02, 0.03, 0.04, 0.05]
    assert failed(history, run_info) == [OVERFITTING]
    words = check_training(history, run_info.model_info, TRUTH)[OVERFITTING].words
    fall = history.loc[4, "loss"] - history.loc[7:, "loss"].mean()
    assert words == f"overfitting: after epoch 5 validation loss +0.040, training loss -{fall:.3f}"
    history.loc[5:, "loss"] = history.loc[4, "loss"] + [0.01, 0.02, 0.03, 0.04, 0.05]
    assert failed(history, run_info) == []


@pytest.mark.parametrize("epochs", [1, 8])
def test_the_figure_says_the_verdicts_and_marks_the_constant(
    history: pd.DataFrame, run_info: RunInfo, epochs: int
) -> None:
    run_info = replace(run_info, model_info=run_info.model_info | {"best_epoch": 1})
    history = history[:epochs]
    checks = check_training(history, run_info.model_info, TRUTH)
    figure = draw_sanity(history, checks, TRUTH, run_info)
    check_layout(figure)
    said = figure_words(figure)
    assert all(check.words in said for check in checks)
    assert "phantom" in said
    loss, share, gap, rate = figure.axes
    assert 0.693 in [line.get_ydata()[0] for line in loss.lines]
    assert {1, 0.55} <= {line.get_ydata()[0] for line in share.lines}
    np.testing.assert_allclose(gap.lines[0].get_ydata(), history["accuracy"] - history["val_accuracy"])
    assert rate.get_yscale() == "log"


@pytest.mark.parametrize(("kept", "passed"), [(3, True), (1, False), (5, False)])
def test_of_a_fitted_head_the_edge_of_the_grid_is_warned_of(run_info: RunInfo, kept: int, passed: bool) -> None:
    history = fitted_history()
    info = run_info.model_info | {"best_epoch": kept, "best_phase": "logistic", "head_setting": f"C = {kept}"}
    checks = check_training(history, info, TRUTH)
    assert len(checks) == 4
    assert checks[3].passed == passed
    assert ("a better one may lie beyond it" in checks[3].words) != passed
    chosen = replace(run_info, model_info=info)
    assert f"weights kept: C = {kept} (logistic regression)" in write_sanity(checks, chosen)
    figure = draw_sanity(history, checks, TRUTH, chosen)
    assert "epoch" not in figure_words(figure)
    check_layout(figure)
    without_penalty = history.drop(columns="C").assign(k=[9, 5, 3, 2, 1], setting="k")
    assert check_training(without_penalty, info, TRUTH)[3].passed
