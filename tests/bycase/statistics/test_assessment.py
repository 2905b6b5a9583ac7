import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bycase.core.params_training import EvaluateParams
from bycase.statistics.assessment import assess
from bycase.statistics.bootstrap import weighted_metrics
from bycase.statistics.metrics import point_metrics
from bycase.statistics.units import Units, patient_units

Simulate = Callable[..., Units]

SETTINGS = EvaluateParams(threshold="youden", fixed_threshold=0.5, resamples=200, batch_size=4)
PRIORS = {"image": 0.66, "patient": 0.6}
RANKS_AND_RATES = {"auc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "brier"}
WITH_INTERVAL = RANKS_AND_RATES | {"precision", "f1", "macro_f1", "mcc", "log_loss"}


def assessed(
    simulate: Simulate, validation: Units | None = None, test: Units | None = None, **changes: Any
) -> dict[str, Any]:
    return assess(validation or simulate(1), test or simulate(2), PRIORS, SETTINGS.model_copy(update=changes), 7)


def leaves(content: Any) -> Iterator[Any]:
    if isinstance(content, dict):
        for value in content.values():
            yield from leaves(value)
    else:
        yield content


def test_leaves_are_finite_numbers_and_repeat(simulate: Simulate) -> None:
    metrics = assessed(simulate)
    assert all(type(value) in (int, float) and np.isfinite(value) for value in leaves(metrics))
    assert json.dumps(metrics) == json.dumps(assessed(simulate))


def test_both_levels_have_metrics_baseline_and_intervals(simulate: Simulate) -> None:
    metrics = assessed(simulate)
    assert metrics["image"]["n"] == 72
    assert metrics["patient"]["n"] == metrics["patient"]["n_patients"] == metrics["image"]["n_patients"] == 12
    for level, more in (("image", set()), ("patient", {"recognition_rate"})):
        at = metrics[level]
        assert set(at["ci"]) == WITH_INTERVAL | more | {"resamples"}
        others = {"threshold", "n", "n_patients", "baseline", "operating_points", "ci"}
        assert set(at["baseline"]) | others == set(at)
        for name in WITH_INTERVAL | more:
            limits = at["ci"][name]
            assert limits["low"] <= at[name] <= limits["high"]
            if name not in ("mcc", "log_loss"):
                assert limits["low"] >= 0
                assert limits["high"] <= 1
    assert metrics["patient"]["baseline"]["accuracy"] == pytest.approx(8 / 12)
    assert metrics["patient"]["baseline"]["recognition_rate"] == pytest.approx(8 / 12)


def test_nothing_is_chosen_on_test(simulate: Simulate) -> None:
    test = simulate(2)
    flipped = replace(test, truth=~test.truth)
    other = simulate(3)
    thresholds = [
        (
            *(metrics[level]["threshold"] for level in ("image", "patient")),
            *(
                point["threshold"]
                for level in ("image", "patient")
                for point in metrics[level]["operating_points"].values()
            ),
            metrics["calibration"]["temperature"],
            metrics["validation"],
        )
        for metrics in (assessed(simulate, test=test), assessed(simulate, test=flipped), assessed(simulate, test=other))
    ]
    assert thresholds[0] == thresholds[1] == thresholds[2]


def test_thresholds_follow_validation_and_differ_by_level(simulate: Simulate) -> None:
    one, another = assessed(simulate), assessed(simulate, validation=simulate(4))
    assert one["image"]["threshold"] != another["image"]["threshold"]
    assert one["image"]["threshold"] != one["patient"]["threshold"]
    fixed = assessed(simulate, threshold="fixed", fixed_threshold=0.3)
    assert fixed["image"]["threshold"] == fixed["patient"]["threshold"] == 0.3


def test_the_threshold_is_applied_at_its_level(simulate: Simulate) -> None:
    test = simulate(2)
    metrics = assessed(simulate, test=test)
    called = test.scores >= metrics["image"]["threshold"]
    assert metrics["image"]["sensitivity"] == pytest.approx(called[test.truth].mean())
    patients = patient_units(test)
    called = patients.scores >= metrics["patient"]["threshold"]
    assert metrics["patient"]["specificity"] == pytest.approx((~called)[~patients.truth].mean())


def test_the_recognition_rate_weighs_patients_alike(simulate: Simulate) -> None:
    test = simulate(2)
    kept = np.arange(72) % 6 <= test.patient % 5  # patients have one to five images
    test = Units(test.truth[kept], test.scores[kept], test.patient[kept])
    metrics = assessed(simulate, test=test)
    right = (test.scores >= metrics["image"]["threshold"]) == test.truth
    by_hand = np.mean([right[test.patient == patient].mean() for patient in range(12)])
    assert metrics["patient"]["recognition_rate"] == pytest.approx(by_hand)
    assert metrics["patient"]["recognition_rate"] != pytest.approx(right.mean())


def test_another_seed_changes_intervals_only(simulate: Simulate) -> None:
    one = assess(simulate(1), simulate(2), PRIORS, SETTINGS, 7)
    another = assess(simulate(1), simulate(2), PRIORS, SETTINGS, 8)
    assert one["image"].pop("ci") != another["image"].pop("ci")
    points, others = one["image"].pop("operating_points"), another["image"].pop("operating_points")
    assert one["image"] == another["image"]
    for name, point in points.items():
        assert point.pop("ci") != others[name].pop("ci")
    assert points == others


@pytest.mark.parametrize("threshold", [0.0, 0.55, 1.1])
def test_a_metric_and_its_resamples_are_one_definition(simulate: Simulate, threshold: float) -> None:
    for units in (simulate(0), patient_units(simulate(0))):
        predicted = units.scores >= threshold
        drawn_once = weighted_metrics(units, predicted, np.ones((1, units.n_patients), np.int64))
        metrics = {name: values[0] for name, values in drawn_once.items()}
        assert metrics == pytest.approx(point_metrics(units.truth, units.scores, predicted))
