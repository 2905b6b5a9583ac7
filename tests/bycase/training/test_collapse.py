import numpy as np
import pytest

from bycase.training.checkpoint import Progress
from bycase.training.collapse import CollapseGuard

ENTROPY = 0.622
MIXED = np.array([[0.9, 0.1], [0.2, 0.8]])
ONE_CLASS = np.array([[0.4, 0.6], [0.2, 0.8]])


def observe(losses: list[float], probabilities: np.ndarray, patience: int = 3) -> list[str | None]:
    guard, progress = CollapseGuard(ENTROPY, ["Benign", "Malignant"], patience), Progress()
    return [guard.observe(progress, loss, probabilities) for loss in losses]


@pytest.mark.parametrize("loss", [0.61, 0.622, 0.64])
def test_system_a_published_losses_are_a_plateau(loss: float) -> None:
    verdicts = observe([loss] * 3, MIXED)
    assert verdicts[:2] == [None, None]
    assert "loss of a constant prediction (0.622)" in str(verdicts[2])


def test_learning_is_no_plateau() -> None:
    assert observe([0.70, 0.62, 0.62, 0.5, 0.62, 0.62, 0.4], MIXED) == [None] * 7


def test_one_class_for_patience_epochs_is_named() -> None:
    verdicts = observe([0.5, 0.4, 0.3], ONE_CLASS)
    assert verdicts[:2] == [None, None]
    assert "predicted Malignant for 3 epochs" in str(verdicts[2])


def test_a_loss_far_above_a_constants_is_divergence() -> None:
    verdicts = observe([2.0] * 3, MIXED)
    assert verdicts[:2] == [None, None]
    assert "more than 3 times" in str(verdicts[2])
    assert "learning rate too high" in str(verdicts[2])


def test_a_high_loss_is_not_called_a_plateau() -> None:
    assert observe([0.9] * 6, MIXED) == [None] * 6
