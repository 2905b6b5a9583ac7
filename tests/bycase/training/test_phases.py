from typing import Any

from bycase.core.params import load_params
from bycase.core.params_training import ModelParams
from bycase.training.phases import plan_phases


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
    assert [phase.layers for phase in phases] == [33, 66, 100]
    assert [phase.epochs for phase in phases] == [2, 2, 4]
