from typing import Any

import keras
import numpy as np
import pytest

from bycase.core.params import load_params
from bycase.training.phases import Schedule


def schedule(steps: int = 10, epochs: int = 5, **changes: Any) -> Schedule:
    return Schedule(load_params().train.model_copy(update=changes), 0.1, steps, epochs)


def test_constant() -> None:
    assert {schedule().rate(step, 0) for step in range(50)} == {0.1}


def test_cosine_is_that_of_keras() -> None:
    reference = keras.optimizers.schedules.CosineDecay(0.1, 50)
    ours = [schedule(schedule="cosine").rate(step, 0) for step in range(50)]
    np.testing.assert_allclose(ours, [float(reference(step)) for step in range(50)], rtol=1e-4, atol=1e-8)


def test_warm_up_rises_evenly_to_the_base_then_cosine_takes_over() -> None:
    chosen = schedule(schedule="cosine", warmup_epochs=1.5)
    rates = [chosen.rate(step, 0) for step in range(50)]
    assert np.allclose(np.diff(rates[:16]), 0.1 / 16)
    assert rates[15] == max(rates) == pytest.approx(0.1)
    assert rates[-1] < 0.001


def test_warm_up_longer_than_the_phase_stays_below_the_base() -> None:
    chosen = schedule(warmup_epochs=99)
    assert chosen.rate(49, 0) < 0.1


def test_plateau_multiplies_after_patience_epochs_without_a_better_score() -> None:
    chosen = schedule(schedule="plateau", plateau_factor=0.5, plateau_patience=2)
    reductions = 0
    rates = []
    for epochs_since_best in [0, 1, 2, 3, 4, 0, 1]:
        reductions = chosen.reductions(epochs_since_best, reductions)
        rates.append(chosen.rate(20, reductions))
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.025])


def test_other_schedules_are_never_reduced() -> None:
    assert schedule().reductions(50, 0) == 0
