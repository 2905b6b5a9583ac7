"""The state of a training on disk after every epoch, so that an interrupted one continues."""

import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.files import replace_file
from bycase.core.nested import pick
from bycase.core.params import Params

if TYPE_CHECKING:
    import keras


@dataclass
class Progress:
    """How far a training is.

    Attributes
    ----------
    phase : str
        See `bycase.training.phases`.
    epoch : int
        Epochs done in this phase.
    history : list of dict
        One row an epoch, all phases; see `bycase.training.loop`.
    best_score, best_epoch, best_phase : float, int, str
        The `monitor_score` of the best weights, their epoch (counted through all phases, from
        1) and phase.
    epochs_since_best : int
        In this phase.
    reductions : int
        Of the learning rate on a plateau, in this phase.
    one_class_epochs, plateau_epochs, diverging_epochs : int
        In a row, in this phase; see `bycase.training.collapse`.
    seconds : float
        Time spent training, interruptions not counted.
    """

    phase: str = ""
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best_score: float = float("-inf")
    best_epoch: int = 0
    best_phase: str = ""
    epochs_since_best: int = 0
    reductions: int = 0
    one_class_epochs: int = 0
    plateau_epochs: int = 0
    diverging_epochs: int = 0
    seconds: float = 0.0

    def begin(self, phase: str) -> None:
        """Set the counts of a phase back."""
        self.phase, self.epoch, self.epochs_since_best, self.reductions = phase, 0, 0, 0
        self.one_class_epochs = self.plateau_epochs = self.diverging_epochs = 0


class Checkpoint:
    """One file with a network's and its optimiser's variables, the best weights and the progress.

    Parameters
    ----------
    path : Path
        An ``.npz`` file.
    fingerprint : str
        Of everything that the training depends on; a file of another training is not used.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._fingerprint = fingerprint

    def save(self, model: "keras.Model", best: list[NDArray[Any]], progress: Progress) -> None:
        """Write the state after an epoch."""
        import keras

        arrays = {f"variable_{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(state_variables(model))}
        arrays |= {f"best_{i}": weight for i, weight in enumerate(best)}
        state = json.dumps({"fingerprint": self._fingerprint, **asdict(progress)})
        with replace_file(self._path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, state=np.array(state), **arrays)

    def read_progress(self) -> Progress | None:
        """Read how far the training was, or None where there is nothing to continue."""
        try:
            with np.load(self._path) as stored:
                state = json.loads(str(stored["state"]))
        except (FileNotFoundError, zipfile.BadZipFile, KeyError, ValueError):
            return None
        if state.pop("fingerprint") != self._fingerprint:
            return None
        return Progress(**state)

    def restore(self, model: "keras.Model") -> list[NDArray[Any]]:
        """Give a compiled model the stored state of the same phase; returns the best weights."""
        with np.load(self._path) as stored:
            for i, variable in enumerate(state_variables(model)):
                variable.assign(stored[f"variable_{i}"])
            return [stored[f"best_{i}"] for i in range(sum(name.startswith("best_") for name in stored.files))]

    def remove(self) -> None:
        """Delete the file, once the training's outputs are written."""
        self._path.unlink(missing_ok=True)


def training_settings(params: Params) -> dict[str, Any]:
    """All of `params.yaml` that a training depends on, by dotted key; what DVC tracks of the stage `train`."""
    data = (f"datasets.{params.dataset}.{key}" for key in ("source", "classes", "positive", "image_size", "weights"))
    keys = ["model", "dataset", "seed", "train", "augment", *data, f"zoo.{params.model}"]
    return pick(params.model_dump(mode="json"), keys)


def state_variables(model: "keras.Model") -> list[Any]:
    """Weights, the states of random generators, and the optimiser's variables, in a fixed order."""
    metrics = {id(variable) for variable in model.metrics_variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return [*own, *model.optimizer.variables]
