from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import recall_score

from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.intervals import metric_interval
from bycase.statistics.metrics import weighted_metrics
from bycase.statistics.operating_points import (
    POINTS,
    choose_operating_points,
    describe_operating_points,
    weighted_rates,
)
from bycase.statistics.units import Units, patient_units

Simulate = Callable[..., Units]


def test_each_point_reaches_its_rate_on_validation(simulate: Simulate) -> None:
    validation = simulate(1, n_patients=40)
    thresholds = choose_operating_points(validation)
    assert list(thresholds) == list(POINTS) == ["specificity_90", "specificity_95", "sensitivity_90", "sensitivity_95"]
    assert thresholds["specificity_90"] < thresholds["specificity_95"]
    assert thresholds["sensitivity_95"] < thresholds["sensitivity_90"]
    for name, threshold in thresholds.items():
        rate, percent = name.split("_")
        reached = recall_score(validation.truth, validation.scores[:, 1] >= threshold, pos_label=rate == "sensitivity")
        assert int(percent) / 100 <= reached < int(percent) / 100 + 0.03


@pytest.mark.parametrize("level", ["image", "patient"])
def test_rates_and_intervals_are_those_of_the_test_part(simulate: Simulate, level: str) -> None:
    test = simulate(2)
    test = patient_units(test) if level == "patient" else test
    thresholds = choose_operating_points(simulate(1))
    statistic = lambda counts: weighted_rates(test, thresholds, counts)  # noqa: E731
    points = describe_operating_points(test, thresholds, bootstrap(test, statistic, 300, np.random.default_rng(3)))
    for name, point in points.items():
        decided = test.with_threshold(thresholds[name])
        assert point["threshold"] == thresholds[name]
        assert point["sensitivity"] == pytest.approx(recall_score(test.truth, decided.predicted))
        assert point["specificity"] == pytest.approx(recall_score(test.truth, decided.predicted, pos_label=0))
        values = bootstrap(test, lambda c, u=decided: weighted_metrics(u, c), 300, np.random.default_rng(3))
        for rate in ("sensitivity", "specificity"):
            assert point["ci"][rate] == pytest.approx(metric_interval(rate, point[rate], values[rate], test))
