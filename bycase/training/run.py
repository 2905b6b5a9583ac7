"""All phases of a training, continued where an interruption has left it, and its curves as they come.

DVCLive writes the curves: `dvc plots show`, `dvc exp show` and the VS Code extension read them.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bycase.core.params_training import FITTED_HEADS
from bycase.training.checkpoint import Checkpoint, Progress
from bycase.training.collapse import CollapseGuard
from bycase.training.energy import after_each, energy_log
from bycase.training.loop import EpochCallbacks, run_phase
from bycase.training.losses import make_loss, prior_loss
from bycase.training.phases import plan_phases
from bycase.training.prepare import TrainingContext, prepare_phase
from bycase.training.sampling import expected_shares

LIVE = Path("metrics/train")


@dataclass(frozen=True)
class Training:
    """A finished training.

    Attributes
    ----------
    progress : Progress
        With the history of all epochs.
    prior_loss : float
        Training loss of the best constant prediction, in nats.
    energy : dict of str to float
        Joules; see `bycase.training.energy.EnergyLog.total`.
    """

    progress: Progress
    prior_loss: float
    energy: dict[str, float]

    def summary(self, monitor: str) -> str:
        """The best epoch in one line; of a head that is fitted at once the best setting."""
        progress, best = self.progress, self.progress.history[self.progress.best_epoch - 1]
        if progress.best_phase in FITTED_HEADS:
            return (
                f"{FITTED_HEADS[progress.best_phase]}: best validation {monitor} {best[f'val_{monitor}']:.3f} with "
                f"{best['setting']}, of {len(progress.history)} settings"
            )
        return (
            f"best validation {monitor} {best[f'val_{monitor}']:.3f} in epoch {progress.best_epoch} of "
            f"{len(progress.history)} ({progress.best_phase}); loss {best['loss']:.3f}, of a constant prediction "
            f"{self.prior_loss:.3f}"
        )


def run_training(context: TrainingContext, classes: list[str], path: Path, fingerprint: str) -> Training:
    """Run the phases that the zoo's entry asks for; the context's network ends with the best weights.

    Parameters
    ----------
    context : TrainingContext
        Of `bycase.training.prepare.gather`.
    classes : list of str
        In the order of the network's outputs.
    path : Path
        Of the checkpoint, which stays until the training is recorded.
    fingerprint : str
        Of all that the training depends on.
    """
    params, train = context.params.train, context.train
    shares = expected_shares(train.y, train.weights, len(classes), params.sampling)
    prior = prior_loss(make_loss(params, len(classes)), shares)
    checkpoint = Checkpoint(path, fingerprint)
    progress = checkpoint.read_progress() or Progress()
    plans = plan_phases(context.params.network)
    done = 0
    if progress.history:
        logging.info("continuing after epoch %d", len(progress.history))
        done = [plan.name for plan in plans].index(progress.phase)
    with live_log(progress.history) as report, energy_log(fingerprint, len(progress.history)) as energy:
        callbacks = EpochCallbacks(
            context.val.y,
            params.monitor,
            CollapseGuard(prior, classes, params.collapse_patience),
            params.collapse_action == "stop",
            checkpoint,
            after_each(report, energy),
        )
        for plan in plans[done:]:
            run_phase(prepare_phase(plan, context), progress, callbacks)
        return Training(progress, prior, energy.total())


@contextmanager
def live_log(history: list[dict[str, Any]], folder: Path = LIVE) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Give a function that logs a row of the history.

    The rows of an interrupted training, `history`, are logged first: DVC empties the folder before a stage.
    """
    from dvclive import Live

    # Without dvcyaml=False, DVCLive would rewrite dvc.yaml in the middle of the pipeline.
    with Live(str(folder), dvcyaml=False, save_dvc_exp=False, report=None) as live:

        def log(row: dict[str, Any]) -> None:
            for key in ("loss", "accuracy"):
                live.log_metric(f"train/{key}", row[key])
                live.log_metric(f"val/{key}", row[f"val_{key}"])
            live.log_metric("val/auc", row["val_auc"])
            live.next_step()

        for row in list(history):
            log(row)
        yield log
