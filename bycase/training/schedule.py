"""The learning rate at every step."""

import math
from dataclasses import dataclass

from bycase.core.params_training import TrainParams


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
