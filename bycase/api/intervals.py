"""`bycase.intervals`: every metric of one program's predictions, with its 95 % interval, by image and by patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bycase.api.inputs import (
    RESAMPLES,
    SEEDS,
    check_count,
    check_number,
    check_order,
    make_units,
    read_classes,
    read_scores,
    read_truth,
    value_errors,
)
from bycase.api.results import Estimate, Result, estimates
from bycase.apps.judge.table import UNKNOWN_PATIENTS
from bycase.core.wording import plain_share
from bycase.statistics.assessment import assess_level
from bycase.statistics.metric_names import metric_words
from bycase.statistics.units import HALF, patient_units

SAID = ("auc", "accuracy")


@dataclass(frozen=True, repr=False)
class Level(Result):
    """The metrics of images, or of patients; ``level["auc"]`` is one of them.

    Attributes
    ----------
    n : int
        Images, or patients; who has images of several classes counts once a class.
    metrics : mapping of str to Estimate
        By the names of the manual's page of metrics.
    per_class : mapping of str to mapping of str to Estimate
        Of more than two classes, each against the rest; else empty.
    """

    n: int
    metrics: Mapping[str, Estimate]
    per_class: Mapping[str, Mapping[str, Estimate]]

    def __getitem__(self, metric: str) -> Estimate:
        return self.metrics[metric]

    def __str__(self) -> str:
        return ", ".join(f"{metric_words(name)} {estimate}" for name, estimate in self.metrics.items())


@dataclass(frozen=True, repr=False)
class Intervals(Result):
    """What `intervals` returns.

    Attributes
    ----------
    image : Level
        By image.
    patient : Level or None
        By patient, from the mean probability over a patient's images; None where patients are unknown.
    size : str
        Images and patients, in words.
    classes : tuple of str
        All classes.
    positive : str or None
        Of two classes, the one that is looked for.
    threshold : float or None
        Its own, from which on it is predicted; None with more classes, of which the most probable is.
    note : str
        What keeps the intervals from being what they should be; empty where nothing does.
    """

    image: Level
    patient: Level | None
    size: str
    classes: tuple[str, ...]
    positive: str | None
    threshold: float | None
    note: str = ""

    def __str__(self) -> str:
        levels = {"image": self.image} | ({"patient": self.patient} if self.patient else {})
        numbers = [
            f"{metric_words(name)} {' and '.join(f'{level[name]} by {key}' for key, level in levels.items())}"
            for name in SAID
        ]
        rule = f"the most probable of {len(self.classes)} classes predicted"
        if self.threshold is not None:
            rule = f"{self.positive} predicted from p = {plain_share(self.threshold)} up"
        return f"{self.size}: {'; '.join([*numbers, rule, *([self.note] if self.note else [])])}."

    def to_frame(self) -> pd.DataFrame:
        """A row a metric: ``level``, ``class`` (empty: of all), ``metric``, ``value``, ``low``, ``high``."""
        levels = {"image": self.image} | ({"patient": self.patient} if self.patient else {})
        rows = [
            (key, label, name, one.value, one.low, one.high)
            for key, level in levels.items()
            for label, metrics in {"": level.metrics, **level.per_class}.items()
            for name, one in metrics.items()
        ]
        return pd.DataFrame(rows, columns=["level", "class", "metric", "value", "low", "high"])


def intervals(
    y_true: Any,
    y_score: Any,
    patient: Any = None,
    *,
    threshold: float = HALF,
    classes: Sequence[Any] | None = None,
    positive: Any = None,
    fold: Any = None,
    resamples: int = 10_000,
    seed: int = 7,
) -> Intervals:
    """Every metric of predictions with its 95 % interval, clustered by patient, at image and at patient level.

    The same numbers as `bycase judge` gives of a file without a validation part; what they are is in the manual's pages
    of metrics and of intervals. All is read by position.

    Parameters
    ----------
    y_true : array_like of shape (n_images,)
        The true classes: texts, numbers or truth values. Each class needs an image.
    y_score : array_like of shape (n_images,) or (n_images, n_classes), float, in [0, 1]
        The probability of the positive class; or of every class, rows summing to 1.
    patient : array_like of shape (n_images,), optional
        Whose each image is; one may have images of several classes. None: unknown, images are treated as independent,
        and the result says so.
    threshold : float, in [0, 1]
        The positive class is predicted from it on, at both levels. Choose it on other data than these. Without use for
        more than two classes, of which the most probable is predicted.
    classes : sequence, optional
        The classes in the order of the columns of `y_score`, of two the positive one last; labels that are none of them
        are taken for their numbers from 0 up. By default a frame's columns, else the sorted labels.
    positive : optional
        Of two classes, the one that is looked for. By default the last of `classes`, 1 of 0 and 1, or the one with a
        telling name such as malignant.
    fold : array_like of shape (n_images,), optional
        Of cross-validation, whose network predicted each image: scores are ranked within folds only.
    resamples : int, from 100 to 1,000,000
        Of the bootstrap over patients, for metrics without a closed form.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Intervals
        Prints as a sentence; `to_dict` and `to_frame` give every number.

    Raises
    ------
    ValueError
        If the inputs do not fit together, or hold what cannot be scored; in one line.

    Examples
    --------
    Three images each of six patients:

    >>> import bycase
    >>> y_true = [0] * 9 + [1] * 9
    >>> y_score = [0.1, 0.2, 0.1, 0.3, 0.6, 0.2, 0.4, 0.3, 0.1, 0.8, 0.9, 0.7, 0.6, 0.4, 0.7, 0.9, 0.8, 0.9]
    >>> patient = [name for name in "ABCDEF" for _ in range(3)]
    >>> found = bycase.intervals(y_true, y_score, patient)
    >>> print(found)
    18 images of 6 patients: AUC .975 (95 % CI .381 to .999) by image and 1.000 (95 % CI .413 to 1.000) by
    patient; accuracy .889 (95 % CI .519 to .977) by image and 1.000 (95 % CI .541 to 1.000) by patient; 1
    predicted from p = .5 up.
    >>> round(found.image["sensitivity"].low, 3)
    0.042
    >>> found.to_dict()["patient"]["metrics"]["recognition_rate"].keys()
    dict_keys(['value', 'low', 'high'])

    Without patients the interval is too narrow, and the result says so:

    >>> print(bycase.intervals(y_true, y_score))
    18 images: AUC .975 (95 % CI .709 to .996) by image; accuracy .889 (95 % CI .653 to .986) by image; 1
    predicted from p = .5 up; patients unknown: intervals treat images as independent.
    """
    truth = read_truth(y_true, patient, fold)
    scores = read_scores(y_score, len(truth.labels))
    check_order(y_true, y_score, "y_score")
    check_number(threshold, "threshold", 0, 1)
    check_count(resamples, "resamples", *RESAMPLES)
    check_count(seed, "seed", *SEEDS)
    matched = read_classes(truth, y_score, classes, positive)
    images = make_units(truth, matched, scores, threshold)
    with value_errors():
        levels = {"image": assess_level(images, None, {}, None, resamples, seed)}
        if truth.known:
            levels["patient"] = assess_level(patient_units(images, threshold), None, {}, images, resamples, seed)
    told = {name: _level(level) for name, level in levels.items()}
    return Intervals(
        image=told["image"],
        patient=told.get("patient"),
        size=truth.size,
        classes=matched.names,
        positive=matched.positive,
        threshold=None if matched.positive is None else threshold,
        note="" if truth.known else UNKNOWN_PATIENTS,
    )


def _level(content: Mapping[str, Any]) -> Level:
    per_class = {
        label: estimates({**of_class, "ci": content["ci"]["per_class"][label]})
        for label, of_class in content.get("per_class", {}).items()
    }
    return Level(content["n"], estimates(content), per_class)
