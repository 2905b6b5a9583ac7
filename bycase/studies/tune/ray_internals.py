"""All that tuning relies on of Ray beyond its documented interface; a test fails where Ray moves any of it.

Import this after `bycase.studies.tune.session` has set up the environment, since it imports Ray.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray.tune.schedulers import PopulationBasedTraining

CHECKED_VERSION = "2.60"


def local_options(address: str, folder: Path) -> dict[str, Any]:
    """Options of `ray.init` with which Ray listens to `address` alone and keeps its files in `folder`."""
    return {"_node_ip_address": address, "_temp_dir": str(folder)}


class SteerablePopulation(PopulationBasedTraining):
    """Ray's synchronous population-based training, whose choices a subclass seeds, records and changes.

    Parameters
    ----------
    last_exchange : int
        The epoch of the last exchange before an interruption; 0 at the start.
    interval : int
        Epochs between exchanges.
    options : Any
        Of Ray's class.
    """

    def __init__(self, last_exchange: int, interval: int, **options: Any) -> None:
        super().__init__(perturbation_interval=interval, log_config=False, synch=True, **options)
        self._last_exchange = last_exchange
        self._next_perturbation_sync = last_exchange + interval

    def begin_exchange(self, epoch: int) -> None:
        """All members have reached `epoch`, and exploits are about to be decided."""
        raise NotImplementedError

    def exploit_seed(self, member: dict[str, Any], epoch: int) -> int:
        """The seed of what is random when this member, of the exchange at `epoch`, exploits another."""
        raise NotImplementedError

    def adopt(self, member: dict[str, Any], donor: dict[str, Any], changed: dict[str, Any], epoch: int) -> Any:
        """The configuration of a member that goes on from its donor's state at `epoch`; `changed` is Ray's proposal."""
        raise NotImplementedError

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Take a member in, at the last exchange."""
        super().on_trial_add(tune_controller, trial)
        state = self._trial_state[trial]
        state.last_perturbation_time = state.last_train_time = self._last_exchange

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """As Ray does; where all that are left wait for a member that is lost, they go on."""
        chosen = super().choose_trial_to_run(tune_controller)
        live = tune_controller.get_live_trials()
        if chosen is None and live and all(trial.status == "PAUSED" for trial in live):
            self._next_perturbation_sync += self._perturbation_interval
            chosen = super().choose_trial_to_run(tune_controller)
        return chosen

    def _checkpoint_or_exploit(self, trial: Any, tune_controller: Any, upper: list[Any], lower: list[Any]) -> None:
        epoch = int(self._next_perturbation_sync)
        if epoch > self._last_exchange:
            self.begin_exchange(epoch)
            self._last_exchange = epoch
        with _seeded(self.exploit_seed(trial.config["member"], epoch)):
            super()._checkpoint_or_exploit(trial, tune_controller, upper, lower)

    def _get_new_config(self, trial: Any, trial_to_clone: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        config, operations = super()._get_new_config(trial, trial_to_clone)
        epoch = int(self._trial_state[trial_to_clone].last_train_time)
        member, donor = trial.config["member"], trial_to_clone.config["member"]
        return {"member": self.adopt(member, donor, config["member"], epoch)}, operations


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Ray draws from Python's global generator."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
