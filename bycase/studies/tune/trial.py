"""A trial: one setting trained as one network an inner fold, all of them side by side, epoch by epoch."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.files import replace_file
from bycase.core.params import Params
from bycase.core.rows import RowFile
from bycase.core.seeding import derive_seed
from bycase.networks.forward import forward
from bycase.networks.predict import predict_rows
from bycase.studies.tune.context import Inner, SearchData, SelectedRows, read_search_data, read_strength
from bycase.studies.tune.network import Arrays, FoldNetwork
from bycase.studies.tune.params import ARCHITECTURE
from bycase.studies.tune.space import OWN_STRENGTH, Setting, trial_params
from bycase.training.checkpoint import Progress
from bycase.training.loop import DivergenceError, averaged_weights, train_epoch
from bycase.training.phases import HEAD, plan_phases
from bycase.training.scores import monitor_score, score

OUTER_BATCH = 256
PIXELS = "pixels.npy"  # the pool's images, decoded; there where a setting of the space needs them
PROGRESS = ("best_epoch", "epochs_since_best", "reductions")


@dataclass(frozen=True)
class Task:
    """What all trials of a run share.

    Attributes
    ----------
    project, folder : Path
        The project's top folder, and that of the trials' states and best predictions on storage that all nodes share;
        absolute.
    params : Params
        The project's `params.yaml`.
    outer : str
        Which search.
    seed : int
        Of first weights and the order of batches.
    epochs : int
        Of a trial.
    kept : int
        States of a trial that are kept.
    waits : bool
        A diverged trial goes on, without training, until another one's state takes its place.
    """

    project: Path
    params: Params
    outer: str
    seed: int
    epochs: int
    folder: Path
    kept: int
    waits: bool


class Trial:
    """Trains settings, one after the other; the search's `data` are read from the current folder where left out."""

    def __init__(self, task: Task, data: SearchData | None = None) -> None:
        self._task = task
        self._data = data or read_search_data(task.params, task.outer)
        self._networks = [
            FoldNetwork(inner, derive_seed(task.seed, "tuning", fold), partial(self._inner_pixels, inner))
            for fold, inner in enumerate(self._data.inner)
        ]
        self.setting: Setting = {}
        self.epoch = 0
        self._inner: list[NDArray[np.float64]] = []

    def begin(self, setting: Setting) -> None:
        """Take up a setting with first weights."""
        params = trial_params(setting, self._task.params, self._task.epochs)
        strength = setting.get("augmentation", OWN_STRENGTH)
        self._features = read_strength(params, strength)
        self.setting, self.params, self.epoch = dict(setting), params, 0
        self._plans = plan_phases(params.network)
        self._entered: int | None = None
        self._progress = Progress()
        self._best: list[Arrays] = []
        for network in self._networks:
            network.begin(params, self._features)

    def train(self) -> dict[str, float]:
        """Train all networks one epoch; the means of monitor_score, training loss and validation loss.

        Raises
        ------
        DivergenceError
            If a loss or a prediction is no longer finite.
        """
        number, first = self._place(self.epoch)
        if number != self._entered:
            if self._best:
                # As in an ordinary training: a later phase begins from the best of the earlier ones.
                for network, weights in zip(self._networks, self._best, strict=True):
                    network.set_weights(weights)
            self._enter(number)
        self._progress.epoch = self.epoch - first
        self._inner = []
        rows = [self._train_network(network) for network in self._networks]
        self.epoch += 1
        row = {key: float(np.mean([each[key] for each in rows])) for key in ("score", "loss", "val_loss")}
        self._keep_best(row["score"])
        return row

    def _train_network(self, network: FoldNetwork) -> dict[str, float]:
        phase = network.phase
        loss, _, _ = train_epoch(phase, self._progress)
        with averaged_weights(phase.model):
            probabilities = phase.predict()
        if not np.isfinite(probabilities).all():
            raise DivergenceError(f"training diverged: the network predicts NaN after epoch {self.epoch + 1}")
        self._inner.append(probabilities)
        scores = score(network.inner.val.y, probabilities)
        return {
            "score": monitor_score(scores, self._task.params.train.monitor),
            "loss": loss,
            "val_loss": scores["val_loss"],
        }

    def _keep_best(self, reached: float) -> None:
        progress = self._progress
        if reached > progress.best_score:
            progress.best_score, progress.best_epoch, progress.epochs_since_best = reached, self.epoch, 0
            if len(self._plans) > 1:
                self._best = [_averaged(network) for network in self._networks]
        else:
            progress.epochs_since_best += 1
        phase = self._networks[0].phase
        progress.reductions = phase.schedule.reductions(progress.epochs_since_best, progress.reductions)

    def predicted_inner(self) -> NDArray[np.float64]:
        """The class probabilities of the last epoch that was trained, (n_images, n_classes), by which it was scored.

        Inner fold by inner fold, each predicted by the network that has not seen it.
        """
        return np.concatenate(self._inner)

    def predict_outer(self) -> NDArray[np.float64]:
        """The outer fold's class probabilities, (n_images, n_classes), averaged over the networks as they are."""
        images = self._data.outer_images
        return np.mean([self._predict(network, images) for network in self._networks], axis=0)

    def _predict(self, network: FoldNetwork, images: "pd.Series[str]") -> NDArray[np.float64]:
        phase = network.phase
        rows = np.arange(len(images))
        if phase.plan.name == HEAD:
            assert self._features is not None
            features, batch_size = SelectedRows(self._features.path, self._features.rows(images)), OUTER_BATCH
            read = lambda chosen: features.read(chosen)[:, 0]  # noqa: E731
        else:
            read, batch_size = self._pixels(images).read, self.params.network.batch_size
        batch_size = min(batch_size, len(rows))
        with averaged_weights(phase.model):
            return predict_rows(
                partial(forward, network.predictor(), batch_size=batch_size), read, rows, batch_size, "outer fold"
            )

    def save(self, path: Path, about: dict[str, Any]) -> None:
        """Write the state after an epoch, with what else is to be known of it."""
        progress = self._progress
        best = progress.best_score if np.isfinite(progress.best_score) else None
        state = {**about, "setting": self.setting, "epoch": self.epoch, "entered": self._entered, "best_score": best}
        state |= {key: getattr(progress, key) for key in PROGRESS}
        arrays: dict[str, NDArray[Any]] = {}
        if self._entered is not None:
            for fold, network in enumerate(self._networks):
                arrays |= {f"state_{fold}_{i}": array for i, array in enumerate(network.state())}
        for fold, weights in enumerate(self._best):
            arrays |= {f"best_{fold}_{i}": array for i, array in enumerate(weights)}
        with replace_file(path) as partial_path, partial_path.open("wb") as file:
            np.savez(file, allow_pickle=False, about=np.array(json.dumps(state)), **arrays)

    def load(self, path: Path, setting: Setting) -> dict[str, Any]:
        """Take up a state that `save` wrote, also another trial's, and give what was stored with it.

        Training goes on with `setting`, but for the architecture, which is that of the stored weights.
        """
        with np.load(path) as stored:
            state: dict[str, Any] = json.loads(str(stored["about"]))
            architecture = {key: state["setting"][key] for key in ARCHITECTURE if key in state["setting"]}
            self.begin(setting | architecture)
            self.epoch = state["epoch"]
            if state["entered"] is not None:
                self._enter(state["entered"])
                for fold, network in enumerate(self._networks):
                    network.restore(_numbered(stored, f"state_{fold}_"))
            if "best_0_0" in stored:
                self._best = [_numbered(stored, f"best_{fold}_") for fold in range(len(self._networks))]
        progress = self._progress
        progress.best_score = float("-inf") if state["best_score"] is None else state["best_score"]
        for key in PROGRESS:
            setattr(progress, key, state[key])
        return state

    def _enter(self, number: int) -> None:
        for network in self._networks:
            network.enter(self._plans[number])
        self._entered = number
        progress = self._progress
        progress.epochs_since_best = progress.reductions = 0

    def _place(self, epoch: int) -> tuple[int, int]:
        """The phase in which an epoch (from 0) falls, and that phase's first epoch."""
        first = 0
        for number, plan in enumerate(self._plans):
            if epoch < first + plan.epochs:
                return number, first
            first += plan.epochs
        return len(self._plans) - 1, first - self._plans[-1].epochs

    def _inner_pixels(self, inner: Inner) -> RowFile:
        return self._pixels(pd.concat([inner.train.images, inner.val.images]))

    def _pixels(self, images: "pd.Series[str]") -> SelectedRows:
        return SelectedRows(
            self._task.folder / PIXELS, pd.Index(self._data.pool["image"]).get_indexer(pd.Index(images))
        )


def _averaged(network: FoldNetwork) -> Arrays:
    with averaged_weights(network.phase.model):
        return network.weights()


def _numbered(stored: Any, prefix: str) -> Arrays:
    count = sum(name.startswith(prefix) for name in stored.files)
    return [stored[f"{prefix}{i}"] for i in range(count)]
