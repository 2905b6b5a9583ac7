"""The settings of trials that do not learn from each other's weights: random ones, or those of Optuna's TPE.

Bergstra, Bardenet, Bengio and Kégl (2011), Algorithms for hyper-parameter optimization, NeurIPS 24.
"""

from collections import deque
from pathlib import Path
from typing import Any

import optuna
from ray.tune.search import Searcher

from bycase.core.params import Params
from bycase.core.seeding import derive_seed, generator
from bycase.studies.tune.journal import Journal
from bycase.studies.tune.params import HYPERPARAMETERS, Dimension, Run, Space
from bycase.studies.tune.space import Setting, choices, defaults, draw_setting, is_within, within
from bycase.studies.tune.trainable import LOWEST_SCORE, state_path


class Proposals(Searcher):
    """Proposes trials by number; trial 0 has the settings of `params.yaml`.

    With the same `seed`, and one trial at a time, the trials are the same. Those of an interrupted search are told to
    the sampler in the order in which they came, of the journal; those that were running go on.
    """

    def __init__(self, run: Run, params: Params, space: Space, seed: int, journal: Journal) -> None:
        super().__init__(metric="best_score", mode="max")
        self._run, self._space, self._seed, self._journal = run, space, seed, journal
        self._own = defaults(params, space.searched)
        self._lowest = LOWEST_SCORE.get(params.train.monitor, 0.0)
        self._study = make_study(derive_seed(seed, "sampler")) if run.algorithm == "bayesian" else None
        self._distributions = {key: distribution(key, dimension) for key, dimension in space.searched.items()}
        self._numbers: dict[str, int] = {}
        self._asked: dict[int, optuna.Trial] = {}
        self._next = run.first
        self._waiting: deque[dict[str, Any]] = deque()
        self._replay()

    @property
    def left(self) -> int:
        """How many trials are still to be proposed, those that were interrupted among them."""
        return len(self._waiting) + self._run.first + self._run.trials - self._next

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """The next trial's configuration."""
        if self._waiting:
            member = self._waiting.popleft()
        else:
            member = {"trial": self._next, "start": None, **self._propose(self._next)}
            self._journal.add("trial", trial=self._next, setting=_setting(member))
            self._next += 1
        self._numbers[trial_id] = member["trial"]
        return {"member": member}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Nothing: only whole trials count."""

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the sampler."""
        self._tell(self._numbers[trial_id], result["best_score"] if result and not error else None)

    def _propose(self, number: int) -> Setting:
        if number == 0:
            return self._own
        if self._study is None:
            return draw_setting(self._space, generator(self._seed, "trial", number))
        self._asked[number] = self._study.ask(self._distributions)
        return within(self._asked[number].params, self._space)

    def _tell(self, number: int, score: float | None) -> None:
        """Give the sampler a trial's score; None where its process was lost."""
        if self._study is None:
            return
        if number:
            state = optuna.trial.TrialState.FAIL if score is None else None
            self._study.tell(self._asked[number], score, state)
        elif score is not None and is_within(self._own, self._space):
            self._study.add_trial(
                optuna.trial.create_trial(params=self._own, distributions=self._distributions, value=score)
            )

    def _replay(self) -> None:
        """Bring the sampler to where an interrupted search was."""
        numbers, ended = set(self._run.numbers), self._journal.ended()
        last = self._journal.last_epochs()
        for event in self._journal.events:
            number = event.get("trial")
            if number not in numbers:
                continue
            if event["event"] == "trial":
                self._propose(number)
                self._next = number + 1
                if number not in ended:
                    start = resume_from(number, last.get(number))
                    self._waiting.append({"trial": number, "start": start, **event["setting"]})
            elif event["event"] == "end":
                best = self._journal.best(number)
                lost = event["status"] == "lost"
                self._tell(number, None if lost else best["score"] if best else self._lowest)

    def save(self, checkpoint_path: str) -> None:
        """Nothing, nor does `restore`: the journal has it."""

    restore = save


def make_study(seed: int) -> optuna.Study:
    """A study of Optuna's that proposes by the tree-structured Parzen estimator."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))


def distribution(key: str, dimension: Dimension) -> Any:
    """A dimension as Optuna takes it."""
    if dimension.choice:
        return optuna.distributions.CategoricalDistribution(choices(dimension))
    low, high = dimension.log or dimension.uniform or (0.0, 0.0)
    if HYPERPARAMETERS[key].whole:
        return optuna.distributions.IntDistribution(int(low), int(high), log=dimension.log is not None)
    return optuna.distributions.FloatDistribution(low, high, log=dimension.log is not None)


def resume_from(number: int, last: dict[str, Any] | None) -> dict[str, Any] | None:
    """Where an interrupted trial goes on."""
    if last is None:
        return None
    failed = last["status"] != "running"
    return {"state": None if failed else state_path(Path(), number, last["epoch"]).name, "row": last}


def _setting(member: dict[str, Any]) -> Setting:
    return {key: value for key, value in member.items() if key not in ("trial", "start")}
