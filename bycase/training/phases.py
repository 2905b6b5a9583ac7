"""What a training consists of: the head, then the backbone from the top down; or all at once. And at what rate."""

import math
from dataclasses import dataclass
from fractions import Fraction

from bycase.core.params_training import ModelParams, TrainParams

HEAD = "head"
END_TO_END = "end_to_end"
FINE_TUNE = "fine_tune"
FROZEN = "frozen"


@dataclass(frozen=True)
class PhasePlan:
    """One phase of a training.

    Attributes
    ----------
    name : str
        'head', 'end_to_end', 'fine_tune', or 'fine_tune_1' and so on with gradual unfreezing.
    layers : int or 'all'
        How many of the backbone's layers fine-tuning trains in the end, counted from the top; 0 in the other two.
    learning_rate : float
        At the start, after any warm-up.
    epochs, patience : int
        At most so many epochs, and so many without a better score.
    part : Fraction
        Of `layers`, what this phase trains.
    """

    name: str
    layers: int | str
    learning_rate: float
    epochs: int
    patience: int
    part: Fraction = Fraction(1)


def plan_phases(settings: ModelParams) -> list[PhasePlan]:
    """The phases that a zoo entry asks for, in order.

    Gradual unfreezing (Howard and Ruder 2018, arXiv:1801.06146, section 3.3) divides the layers and the
    epochs of `unfreeze` equally among its steps, the last of which takes the epochs that remain.
    """
    if settings.mode == END_TO_END:
        return [PhasePlan(END_TO_END, 0, settings.learning_rate, settings.epochs, settings.patience)]
    phases = [PhasePlan(HEAD, 0, settings.learning_rate, settings.epochs, settings.patience)]
    top = settings.unfreeze
    if not top.layers:
        return phases
    share = top.epochs // top.steps
    for step in range(1, top.steps + 1):
        name = FINE_TUNE if top.steps == 1 else f"{FINE_TUNE}_{step}"
        epochs = share if step < top.steps else top.epochs - share * (top.steps - 1)
        part = Fraction(step, top.steps)
        phases.append(PhasePlan(name, top.layers, top.learning_rate, epochs, top.patience, part))
    return phases


def batch_norm_momentum(settings: ModelParams, params: TrainParams) -> float | None:
    """The momentum of batch norm's moving averages in fine-tuning, or None where batch norm stays frozen.

    With averaged weights (`train.ema`) the averages are at least as slow as those: weights of a hundred steps beside
    statistics of the last ten would not belong together.
    """
    return None if settings.unfreeze.batch_norm == FROZEN else max(params.batch_norm_momentum, params.ema)


@dataclass(frozen=True)
class Schedule:
    """The learning rate of one phase.

    Attributes
    ----------
    params : TrainParams
        ``schedule``, ``warmup_epochs``, ``plateau_factor`` and ``plateau_patience``.
    base : float
        The learning rate after warm-up.
    steps : int
        Batches an epoch.
    epochs : int
        Of the phase, at most.
    """

    params: TrainParams
    base: float
    steps: int
    epochs: int

    def rate(self, step: int, reductions: int) -> float:
        """The learning rate at `step` (from 0, of the phase) after `reductions` on a plateau.

        Warm-up rises linearly to `base`. Cosine falls from there to 0 at the phase's end (Loshchilov and
        Hutter 2017, SGDR, arXiv:1608.03983, without restarts).
        """
        warmup = min(self.params.warmup_epochs, self.epochs) * self.steps
        if step < warmup:
            return self.base * (step + 1) / (warmup + 1)
        if self.params.schedule == "cosine":
            done = (step - warmup) / max(self.epochs * self.steps - warmup, 1)
            return self.base * (1 + math.cos(math.pi * done)) / 2
        if self.params.schedule == "plateau":
            return self.base * self.params.plateau_factor**reductions
        return self.base

    def reductions(self, epochs_since_best: int, before: int) -> int:
        """How often the rate has been reduced, once `epochs_since_best` epochs brought nothing better."""
        on_plateau = epochs_since_best > 0 and epochs_since_best % self.params.plateau_patience == 0
        return before + 1 if self.params.schedule == "plateau" and on_plateau else before
