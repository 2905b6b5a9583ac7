"""A cell of the benchmark: which network, which fold, where its files are, and the `params.yaml` it runs with."""

import math
import os
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bycase.core.params import Params
from bycase.core.seeding import derive_seed, generator
from bycase.studies.benchmark.params import BudgetParams
from bycase.tables.out_of_fold import BENCHMARK

WORK = BENCHMARK / "work"

NOT_FILES = ("by_dataset", "imagenet", "random")  # of `zoo.<model>.weights`


@dataclass(frozen=True)
class Cell:
    """One network, trained on all folds of a repeat but one.

    Attributes
    ----------
    model : str
        An entry of ``zoo``.
    repeat, fold : int
        From 0.
    held_out : int or None
        A magnification that it is not trained on, and alone tested on.
    patients : int or None
        So many of the fold's training patients are trained on; None: all.
    """

    model: str
    repeat: int
    fold: int
    held_out: int | None = None
    patients: int | None = None

    @property
    def place(self) -> Path:
        """The path of its folder, below ``data/benchmark`` and below the folder of unfinished work."""
        if self.patients is not None:
            return Path("patients") / self.model / f"n{self.patients}f{self.fold}"
        if self.held_out is None:
            return Path("cells") / self.model / f"r{self.repeat}f{self.fold}"
        return Path("shift") / self.model / f"m{self.held_out}f{self.fold}"

    def __str__(self) -> str:
        words = f"{self.model}, repeat {self.repeat}, fold {self.fold}"
        if self.patients is not None:
            return f"{words}, {self.patients} training patients"
        return words if self.held_out is None else f"{words}, without {self.held_out}X"


def features_place(model: str, repeat: int) -> Path:
    """The path below ``data/benchmark`` of the frozen features that all folds of a repeat share."""
    return Path("features") / model / f"r{repeat}"


def has_own_pixels(params: Params) -> bool:
    """Whether images differ from fold to fold, as they do where stains are fitted on training images."""
    return params.preprocess.stain != "none"


def training_seed(seed: int, repeat: int) -> int:
    """The seed of weights, views and batches: another in each repeat, the pipeline's own in the first."""
    return derive_seed(seed, "benchmark", repeat) if repeat else seed


def split_settings(params: Params, cell: Cell, folds: int) -> dict[str, Any]:
    """The project's settings with the cell's fold.

    Parameters
    ----------
    params : Params
        The project's.
    cell : Cell
        Whose network and fold are chosen.
    folds : int
        Number of folds of a repeat.
    """
    settings = params.model_dump(mode="json")
    settings["model"] = cell.model
    settings["split"] |= {
        "protocol": "kfold",
        "folds": folds,
        "fold": cell.fold,
        "repeat": cell.repeat,
        "held_out_magnification": cell.held_out,
    }
    if cell.patients is not None:
        settings["evaluate"]["resamples"] = 100  # the fewest: intervals are over all folds together
    return settings


def training_settings(settings: dict[str, Any], cell: Cell, budget: BudgetParams, trial: int) -> dict[str, Any]:
    """The settings of one trial: the budget, the repeat's seed, and the trial's rates.

    Parameters
    ----------
    settings : dict
        Of `split_settings`.
    cell : Cell
        Whose repeat decides the seed.
    budget : BudgetParams
        Epochs, and how far rates may be from the zoo's.
    trial : int
        From 0, which has the rates of the zoo's entry. Every network's trial of the same number has the same factors.
    """
    changed = deepcopy(settings)
    entry = changed["zoo"][cell.model]
    changed["seed"] = training_seed(settings["seed"], cell.repeat)
    entry["epochs"] = budget.epochs
    if trial:
        random = generator(settings["seed"], "trial", cell.repeat, cell.fold, trial)
        for key in ("learning_rate", "weight_decay"):
            reach = math.log(getattr(budget, key))
            entry[key] = float(f"{entry[key] * math.exp(random.uniform(-reach, reach)):.4g}")
    return changed


def relocate(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Let settings that are valid in the current folder name the same files from another `folder`."""
    moved = deepcopy(settings)
    for entry in moved["zoo"].values():
        if entry["weights"] not in NOT_FILES:
            entry["weights"] = os.path.relpath(entry["weights"], folder)
    return moved
