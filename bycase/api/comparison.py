"""`bycase.compare`: several programs' predictions of the same images, tested against each other in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bycase.api.inputs import (
    RESAMPLES,
    SEEDS,
    Truth,
    check_count,
    check_number,
    check_order,
    make_units,
    read_classes,
    read_scores,
    read_truth,
    value_errors,
)
from bycase.api.results import Estimate, Result
from bycase.apps.judge.table import UNKNOWN_PATIENTS
from bycase.core.wording import capitalise, decimals, p_equals, plain_share
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.comparison.pairwise import compare_pairs
from bycase.statistics.comparison.verdict import REVERSED
from bycase.statistics.metric_names import metric_words
from bycase.statistics.units import HALF

LEVELS = ("image", "patient")
VERBS = {"better": "is better than", "equivalent": "is equivalent to", "not resolvable": "cannot be told from"}


@dataclass(frozen=True, repr=False)
class PairComparison(Result):
    """Two networks; all but the verdict as in ``comparisons.json``.

    Attributes
    ----------
    first, second : str
        Their names.
    verdict : {'better', 'worse', 'equivalent', 'not resolvable'}
        On the first.
    difference : Estimate
        The metric of the first minus that of the second.
    p : float
        Of no difference, adjusted over all pairs by Holm's procedure.
    p_unadjusted : float
        The same before.
    p_equivalence : float
        Of a difference of the margin or more, by two one-sided tests, adjusted likewise.
    patients_needed : mapping of str to int
        By whom a true ``difference`` of the margin would be found, and ``equivalence`` shown, with a power of 80 %.
    sentence : str
        The verdict with its numbers.
    """

    first: str
    second: str
    verdict: str
    difference: Estimate
    p: float
    p_unadjusted: float
    p_equivalence: float
    patients_needed: Mapping[str, int]
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def brief(self) -> str:
        """The verdict alone, the better one first."""
        one, other, verdict = self.first, self.second, self.verdict
        if verdict == "worse":
            one, other, verdict = other, one, REVERSED[verdict]
        return f"{one} {VERBS[verdict]} {other} ({p_equals(self.p_equivalence if verdict == 'equivalent' else self.p)})"


@dataclass(frozen=True, repr=False)
class Comparison(Result):
    """What `compare` returns.

    Attributes
    ----------
    pairs : tuple of PairComparison
        Every two networks, in the order in which they were given.
    values : mapping of str to float
        The metric of each network.
    groups : tuple of tuple of str
        The largest groups without a significant difference, best first; each network is in at least one.
    metric, level : str
        What is compared.
    margin, alpha : float
        The difference that matters; the error rate over all pairs together.
    size : str
        Images and patients, in words.
    notes : tuple of str
        How the numbers were made, and what they leave out.
    note : str
        What keeps the intervals from being what they should be; empty where nothing does.
    details : mapping
        All other metrics, McNemar's tests and the resolution, as in ``comparisons.json``.
    """

    pairs: tuple[PairComparison, ...]
    values: Mapping[str, float]
    groups: tuple[tuple[str, ...], ...]
    metric: str
    level: str
    margin: float
    alpha: float
    size: str
    notes: tuple[str, ...]
    note: str
    details: Mapping[str, Any]

    def __str__(self) -> str:
        said = f" {capitalise(self.note)}." if self.note else ""
        if len(self.pairs) == 1:
            return f"{self.pairs[0]}{said}"
        names = ", ".join(f"{name} {decimals(value)}" for name, value in self.values.items())
        return (
            f"{self.size}, {metric_words(self.metric)} by {self.level} ({names}), margin {plain_share(self.margin)}: "
            f"{'; '.join(pair.brief for pair in self.pairs)}.{said}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row a pair: ``first``, ``second``, ``verdict``, ``difference``, ``low``, ``high``, and the p-values."""
        rows = [
            (
                *(pair.first, pair.second, pair.verdict, pair.difference.value, pair.difference.low),
                *(pair.difference.high, pair.p, pair.p_unadjusted, pair.p_equivalence),
            )
            for pair in self.pairs
        ]
        tests = ("p", "p_unadjusted", "p_equivalence")
        return pd.DataFrame(rows, columns=["first", "second", "verdict", "difference", "low", "high", *tests])


def compare(
    y_true: Any,
    scores: Mapping[str, Any] | pd.DataFrame,
    patient: Any = None,
    *,
    metric: str = "auc",
    level: str = "image",
    margin: float = 0.03,
    alpha: float = 0.05,
    threshold: float | Mapping[str, float] = HALF,
    classes: Sequence[Any] | None = None,
    positive: Any = None,
    fold: Any = None,
    resamples: int = 10_000,
    seed: int = 7,
) -> Comparison:
    """Compare every two of several networks on the same images: difference, interval, adjusted p-value, verdict.

    Parameters
    ----------
    y_true, patient, classes, positive, fold, resamples, seed
        As of `bycase.intervals`.
    scores : mapping of str to array_like, or DataFrame
        Two networks or more: the probabilities of each, as `y_score` of `bycase.intervals`; or a frame with one column
        of the positive class's probabilities a network.
    metric : str
        What decides: ``auc``, ``average_precision``, ``accuracy``, ``balanced_accuracy``, ``sensitivity``,
        ``specificity``, ``macro_f1``, ``brier`` or ``log_loss``.
    level : {'image', 'patient'}
        What it is of.
    margin : float, in (0, 0.5)
        The difference that matters; to be set beforehand.
    alpha : float, in (0, 0.5)
        Error rate over all pairs together, of differences and of equivalences.
    threshold : float, or mapping of str to float, in [0, 1]
        From which on the positive class is predicted, at both levels; of all networks, or of each.

    Returns
    -------
    Comparison
        Prints as a sentence; `pairs` has every pair.

    Raises
    ------
    ValueError
        As of `bycase.intervals`; if there are less than two networks, or a setting is none of the above.

    Examples
    --------
    >>> import bycase
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> patient = np.repeat(np.arange(40), 5)
    >>> y_true = patient % 2
    >>> good, poor = (y_true * gap + random.normal(size=200) for gap in (2.5, 0.5))
    >>> scores = {"good": 1 / (1 + np.exp(-good)), "poor": 1 / (1 + np.exp(-poor))}
    >>> found = bycase.compare(y_true, scores, patient)
    >>> print(found)
    good is better than poor: image AUC .966 against .633, difference .332 (95 % CI .253 to .412), Holm-adjusted p
    < .001.
    >>> found.pairs[0].verdict, found.pairs[0].p < 0.05
    ('better', True)
    """
    truth = read_truth(y_true, patient, fold)
    if not isinstance(scores, Mapping | pd.DataFrame):
        raise ValueError("scores: give a mapping, or a frame, of each network's name to its scores")
    if len(list(scores)) < 2:
        raise ValueError(f"scores: two networks are needed to compare, but there are {len(list(scores))}")
    if level not in LEVELS:
        raise ValueError(f"level: '{level}' is none of {', '.join(LEVELS)}")
    if level == "patient" and not truth.known:
        raise ValueError("level: patients are unknown, so that nothing is compared by patient; say whose each image is")
    check_number(margin, "margin", 0, 0.5, ends=False)
    check_number(alpha, "alpha", 0, 0.5, ends=False)
    check_count(resamples, "resamples", *RESAMPLES)
    check_count(seed, "seed", *SEEDS)
    paired = _pair(truth, y_true, scores, threshold, classes, positive)
    try:
        with value_errors():
            content = compare_pairs(paired, metric, level, margin, alpha, resamples, seed, truth.clusters)
    except ValueError as error:
        raise ValueError(str(error).removeprefix("compare.")) from None
    return Comparison(
        pairs=tuple(_read_pair(pair) for pair in content["pairs"]),
        values=content["values"][level][metric],
        groups=tuple(tuple(group) for group in content["groups"]),
        metric=metric,
        level=level,
        margin=margin,
        alpha=alpha,
        size=truth.size,
        notes=tuple(content["notes"]),
        note="" if truth.known else UNKNOWN_PATIENTS,
        details={key: content[key] for key in ("values", "pairs", "resolution")},
    )


def _pair(
    truth: Truth, y_true: Any, scores: Any, threshold: Any, classes: Sequence[Any] | None, positive: Any
) -> Paired:
    """The networks side by side, at image level."""
    names = [str(name) for name in scores]
    thresholds = dict(zip(names, [threshold] * len(names), strict=True))
    if isinstance(threshold, Mapping):
        if lacking := [name for name in names if name not in threshold]:
            raise ValueError(f"threshold: none is given for {lacking[0]}")
        thresholds = {name: threshold[name] for name in names}
    units, first = [], None
    for key, name in zip(scores, names, strict=True):
        check_number(thresholds[name], "threshold", 0, 1)
        values = read_scores(scores[key], len(truth.labels), f"scores of {name}")
        check_order(y_true, scores[key], f"scores of {name}")
        matched = read_classes(truth, scores[key], classes, positive)
        first = first or matched
        if matched.names != first.names:
            raise ValueError(
                f"scores of {name}: the classes {', '.join(matched.names)} are not those of {names[0]}, "
                f"{', '.join(first.names)}"
            )
        units.append(make_units(truth, matched, values, thresholds[name]))
    one, limits = units[0], np.array([thresholds[name] for name in names], np.float64)
    return Paired(
        models=tuple(names),
        classes=one.classes,
        positive=one.positive,
        patients=np.unique(truth.patient),
        names=np.arange(len(one.truth)).astype(str),
        truth=one.truth,
        scores=np.stack([each.scores for each in units]),
        predicted=np.stack([each.predicted for each in units]),
        patient=one.patient,
        fold=np.zeros(len(one.truth), np.int64) if one.fold is None else one.fold,
        repeat=np.zeros(len(one.truth), np.int64),
        patient_threshold=np.tile(limits[:, None], (1, len(one.truth))),
    )


def _read_pair(pair: Mapping[str, Any]) -> PairComparison:
    return PairComparison(
        first=pair["first"],
        second=pair["second"],
        verdict=pair["verdict"],
        difference=Estimate(pair["difference"], pair["ci"]["low"], pair["ci"]["high"]),
        p=pair["p_holm"],
        p_unadjusted=pair["p"],
        p_equivalence=pair["p_equivalence_holm"],
        patients_needed=pair["patients_needed"],
        sentence=pair["sentence"],
    )
