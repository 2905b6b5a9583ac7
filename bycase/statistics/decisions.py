"""What decisions by a threshold are worth where the classifier is used: predictive values, and net benefit.

Predictive values at another prevalence than the test part's: Altman, D. G. and Bland, J. M. (1994). Diagnostic tests 2:
predictive values. BMJ 309, 102. Net benefit and decision curves: Vickers, A. J. and Elkin, E. B. (2006). Decision curve
analysis: a novel method for evaluating prediction models. Medical Decision Making 26, 565-574. Whoever acts from a
probability of t up holds a false positive for t / (1 - t) times as bad as a true positive is good.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap, divide, on_all_patients, weighted_sums
from bycase.statistics.bounds import perfect_bound
from bycase.statistics.intervals import UNIT, no_surer, resampled_interval
from bycase.statistics.units import Bools, Floats, Integers, Units

PREDICTIVE = ("ppv", "npv")
SHOWN = (5, 10, 20, 30, 50)  # thresholds in metrics.json, percent
GRID = np.arange(1, 100) / 100
RESAMPLES = 2000
INTERVALS = {"net_benefit": "", "gain": "gain_"}  # and the prefix of their ends' columns


def describe_decisions(
    levels: Mapping[str, Units], calibrated: Units, prevalence: float | None, seed: int
) -> dict[str, Any]:
    """The key ``decisions`` of ``metrics.json``.

    Parameters
    ----------
    levels : mapping of level to Units
        Images and patients, classes predicted with the thresholds.
    calibrated : Units
        Patients, with probabilities to act by.
    prevalence : float, in (0, 1), or None
        Share of the positive class where the classifier is used.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``net_benefit``: by ``threshold_05`` and so on ``net_benefit``, ``treat_all``, ``gain`` and ``ci``, see
        `decision_curve`. With a prevalence also that, and ``predictive_values``: by level `PREDICTIVE` and ``ci``.
        Empty without a positive class.
    """
    if calibrated.positive is None:
        return {}
    table = decision_curve(calibrated, prevalence, seed, np.array(SHOWN) / 100)
    rows = {
        f"threshold_{percent:02}": {
            **{name: float(row[name]) for name in ("net_benefit", "treat_all", "gain")},
            "ci": {
                name: {end: float(row[prefix + end]) for end in ("low", "high")} for name, prefix in INTERVALS.items()
            },
        }
        for percent, (_, row) in zip(SHOWN, table.iterrows(), strict=True)
    }
    if prevalence is None:
        return {"net_benefit": rows}
    predictive = {level: assess_predictive_values(units, prevalence, seed) for level, units in levels.items()}
    return {"prevalence": prevalence, "predictive_values": predictive, "net_benefit": rows}


def assess_predictive_values(units: Units, prevalence: float, seed: int) -> dict[str, Any]:
    """Positive and negative predictive value where `prevalence` of all units are positive.

    ``ppv = sensitivity * prevalence / (sensitivity * prevalence + (1 - specificity) * (1 - prevalence))``, and ``npv``
    likewise; 0 where nothing is predicted of the kind.

    Parameters
    ----------
    units : Units
        Images or patients of both classes, with a positive one.
    prevalence : float, in (0, 1)
        Share of the positive class.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        `PREDICTIVE`, and ``ci``, their 95 % intervals.
    """

    def statistic(counts: Integers) -> dict[str, Floats]:
        _, sensitivity, false_positive = _rates(units, (units.predicted == units.positive)[:, None], counts)
        acted, spared = prevalence * sensitivity, prevalence * (1 - sensitivity)
        alarmed, cleared = (1 - prevalence) * false_positive, (1 - prevalence) * (1 - false_positive)
        values = divide(acted, acted + alarmed, 0), divide(cleared, cleared + spared, 0)
        return {name: value[:, 0] for name, value in zip(PREDICTIVE, values, strict=True)}

    points = {name: float(value) for name, value in on_all_patients(units, statistic).items()}
    values = bootstrap(units, statistic, RESAMPLES, generator(seed, "evaluate", "decisions"))
    sizes, perfect = units.classes_of_patients.sum(axis=0), perfect_bound(float(min(units.shares_of_patients)))
    limits = {name: resampled_interval(points[name], values[name], sizes, perfect, UNIT) for name in PREDICTIVE}
    return points | {"ci": {name: no_surer(ends, perfect) for name, ends in limits.items()}}


def decision_curve(units: Units, prevalence: float | None, seed: int, thresholds: Floats = GRID) -> pd.DataFrame:
    """Net benefit of acting on the positive class's probability, of acting on all, and on none, by threshold.

    ``net_benefit = sensitivity * prevalence - (1 - specificity) * (1 - prevalence) * t / (1 - t)``, in true positives
    a unit.

    Parameters
    ----------
    units : Units
        Images or patients of both classes, with a positive one; their probabilities should be calibrated.
    prevalence : float, in (0, 1), or None
        Share of the positive class where the classifier is used; None: that of the units.
    seed : int
        The pipeline's seed.
    thresholds : ndarray of shape (n_thresholds,), float64, in (0, 1)
        From which probability on one acts.

    Returns
    -------
    DataFrame
        One row a threshold, with the columns ``threshold``, ``net_benefit``, ``treat_all``, ``treat_none`` (0) and
        ``gain``, the net benefit less that of the better of the two; ``low`` and ``high``, ``gain_low`` and
        ``gain_high``: 95 % intervals by patient.
    """

    def statistic(counts: Integers) -> dict[str, Floats]:
        acted = units.scores[:, [_positive(units)]] >= thresholds
        share, sensitivity, false_positive = _rates(units, acted, counts)
        share = share if prevalence is None else np.full_like(share, prevalence)
        odds = (1 - share) * thresholds / (1 - thresholds)
        benefit, everyone = sensitivity * share - false_positive * odds, share - odds
        return {"net_benefit": benefit, "treat_all": everyone, "gain": benefit - np.maximum(everyone, 0)}

    points = on_all_patients(units, statistic)
    values = bootstrap(units, statistic, RESAMPLES, generator(seed, "evaluate", "decisions"))
    table = pd.DataFrame({"threshold": thresholds, "treat_none": 0.0, **points})
    sizes = units.classes_of_patients.sum(axis=0)
    for name, prefix in INTERVALS.items():
        limits = [
            resampled_interval(
                float(points[name][number]),
                values[name][:, number],
                sizes,
                perfect_bound(units.n_patients),
                limits=(-float(threshold / (1 - threshold)), 1.0),
            )
            for number, threshold in enumerate(thresholds)
        ]
        table = table.join(pd.DataFrame(limits).add_prefix(prefix))
    return table


def _positive(units: Units) -> int:
    if units.positive is None:
        raise ValueError("decisions need a positive class")
    return units.positive


def _rates(units: Units, acted: Bools, counts: Integers) -> tuple[Floats, Floats, Floats]:
    """Share of the positive class (n_resamples, 1), and share of either class that is `acted` on, (n_units, n)."""
    positive = (units.truth == _positive(units))[:, None]
    columns = np.hstack([positive, ~positive, positive & acted, ~positive & acted]).astype(np.float64)
    sums, n = weighted_sums(units, columns, counts), acted.shape[1]
    totals = [np.repeat(sums[:, [column]], n, axis=1) for column in (0, 1)]
    sensitivity, false_positive = divide(sums[:, 2 : 2 + n], totals[0]), divide(sums[:, 2 + n :], totals[1])
    return sums[:, :1] / sums[:, :2].sum(axis=1, keepdims=True), sensitivity, false_positive
