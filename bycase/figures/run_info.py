"""What figures and tables say of a run: network, data, split, size of the test part, and the metrics."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bycase.core.wording import metric_with_interval
from bycase.figures.style import data_words
from bycase.statistics.pooling import Pooling, pooling_of
from bycase.tables.models import network_words, read_model_info
from bycase.tables.results import METRICS, read_results
from bycase.tables.splits import read_protocol


@dataclass(frozen=True)
class RunInfo:
    """The three files that say what was done and what came out.

    Attributes
    ----------
    model_info : dict
        ``models/model.json``: the network and what it was trained on.
    protocol : dict
        ``data/splits.json``: how the parts were made.
    metrics : dict
        ``metrics/metrics.json``.
    """

    model_info: dict[str, Any]
    protocol: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def classes(self) -> list[str]:
        """All classes, in the order of the probability columns; of two, the positive one last."""
        classes: list[str] = self.model_info["classes"]
        return classes

    @property
    def positive(self) -> str | None:
        """Of two classes, the one that is looked for; None with more."""
        positive: str | None = self.model_info["positive"]
        return positive if len(self.classes) == 2 else None

    @property
    def negative(self) -> str:
        """Of two classes, the other one."""
        return next(name for name in self.classes if name != self.positive)

    def threshold(self, level: str) -> float | None:
        """The positive class's, of ``image`` or ``patient`` level; None with more than two classes."""
        threshold: float | None = self.metrics[level].get("threshold")
        return threshold

    @property
    def pooling(self) -> Pooling:
        """How patients are made of images."""
        return pooling_of(self.metrics)

    @property
    def patients_known(self) -> bool:
        """Whether anything names the images' patients."""
        return bool(self.protocol.get("patients_known", True))

    @property
    def levels(self) -> dict[str, dict[str, Any]]:
        """The metrics by image and, where they are known, by patient."""
        return {level: self.metrics[level] for level in ("image", "patient")[: 1 + self.patients_known]}

    @property
    def clusters(self) -> str:
        """What intervals are over: images, but for duplicates, where no patient is known."""
        return "patients" if self.patients_known else "images"

    @property
    def decided(self) -> str:
        """Where a curve's dots are: what decides the predicted classes."""
        return "at the thresholds, which never come from test"

    def decision(self, level: str) -> str:
        """How the predicted class of ``image`` or ``patient`` level is chosen: by a threshold, or the most probable."""
        if self.positive is None:
            return "the most probable class is predicted"
        return f"{self.positive} is predicted from p = {self.threshold(level):.3f} up (never chosen on test)"

    @property
    def network(self) -> str:
        """The network and where its weights come from."""
        return network_words(self.model_info)

    @property
    def data(self) -> str:
        """The data set; 'phantom' is said wherever the images are generated."""
        name = data_words(self.model_info["dataset"], self.model_info["phantom"])
        magnifications = self.protocol.get("magnifications") or []
        return f"{name} at {', '.join(f'{m}X' for m in magnifications)}" if magnifications else name

    @property
    def split(self) -> str:
        """The protocol, what the split keeps on one side, what is held out, and whether it leaks."""
        words = f"split by {self.protocol['group']}"
        if self.protocol["protocol"] == "official":
            words = f"official fold {self.protocol['fold']}, {words}"
        elif self.protocol["protocol"] == "kfold":
            words = f"fold {self.protocol['fold']} of {self.protocol['folds']}, {words}"
        elif self.protocol["protocol"] == "file":
            words = f"parts of {Path(self.protocol['file']).name}, {words}"
        elif self.protocol["protocol"].startswith("supplied"):
            of = f"fold {self.protocol['fold']} of {self.protocol['folds']}" if self.protocol["folds"] > 1 else "parts"
            words = f"{of} as the data set has them, {words}"
        held_out = self.protocol.get("held_out_magnification")
        if held_out:
            words = f"{words}, trained without {held_out}X and tested on it"
        leaked = self.protocol.get("cases_on_both_sides", 0)
        if leaked:
            words = f"{words}, LEAKS: {leaked} cases on both sides"
        elif self.protocol["protocol"] == "supplied_leaky":
            words = (
                f"{words}, leaks allowed: {self.protocol['duplicates_on_both_sides']} pairs of duplicates on both sides"
            )
        return words if self.patients_known else f"{words}, patients unknown"

    @property
    def size(self) -> str:
        """Images and, where they are known, patients of the test part."""
        image = self.metrics["image"]
        return f"{image['n']} test images" + (f" of {image['n_patients']} patients" if self.patients_known else "")

    @property
    def subtitle(self) -> list[str]:
        """Two lines for the head of a figure."""
        return [f"{self.network}; {self.data}", f"{self.split}; {self.size}"]

    def value(self, level: str, metric: str) -> str:
        """A metric on test with its 95 % interval, such as ``0.871 (95 % CI 0.784 to 0.936)``."""
        return metric_with_interval(self.metrics[level], metric, name="95 % CI")

    def short(self, level: str, metric: str) -> str:
        """The same without naming the interval, such as ``0.871 (0.784 to 0.936)``."""
        return metric_with_interval(self.metrics[level], metric)


def read_run_info() -> RunInfo:
    """Read the three files.

    Raises
    ------
    UserError
        If one is missing.
    """
    return RunInfo(read_model_info(), read_protocol(), read_results(METRICS, "evaluate"))
