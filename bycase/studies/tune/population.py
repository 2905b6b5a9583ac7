"""Population-based training: members that do badly go on from the state of one that does well, with changed settings.

Jaderberg et al. (2017), Population based training of neural networks, arXiv:1711.09846. Ray's implementation, in
its synchronous mode: with any number of workers all members reach an exchange before anyone trains on.
"""

from pathlib import Path
from typing import Any

import numpy as np

from bycase.core.params import Params
from bycase.core.seeding import derive_seed, generator
from bycase.studies.tune.journal import Journal
from bycase.studies.tune.params import ARCHITECTURE, PopulationParams, Run, Space
from bycase.studies.tune.propose import resume_from
from bycase.studies.tune.ray_internals import SteerablePopulation
from bycase.studies.tune.space import Setting, choices, defaults, draw, draw_setting, within
from bycase.studies.tune.trainable import state_path


def begin_population(run: Run, params: Params, space: Space, seed: int, journal: Journal) -> list[Setting]:
    """The settings with which the members begin.

    Those of the best Bayesian trials, as many as there are members; without any, `params.yaml`'s own and others drawn
    at random. Weights begin anew: a Bayesian trial's are trained to the end of its epochs, and members that began
    from them would be ahead of a budget that all algorithms share.
    """
    before = [trial for trial in journal.ended() if trial < run.first and run.first > 1]
    scored = [(best["score"], -trial, best["setting"]) for trial in before if (best := journal.best(trial))]
    begun = [setting for _, _, setting in sorted(scored, key=lambda each: each[:2], reverse=True)][: run.trials]
    if not before:
        begun = [defaults(params, space.searched)]
    return [
        *begun,
        *(draw_setting(space, generator(seed, "member", number)) for number in range(len(begun), run.trials)),
    ]


def members(run: Run, settings: list[Setting], journal: Journal) -> list[dict[str, Any]]:
    """The configuration with which each member begins, or goes on after an interruption; those that ended are out."""
    latest: dict[int, dict[str, Any]] = {
        number: {"trial": number, "start": None, **setting}
        for number, setting in zip(run.numbers, settings, strict=True)
    }
    for event in journal.events:
        number = event.get("trial", -1)
        if number not in latest:
            continue
        if event["event"] == "epoch":
            latest[number] = {"trial": number, "start": resume_from(number, event), **event["setting"]}
        elif event["event"] == "exploit":
            state = state_path(Path(), event["donor"], event["epoch"]).name
            latest[number] = {"trial": number, "start": {"state": state, "row": None}, **event["setting"]}
    return [member for number, member in latest.items() if number not in journal.ended()]


class Population(SteerablePopulation):
    """Ray's scheduler with random choices of its own, and its decisions on record.

    Architectures stay as they are, since weights do not fit another. A member's number and epoch decide, with `seed`,
    whom it exploits and how its setting changes. The last exchange in `journal` is where an interrupted population
    goes on.
    """

    def __init__(self, population: PopulationParams, space: Space, seed: int, journal: Journal) -> None:
        self._space, self._seed, self._journal = space, seed, journal
        self._random = generator(seed, "exploit")
        mutations = {
            key: choices(dimension) if dimension.choice else self._drawing(key)
            for key, dimension in space.searched.items()
            if key not in ARCHITECTURE
        }
        super().__init__(
            last_exchange=max((event["epoch"] for event in journal.of("exchange")), default=0),
            interval=population.interval,
            time_attr="epoch",
            metric="monitor_score",
            mode="max",
            hyperparam_mutations={"member": mutations},
            quantile_fraction=population.quantile,
            resample_probability=population.resample_probability,
        )

    def _drawing(self, key: str) -> Any:
        return lambda: draw(key, self._space.searched[key], self._random)

    def begin_exchange(self, epoch: int) -> None:
        """Write it down."""
        self._journal.add("exchange", epoch=epoch)

    def exploit_seed(self, member: dict[str, Any], epoch: int) -> int:
        """Of the member's number and the epoch alone, so that an interrupted population goes on in the same way."""
        seed = derive_seed(self._seed, "exploit", member["trial"], epoch)
        self._random = np.random.default_rng(seed)
        return seed

    def adopt(self, member: dict[str, Any], donor: dict[str, Any], changed: dict[str, Any], epoch: int) -> Any:
        """Keep the setting within the space, and write the exploit down."""
        setting = within({key: changed[key] for key in self._space.searched}, self._space)
        self._journal.add("exploit", trial=member["trial"], donor=donor["trial"], epoch=epoch, setting=setting)
        return {"trial": member["trial"], "start": None, **setting}
