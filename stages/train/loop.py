"""Epochs: train, score on validation, keep the best weights, stop early, write a checkpoint.

A row of the history has the keys ``phase``, ``epoch`` (from 1, through all phases), ``loss`` and
``accuracy`` (training, as the epoch went), ``val_loss``, ``val_accuracy``, ``val_auc`` and ``learning_rate``.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.common.errors import UserError
from stages.train.checkpoint import Checkpoint, Progress
from stages.train.collapse import CollapseGuard

if TYPE_CHECKING:
    import keras

Batch = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True)
class Phase:
    """One phase of a training.

    Attributes
    ----------
    name : str
        'head' or 'fine_tune'.
    model : keras.Model
        Compiled.
    batches : callable
        ``batches(epoch)`` yields inputs, classes (n,) and weights (n,) of the training images, in an
        order that follows from the epoch alone.
    predict : callable
        Gives the validation images' probabilities, (n_validation_images, n_classes).
    steps : int
        Batches an epoch.
    epochs, patience : int
        At most so many epochs, and so many without a better validation AUC.
    """

    name: str
    model: "keras.Model"
    batches: Callable[[int], Iterator[Batch]]
    predict: Callable[[], NDArray[np.float64]]
    steps: int
    epochs: int
    patience: int


def run_phase(
    phase: Phase,
    progress: Progress,
    y_val: NDArray[np.int64],
    guard: CollapseGuard,
    stop_at_collapse: bool,
    checkpoint: Checkpoint,
    report: Callable[[dict[str, Any]], None],
) -> None:
    """Run a phase, or the rest of it; the model ends with its best weights.

    Parameters
    ----------
    phase : Phase
        What to run.
    progress : Progress
        Updated in place. If it is in the middle of this phase, the checkpoint's state is restored.
    y_val : ndarray of shape (n_validation_images,)
        Classes as numbers.
    guard : CollapseGuard
        Told of every epoch.
    stop_at_collapse : bool
        Raise at a collapse; otherwise warn once and go on.
    checkpoint : Checkpoint
        Written after every epoch.
    report : callable
        Gets each new row of the history.

    Raises
    ------
    UserError
        At a collapse, or when the loss is no longer finite.
    """
    model = phase.model
    if progress.phase == phase.name and progress.epoch:
        best = checkpoint.restore(model)
    else:
        progress.phase, progress.epoch, progress.epochs_since_best = phase.name, 0, 0
        progress.one_class_epochs = progress.plateau_epochs = 0
        best = model.get_weights()
    warned = False
    with tqdm(total=phase.epochs, initial=progress.epoch, desc=phase.name, disable=None, unit="epoch") as bar:
        while progress.epoch < phase.epochs and progress.epochs_since_best < phase.patience:
            started = time.perf_counter()
            row, probabilities = _run_epoch(phase, progress, y_val)
            if row["val_auc"] > progress.best_score:
                best = model.get_weights()
                progress.best_score, progress.best_epoch = row["val_auc"], row["epoch"]
                progress.best_phase, progress.epochs_since_best = phase.name, 0
            else:
                progress.epochs_since_best += 1
            progress.epoch += 1
            progress.history.append(row)
            progress.seconds += time.perf_counter() - started
            report(row)
            bar.update()
            bar.set_postfix(loss=f"{row['loss']:.3f}", val_auc=f"{row['val_auc']:.3f}")
            collapse = guard.observe(progress, row["loss"], probabilities)
            if collapse and stop_at_collapse:
                checkpoint.remove()
                raise UserError(f"{collapse}. To train on all the same, set train.collapse_action to warn")
            if collapse and not warned:
                logging.warning("WARNING: %s", collapse)
                warned = True
            checkpoint.save(model, best, progress)
    model.set_weights(best)


def _run_epoch(
    phase: Phase, progress: Progress, y_val: NDArray[np.int64]
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Train for one epoch and score on validation; the history's row and the validation probabilities."""
    loss, accuracy = _train_epoch(phase, progress.epoch)
    if not math.isfinite(loss):
        raise UserError(
            f"training diverged: the loss is {loss} in epoch {progress.epoch + 1} of {phase.name}; "
            f"lower the learning rate (it is {float(phase.model.optimizer.learning_rate):g})"
        )
    probabilities = phase.predict()
    row = {
        "phase": phase.name,
        "epoch": len(progress.history) + 1,
        "loss": loss,
        "accuracy": accuracy,
        **score(y_val, probabilities),
        "learning_rate": float(f"{float(phase.model.optimizer.learning_rate):.6g}"),
    }
    return row, probabilities


def _train_epoch(phase: Phase, epoch: int) -> tuple[float, float]:
    """Train on every batch once; mean loss (nats) and accuracy over the images, as the epoch went."""
    sums, images = np.zeros(2), 0
    for x, y, weights in tqdm(phase.batches(epoch), total=phase.steps, desc="steps", leave=False, disable=None):
        # Keras gives the means of this batch alone.
        logs = phase.model.train_on_batch(x, y[:, None], sample_weight=weights, return_dict=True)
        sums += len(y) * np.array([float(logs["loss"]), float(logs["accuracy"])])
        images += len(y)
    loss, accuracy = (sums / images).tolist()
    return loss, accuracy


def score(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, float]:
    """Validation loss (nats), accuracy and AUC (macro, one class against the rest, beyond two classes).

    Parameters
    ----------
    y : ndarray of shape (n_images,)
        Classes as numbers; every class occurs.
    probabilities : ndarray of shape (n_images, n_classes)
        Rows sum to 1.
    """
    from sklearn.metrics import log_loss, roc_auc_score

    binary = probabilities.shape[1] == 2
    return {
        "val_loss": float(log_loss(y, probabilities, labels=np.arange(probabilities.shape[1]))),
        "val_accuracy": float((probabilities.argmax(axis=1) == y).mean()),
        "val_auc": float(roc_auc_score(y, probabilities[:, 1] if binary else probabilities, multi_class="ovr")),
    }
