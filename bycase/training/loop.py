"""Epochs: train, score on validation, keep the best weights, stop early, write a checkpoint.

A row of the history has the keys ``phase``, ``epoch`` (from 1, through all phases), ``loss`` and
``accuracy`` (training, as the epoch went), those of `bycase.training.scores.score`, and ``learning_rate``
(at the epoch's end).
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bycase.core.errors import UserError
from bycase.training.batches import Batch
from bycase.training.checkpoint import Checkpoint, Progress
from bycase.training.collapse import CollapseGuard
from bycase.training.distribute import Strategy, train_step
from bycase.training.phases import PhasePlan, Schedule
from bycase.training.scores import monitor_score, score

if TYPE_CHECKING:
    import keras


class DivergenceError(UserError):
    """The loss is no longer finite."""


@dataclass(frozen=True)
class Phase:
    """One phase of a training.

    Attributes
    ----------
    plan : PhasePlan
        Its name, epochs and patience.
    model : keras.Model
        Compiled.
    schedule : Schedule
        The learning rate at each step.
    batches : callable
        ``batches(epoch)`` yields batches of the training images in an order that follows from the epoch alone; the
        next ones are made meanwhile.
    predict : callable
        Gives the validation images' probabilities, (n_validation_images, n_classes).
    strategy : Strategy
        In whose scope the model was compiled.
    """

    plan: PhasePlan
    model: "keras.Model"
    schedule: Schedule
    batches: Callable[[int], Iterator[Batch]]
    predict: Callable[[], NDArray[np.float64]]
    strategy: Strategy


@dataclass(frozen=True)
class EpochCallbacks:
    """What is done about an epoch besides training.

    Attributes
    ----------
    y_val : ndarray of shape (n_validation_images,)
        Classes as numbers.
    monitor : str
        See `bycase.training.scores.monitor_score`.
    guard : CollapseGuard
        Told of every epoch.
    stop_at_collapse : bool
        Raise at a collapse; otherwise warn once and go on.
    checkpoint : Checkpoint
        Written after every epoch.
    report : callable
        Gets each new row of the history.
    """

    y_val: NDArray[np.int64]
    monitor: str
    guard: CollapseGuard
    stop_at_collapse: bool
    checkpoint: Checkpoint
    report: Callable[[dict[str, Any]], None]


def run_phase(phase: Phase, progress: Progress, callbacks: EpochCallbacks) -> None:
    """Run a phase, or the rest of it; the model ends with its best weights.

    Parameters
    ----------
    phase : Phase
        What to run.
    progress : Progress
        Updated in place. If it is in the middle of this phase, the checkpoint's state is restored.
    callbacks : EpochCallbacks
        What is done about each epoch.

    Raises
    ------
    UserError
        At a collapse, or (`DivergenceError`) when the loss is no longer finite.
    """
    model, plan = phase.model, phase.plan
    if progress.phase == plan.name and progress.epoch:
        best = callbacks.checkpoint.restore(model)
    else:
        progress.begin(plan.name)
        best = model.get_weights()
    warned = False
    with tqdm(total=plan.epochs, initial=progress.epoch, desc=plan.name, disable=None, unit="epoch") as bar:
        while progress.epoch < plan.epochs and progress.epochs_since_best < plan.patience:
            started = time.perf_counter()
            loss, accuracy, rate = train_epoch(phase, progress)
            with averaged_weights(model):
                probabilities = phase.predict()
                row = {
                    "phase": plan.name,
                    "epoch": len(progress.history) + 1,
                    "loss": loss,
                    "accuracy": accuracy,
                    **score(callbacks.y_val, probabilities),
                    "learning_rate": float(f"{rate:.6g}"),
                }
                best = _keep_best(model, best, row, progress, callbacks.monitor)
            progress.reductions = phase.schedule.reductions(progress.epochs_since_best, progress.reductions)
            progress.epoch += 1
            progress.history.append(row)
            progress.seconds += time.perf_counter() - started
            callbacks.report(row)
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}", val_auc=f"{row['val_auc']:.3f}")
            collapse = callbacks.guard.observe(progress, loss, probabilities)
            if collapse and callbacks.stop_at_collapse:
                callbacks.checkpoint.remove()
                raise UserError(f"{collapse}. To train on all the same, set train.collapse_action to warn")
            if collapse and not warned:
                logging.warning("WARNING: %s", collapse)
                warned = True
            callbacks.checkpoint.save(model, best, progress)
    model.set_weights(best)


def _keep_best(
    model: "keras.Model", best: list[NDArray[Any]], row: dict[str, Any], progress: Progress, monitor: str
) -> list[NDArray[Any]]:
    """The better weights of the best so far and the present ones; `progress` is told."""
    reached = monitor_score(row, monitor)
    if reached <= progress.best_score:
        progress.epochs_since_best += 1
        return best
    progress.best_score, progress.best_epoch = reached, row["epoch"]
    progress.best_phase, progress.epochs_since_best = row["phase"], 0
    weights: list[NDArray[Any]] = model.get_weights()
    return weights


@contextmanager
def averaged_weights(model: "keras.Model") -> Iterator[None]:
    """Give the model its averaged weights for a while, if its optimiser keeps them (`train.ema`)."""
    import keras

    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    own = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    for variable in model.trainable_variables:
        # On JAX the two share memory now, which predicting gives away.
        variable.assign(keras.ops.convert_to_numpy(variable))
    yield
    for variable, value in zip(model.trainable_variables, own, strict=True):
        variable.assign(value)


def train_epoch(phase: Phase, progress: Progress) -> tuple[float, float, float]:
    """Train on every batch once: mean loss (nats) and accuracy, as the epoch went, and the last learning rate."""
    sums, images, rate = np.zeros(2), 0, phase.schedule.base
    steps = phase.schedule.steps
    batches = tqdm(phase.batches(progress.epoch), total=steps, desc="steps", leave=False, disable=None)
    for step, batch in enumerate(batches):
        rate = phase.schedule.rate(progress.epoch * steps + step, progress.reductions)
        phase.model.optimizer.learning_rate = rate
        # The means of this batch alone.
        logs = train_step(phase.model, phase.strategy, batch)
        sums += len(batch[1]) * np.array([logs.get("main_loss", logs["loss"]), logs["accuracy"]])
        images += len(batch[1])
    loss, accuracy = (sums / images).tolist()
    if not math.isfinite(loss):
        raise DivergenceError(
            f"training diverged: the loss is {loss} in epoch {progress.epoch + 1} of {phase.plan.name}; lower the "
            f"learning rate (it is {rate:g}), or set train.warmup_epochs or train.gradient_clip"
        )
    return loss, accuracy, rate
