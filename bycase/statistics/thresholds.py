"""Probabilities from which a unit is predicted positive, chosen on validation only, and what they give on test.

One decides; four others are operating points: sensitivity at 90 and 95 % specificity, and the reverse.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bycase.core.params_training import EvaluateParams
from bycase.statistics.influence import rate_members
from bycase.statistics.intervals import rate_interval
from bycase.statistics.units import Bools, Floats, Integers, Units

RATES = ("sensitivity", "specificity")


def choose_threshold(validation: Units, settings: EvaluateParams) -> float | None:
    """The threshold that `settings` asks for, from validation units; None without a positive class."""
    if validation.positive is None:
        return None
    if settings.threshold == "fixed":
        return settings.fixed_threshold
    units = validation.against_rest(validation.positive)
    return youden_threshold(units.truth, units.scores)


def youden_threshold(truth: Bools, scores: Floats) -> float:
    """The threshold with the largest sensitivity + specificity - 1 (Youden, 1950).

    Candidates lie midway between neighbouring scores, so that no unit sits on the threshold and a
    small change of a score does not flip it. Among equally good ones, the nearest to 0.5 wins, and of
    two at the same distance the lower.

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        True for the positive class; both classes must occur.
    scores : ndarray of shape (n_units,), float64, in [0, 1]
        Predicted probability of the positive class.

    Returns
    -------
    float, in [0, 1]
        A unit is predicted positive if its score is at least this.
    """
    candidates = _midway(scores)
    true_positives = _at_least(scores[truth], candidates)
    false_positives = _at_least(scores[~truth], candidates)
    # Youden's J times both class sizes: whole numbers, so that equal candidates compare equal.
    youden = true_positives * int((~truth).sum()) - false_positives * int(truth.sum())
    best = candidates[youden == youden.max()]
    return float(best[np.abs(best - 0.5).argmin()])


def specificity_threshold(truth: Bools, scores: Floats, percent: int) -> float:
    """The lowest threshold, midway between neighbouring scores, with at least this specificity.

    Above the highest score nothing is predicted positive, so that one always exists: if that is a negative unit's score
    of 1, just above 1.

    `percent`, in [0, 100], of the negative validation units are to be predicted negative; see `youden_threshold`.
    """
    candidates = np.append(_midway(scores), np.nextafter(1.0, 2.0))
    negatives = scores[~truth]
    # Whole numbers, so that a rate that is met exactly counts.
    reached = 100 * (len(negatives) - _at_least(negatives, candidates)) >= percent * len(negatives)
    return float(candidates[reached].min())


def sensitivity_threshold(truth: Bools, scores: Floats, percent: int) -> float:
    """The highest threshold, midway between neighbouring scores, with at least this sensitivity.

    Below the lowest score everything is predicted positive, so that one always exists.

    `percent`, in [0, 100], of the positive validation units are to be predicted positive; see `youden_threshold`.
    """
    candidates, positives = _midway(scores), scores[truth]
    return float(candidates[100 * _at_least(positives, candidates) >= percent * len(positives)].max())


def _midway(scores: Floats) -> Floats:
    """Thresholds midway between neighbouring scores, 0 and 1 being scores too; rising."""
    edges = np.concatenate([[0.0], np.unique(scores), [1.0]])
    return (edges[:-1] + edges[1:]) / 2


def _at_least(scores: Floats, candidates: Floats) -> Integers:
    """How many scores reach each candidate."""
    return len(scores) - np.searchsorted(np.sort(scores), candidates, side="left")


POINTS = {
    "specificity_90": (specificity_threshold, 90),
    "specificity_95": (specificity_threshold, 95),
    "sensitivity_90": (sensitivity_threshold, 90),
    "sensitivity_95": (sensitivity_threshold, 95),
}


def choose_operating_points(validation: Units) -> dict[str, float]:
    """The threshold of each of the `POINTS`, the least extreme that reaches the rate on validation.

    Where only predicting everything positive, or nothing, reaches it, that is what the threshold does. Without a
    positive class there are none.
    """
    if validation.positive is None:
        return {}
    units = validation.against_rest(validation.positive)
    return {name: choose(units.truth, units.scores, percent) for name, (choose, percent) in POINTS.items()}


def describe_operating_points(test: Units, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """What the thresholds give on test.

    Parameters
    ----------
    test : Units
        The whole test part, images or patients.
    thresholds : mapping of str to float
        What `choose_operating_points` gives for validation.

    Returns
    -------
    dict
        For each of the `POINTS`: ``threshold``; ``sensitivity`` and ``specificity`` on test, neither of which need be
        what validation promised; ``ci``, the 95 % intervals of both.
    """
    points: dict[str, Any] = {}
    for name, threshold in thresholds.items():
        units = test.with_threshold(threshold)
        members = {rate: rate_members(rate, units) for rate in RATES}
        points[name] = {
            "threshold": threshold,
            **{rate: float(right[of].mean()) for rate, (right, of) in members.items()},
            "ci": {rate: rate_interval(right, of, units.patient) for rate, (right, of) in members.items()},
        }
    return points
