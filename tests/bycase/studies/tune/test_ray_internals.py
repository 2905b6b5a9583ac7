"""What is relied on of Ray beyond its documented interface: it fails, naming what has moved, when Ray is upgraded."""

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ray
from ray._private import worker
from ray.tune.schedulers import PopulationBasedTraining, pbt

from bycase.studies.tune.ray_internals import CHECKED_VERSION, local_options

METHODS = {
    "on_trial_add": ["self", "tune_controller", "trial"],
    "choose_trial_to_run": ["self", "tune_controller"],
    "_checkpoint_or_exploit": ["self", "trial", "tune_controller", "upper_quantile", "lower_quantile"],
    "_get_new_config": ["self", "trial", "trial_to_clone"],
}
CALLED = {"on_trial_result": "self._checkpoint_or_exploit(", "_exploit": "self._get_new_config("}
ATTRIBUTES = ("_trial_state", "_next_perturbation_sync", "_perturbation_interval")
STATE = ("last_perturbation_time", "last_train_time")


def moved(scheduler: Any, state: Any) -> list[str]:
    """The names that are no longer what `bycase.studies.tune.ray_internals` takes them for."""
    one = scheduler(time_attr="t", metric="m", mode="max", hyperparam_mutations={"x": [1, 2]}, synch=True)
    wrong = [
        name
        for name, parameters in METHODS.items()
        if not hasattr(scheduler, name) or list(inspect.signature(getattr(scheduler, name)).parameters) != parameters
    ]
    wrong += [name for name, call in CALLED.items() if call not in inspect.getsource(getattr(scheduler, name))]
    wrong += [name for name in ATTRIBUTES if not hasattr(one, name)]
    return wrong + [name for name in STATE if not hasattr(state(SimpleNamespace(experiment_tag="")), name)]


def test_this_is_the_ray_that_was_checked() -> None:
    assert ray.__version__.startswith(f"{CHECKED_VERSION}."), (
        f"Ray is {ray.__version__}: run the slow tests of test_search.py, compare ray/tune/schedulers/pbt.py with "
        f"{CHECKED_VERSION}, then raise CHECKED_VERSION in ray_internals.py"
    )


def test_the_schedulers_private_names_are_where_they_were() -> None:
    assert moved(PopulationBasedTraining, pbt._PBTTrialState) == []


def test_a_moved_name_is_seen() -> None:
    class Renamed(PopulationBasedTraining):
        def _get_new_config(self, member: Any, donor: Any) -> Any:  # type: ignore[override]
            """Its parameters have other names."""

    class Emptied:
        last_train_time = 0

        def __init__(self, trial: Any) -> None:
            pass

    assert moved(Renamed, Emptied) == ["_get_new_config", "last_perturbation_time"]


def test_exploits_draw_from_pythons_global_generator() -> None:
    assert pbt.random is __import__("random")
    for function in (pbt._explore, PopulationBasedTraining._checkpoint_or_exploit):
        assert "random.choice(" in inspect.getsource(function)


def test_ray_still_takes_the_private_options_of_its_start() -> None:
    source = inspect.getsource(worker.init)
    for option in local_options("127.0.0.1", Path("folder")):
        assert f'kwargs.pop("{option}"' in source or f"{option}:" in source
