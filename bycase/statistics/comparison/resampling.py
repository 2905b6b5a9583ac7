"""All networks' metrics under the same resamples of patients.

What differs from resample to resample is who the patients are, not how the networks came out of their training:
a network trained again, from other random numbers, would score otherwise. `values_of_repeats` shows how much.
"""

import numpy as np

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import Statistic, bootstrap, weighted_metrics
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.multiclass.bootstrap import weighted_class_metrics
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Floats, Integers

METRICS = (
    "auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "macro_f1",
    "brier",
    "log_loss",
)


def point_values(paired: Paired) -> dict[str, Floats]:
    """The metrics of every network on all units; ranks are compared within folds.

    Returns
    -------
    dict of str to ndarray of shape (n_models,), float64
        The keys are `METRICS`.
    """
    everyone = np.ones((1, int(paired.patient.max()) + 1), np.int64)
    return {metric: values[0] for metric, values in _statistic(paired)(everyone).items()}


def resampled_values(paired: Paired, resamples: int, seed: int) -> dict[str, Floats]:
    """The metrics of every network on resampled patients, the same patients for all.

    Parameters
    ----------
    paired : Paired
        Images or patients; both draw the same patients.
    resamples : int
        Resamples to draw.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict of str to ndarray of shape (n_used, n_models), float64
        The keys are `METRICS`; see `bycase.statistics.bootstrap.bootstrap`.
    """
    return bootstrap(paired.units(0), _statistic(paired), resamples, generator(seed, "compare", "bootstrap"))


def values_of_repeats(paired: Paired, metric: str) -> Floats:
    """A metric in each repeat on its own; (n_repeats, n_models)."""
    return np.stack([point_values(paired.of_repeat(int(repeat)))[metric] for repeat in paired.repeats])


def _statistic(paired: Paired) -> Statistic:
    """What `bycase.statistics.bootstrap.bootstrap` computes: of each metric one column a network."""

    def statistic(counts: Integers) -> dict[str, Floats]:
        of_models = [_metrics(paired, number, counts) for number in range(len(paired.models))]
        return {metric: np.column_stack([values[metric] for values in of_models]) for metric in METRICS}

    return statistic


def _metrics(paired: Paired, number: int, counts: Integers) -> dict[str, Floats]:
    units = paired.units(number)
    if isinstance(units, ClassUnits):
        return weighted_class_metrics(units, counts)
    return weighted_metrics(units, paired.predicted[number] == 1, counts)
