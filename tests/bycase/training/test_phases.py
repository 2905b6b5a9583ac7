from fractions import Fraction
from typing import Any

import keras
import numpy as np
import pytest

from bycase.core.params import load_params
from bycase.core.params_training import ModelParams
from bycase.training.phases import Schedule, batch_norm_momentum, plan_phases


def entry(**changes: Any) -> ModelParams:
    content = load_params().zoo["resnet50v2"].model_dump() | changes
    return ModelParams.model_validate(content)


def unfreeze(**changes: Any) -> dict[str, Any]:
    return load_params().zoo["resnet50v2"].unfreeze.model_dump() | changes


def test_the_head_alone() -> None:
    assert [phase.name for phase in plan_phases(entry())] == ["head"]


def test_end_to_end_is_one_phase_at_the_entrys_own_learning_rate() -> None:
    (phase,) = plan_phases(entry(mode="end_to_end"))
    assert (phase.name, phase.learning_rate, phase.epochs) == ("end_to_end", 0.0003, 60)


def test_fine_tuning_in_one_step() -> None:
    head, tuned = plan_phases(entry(unfreeze=unfreeze(layers=30, epochs=7)))
    assert (head.name, head.layers) == ("head", 0)
    assert (tuned.name, tuned.layers, tuned.epochs, tuned.learning_rate) == ("fine_tune", 30, 7, 0.00001)


def test_gradual_unfreezing_shares_layers_and_epochs() -> None:
    phases = plan_phases(entry(unfreeze=unfreeze(layers=100, epochs=8, steps=3)))[1:]
    assert [phase.name for phase in phases] == ["fine_tune_1", "fine_tune_2", "fine_tune_3"]
    assert [phase.layers for phase in phases] == [100, 100, 100]
    assert [phase.part for phase in phases] == [Fraction(1, 3), Fraction(2, 3), 1]
    assert [phase.epochs for phase in phases] == [2, 2, 4]


def test_all_layers_may_be_unfrozen_in_steps() -> None:
    phases = plan_phases(entry(unfreeze=unfreeze(layers="all", epochs=4, steps=2)))[1:]
    assert [(phase.layers, phase.part) for phase in phases] == [("all", Fraction(1, 2)), ("all", 1)]


def test_batch_norm_follows_no_faster_than_averaged_weights() -> None:
    trained, train = entry(unfreeze=unfreeze(batch_norm="trained")), load_params().train
    assert batch_norm_momentum(entry(), train) is None
    assert batch_norm_momentum(trained, train) == 0.9
    assert batch_norm_momentum(trained, train.model_copy(update={"ema": 0.99})) == 0.99


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
