"""Whether a metric differs between subgroups: one test a column, instead of a look at overlapping intervals.

Altman, D. G. and Bland, J. M. (2003). Interaction revisited: the difference between two estimates. BMJ 326, 219. Here
for any number of subgroups, which may share patients: without an interaction a patient's contributions to the
subgroups' differences from all have a mean of 0, see `bycase.statistics.multipliers`. P-values are adjusted by Holm
(1979) over the columns, for each metric.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bycase.core.seeding import generator
from bycase.statistics.comparison.verdict import holm
from bycase.statistics.influence import measure_influence, rate_members
from bycase.statistics.multipliers import DRAWS, multiplier_test
from bycase.statistics.units import Bools, Floats, Integers, Units, patient_units

METRICS = ("auc", "accuracy", "sensitivity", "specificity")
FEWEST = 3  # patients of a subgroup, for an AUC of each class: with fewer it is left out


def assess_interactions(
    images: Units, subgroups: Mapping[str, Mapping[str, Bools]], threshold: float | None, seed: int
) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Test every column of subgroups, by image and by patient.

    Parameters
    ----------
    images : Units
        One unit an image of the test part, with its predicted class.
    subgroups : mapping
        See `bycase.statistics.subgroups.list_subgroups`.
    threshold : float or None
        Of patients; None without a positive class, or where images keep the classes they come with.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``interactions[level][column][metric]``: ``subgroups``, how many are compared; ``p``; ``p_holm``. Of those
        `METRICS` that two subgroups or more have.
    """
    tests: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for level in ("image", "patient"):
        tests[level] = {}
        for column, members in subgroups.items():
            parts = [_units(images, rows, level, threshold) for rows in members.values()]
            found = {metric: _test(metric, parts, images.n_patients, seed) for metric in METRICS}
            tests[level][column] = {metric: test for metric, test in found.items() if test}
        for metric in METRICS:
            family = [columns[metric] for columns in tests[level].values() if metric in columns]
            for test, adjusted in zip(family, holm([test["p"] for test in family]), strict=True):
                test["p_holm"] = adjusted
        tests[level] = {column: metrics for column, metrics in tests[level].items() if metrics}
    return tests


def _units(images: Units, rows: Bools, level: str, threshold: float | None) -> tuple[Units, Integers]:
    """A subgroup's images or patients, and the patient of each, numbered as in the whole."""
    units = images.select(rows)
    if level == "patient":
        units = patient_units(units, threshold)
    return units, np.unique(images.patient[rows])[units.patient]


def _test(metric: str, parts: Sequence[tuple[Units, Integers]], n_patients: int, seed: int) -> dict[str, float]:
    """Nothing where fewer than two subgroups have the metric."""
    found = [each for each in (_contribute(metric, units, patient, n_patients) for units, patient in parts) if each]
    if len(found) < 2:
        return {}
    values, errors, held, sizes = (np.array(each) for each in zip(*found, strict=True))
    weights = sizes / sizes.sum()
    # What a patient adds to a subgroup's error, and the subgroup's distance from all, shared out among its patients.
    patients = held.any(axis=2)
    contributions = errors + (values - weights @ values)[:, None] * patients / patients.sum(axis=1, keepdims=True)

    def spread(sums: Floats) -> Floats:
        return np.sqrt(((sums - sums @ weights[:, None]) ** 2) @ weights)

    freedom = int(held.any(axis=0).sum(axis=0).min()) - 1
    random = generator(seed, "evaluate", "interactions")
    _, p = multiplier_test(contributions.T, spread, freedom, DRAWS, random)
    return {"subgroups": len(found), "p": p}


Contributions = tuple[float, Floats, Bools, int]  # value, errors (n_patients,), patients (n_patients, n_samples), units


def _contribute(metric: str, units: Units, patient: Integers, n_patients: int) -> Contributions | None:
    held = np.zeros((n_patients, len(units.classes) if metric == "auc" else 1), bool)
    if metric == "auc":
        held[patient, units.truth] = True
    elif metric == "accuracy" or units.positive is not None:
        held[patient[rate_members(metric, units)[1]]] = True
    if held.sum(axis=0).min() < FEWEST:
        return None
    influence = measure_influence(metric, units)
    errors = np.zeros(n_patients)
    errors[np.unique(patient)] = influence.parts.sum(axis=1)
    n = len(units.truth) if metric in ("auc", "accuracy") else int(rate_members(metric, units)[1].sum())
    return influence.estimate, errors, held, n
