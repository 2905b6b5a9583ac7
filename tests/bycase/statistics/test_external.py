"""What a locked classifier reaches on another data set, and the change from its own test part."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bycase.core.params_training import EvaluateParams
from bycase.core.seeding import generator
from bycase.statistics.assessment import assess
from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.conformal import calibrate_sets, make_sets
from bycase.statistics.external import (
    Locked,
    Sample,
    assess_external,
    assess_sample,
    change_interval,
    list_measures,
    subtract,
)
from bycase.statistics.metrics import weighted_metrics
from bycase.statistics.units import Units
from tests.fixtures.units import leaves

Simulate = Callable[..., Units]
SETTINGS = EvaluateParams(threshold="youden", fixed_threshold=0.5, resamples=300, batch_size=4)
PRIORS = {"image": np.array([0.34, 0.66]), "patient": np.array([0.4, 0.6])}


def locked_on(validation: Units, metrics: dict[str, Any]) -> Locked:
    return Locked(
        {level: metrics[level].get("threshold") for level in ("image", "patient")},
        {
            "image": metrics["calibration"]["temperature"],
            "patient": metrics["calibration"]["patient"]["temperature"],
        },
        {
            level: {name: point["threshold"] for name, point in metrics[level].get("operating_points", {}).items()}
            for level in ("image", "patient")
        },
        0.9,
    )


def sample_of(images: Units, validation: Units, unlike: float = 0.1) -> Sample:
    thresholds = calibrate_sets(validation, 0.9)
    sets = {level: make_sets(images.scores, each["conformal_threshold"]) for level, each in thresholds.items()}
    return Sample(images, sets, np.arange(len(images.truth)) < unlike * len(images.truth))


def test_the_internal_numbers_are_those_of_evaluate(simulate: Simulate) -> None:
    validation, test = simulate(1), simulate(2)
    metrics = assess(validation, test, PRIORS, SETTINGS, 7)
    found = assess_sample(sample_of(test, validation), locked_on(validation, metrics), SETTINGS.resamples, 7)
    for level in ("image", "patient"):
        assert found[level] == {
            key: value for key, value in metrics[level].items() if key not in ("baseline", "over_constant")
        }
        expected = {key: metrics["calibration"][level][key] for key in ("before", "after")}
        assert found["calibration"][level] == expected
    assert found["unlike"]["share"] == pytest.approx(np.ceil(7.2) / 72)
    assert set(found["sets"]) == {"image", "patient"}


@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_number_has_a_finite_change_with_an_interval_around_it(
    simulate: Simulate, simulate_classes: Simulate, n_classes: int
) -> None:
    make = simulate if n_classes == 2 else simulate_classes
    priors = PRIORS if n_classes == 2 else dict.fromkeys(PRIORS, np.array([0.3, 0.5, 0.2]))
    validation = make(1)
    locked = locked_on(validation, assess(validation, make(2), priors, SETTINGS, 7))
    results = assess_external(sample_of(make(2), validation), sample_of(make(3), validation), locked, 300, 7)
    assert all(np.isfinite(leaf) for leaf in leaves(results["change"]))
    change = results["change"]
    for path in (("image",), ("patient",), ("calibration", "image", "after"), ("sets", "patient"), ("unlike",)):
        inner, outer, moved = results["internal"], results["external"], change
        for key in path:
            inner, outer, moved = inner[key], outer[key], moved[key]
        assert set(moved) - {"ci", "operating_points"} == set(moved["ci"])
        for name, limits in moved["ci"].items():
            assert moved[name] == pytest.approx(outer[name] - inner[name])
            assert limits["low"] <= moved[name] <= limits["high"]
    moved = set(change["calibration"]["image"]["after"])
    assert moved == {"slope", "intercept", "in_the_large", "brier", "log_loss", "ci"}
    if n_classes == 2:
        assert set(change["image"]["operating_points"]["specificity_90"]) == {"sensitivity", "specificity", "ci"}


def test_the_same_data_twice_have_not_changed(simulate: Simulate) -> None:
    validation, test = simulate(1), simulate(2)
    locked = locked_on(validation, assess(validation, test, PRIORS, SETTINGS, 7))
    sample = sample_of(test, validation)
    change = assess_external(sample, sample, locked, 300, 7)["change"]
    assert change["image"]["auc"] == 0
    limits = change["image"]["ci"]["auc"]
    assert limits["low"] < 0 < limits["high"]


def test_a_planted_shift_is_found(sharpened: Simulate) -> None:
    """Too sure there, though not here: the slope falls, and its interval says so; ranks stay as they are."""
    validation, here, there = sharpened(1), sharpened(2), sharpened(3, 3.0)
    locked = locked_on(validation, assess(validation, here, PRIORS, SETTINGS, 7))
    change = assess_external(sample_of(here, validation), sample_of(there, validation), locked, 300, 7)["change"]
    slope = change["calibration"]["image"]["after"]
    assert slope["ci"]["slope"]["high"] < 0
    assert slope["ci"]["brier"]["low"] > 0
    assert change["image"]["ci"]["auc"]["low"] < 0 < change["image"]["ci"]["auc"]["high"]


def test_the_interval_of_a_change_agrees_with_a_bootstrap_of_both_data_sets(simulate: Simulate) -> None:
    """A second source: differences of independent resamples, of as many patients that no expansion matters."""
    drawn, limits, points = [], [], []
    for number, seed in enumerate((1, 2)):
        units = simulate(seed, n_patients=150)
        values = bootstrap(units, lambda c, u=units: weighted_metrics(u, c), 4000, generator(number, "x"))["auc"]
        drawn.append(values)
        low, high = np.quantile(values, [0.025, 0.975])
        points.append(float(weighted_metrics(units, np.ones((1, 150), np.int64))["auc"][0]))
        limits.append({"low": float(low), "high": float(high)})
    found = change_interval(points[1], limits[1], points[0], limits[0])
    expected = np.quantile(drawn[1] - drawn[0], [0.025, 0.975])
    width = expected[1] - expected[0]
    assert np.abs(np.array([found["low"], found["high"]]) - expected).max() < 0.05 * width


def test_newcombes_example() -> None:
    """Newcombe (1998), table II, (a): 56/70 less 48/80, method 10: 0.2 (0.0524 to 0.3339)."""

    def wilson(hits: int, n: int) -> dict[str, float]:
        z = 1.959963984540054
        p, centre = hits / n, (hits + z**2 / 2) / (n + z**2)
        reach = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        return {"low": centre - reach, "high": centre + reach}

    found = change_interval(56 / 70, wilson(56, 70), 48 / 80, wilson(48, 80))
    assert found["low"] == pytest.approx(0.0524, abs=5e-5)
    assert found["high"] == pytest.approx(0.3339, abs=5e-5)


def test_numbers_without_an_interval_on_both_sides_have_no_change() -> None:
    with_limits = {"auc": 0.9, "n": 3, "ci": {"auc": {"low": 0.8, "high": 1.0}, "resamples": 5}, "note": {"n": 1}}
    without = {"auc": 0.8, "n": 3, "ci": {}}
    assert subtract(with_limits, without) == {}


def test_measures_by_patient_are_listed_only_where_patients_are_known() -> None:
    image, patient, after, none = {"auc": 0.9}, {"auc": 0.8}, {"slope": 1.1}, dict[str, float]()
    calibration, sets = {"image": {"after": after}}, {"patient": none}
    side = {"image": image, "patient": patient, "calibration": calibration, "sets": sets, "unlike": none}
    content: dict[str, Any] = dict.fromkeys(("internal", "external", "change"), side)
    by_image, slope = ("AUC by image", [image] * 3, "auc"), ("calibration slope by image", [after] * 3, "slope")
    assert list_measures(content | {"note": "no patient is named"}) == [by_image, slope]
    assert list_measures(content) == [by_image, ("AUC by patient", [patient] * 3, "auc"), slope]


def test_perfect_results_do_not_claim_certainty(simulate: Simulate) -> None:
    validation, test = simulate(1), simulate(2)
    locked = locked_on(validation, assess(validation, test, PRIORS, SETTINGS, 7))
    truth = np.eye(2)[test.truth]
    perfect = replace(test, scores=0.98 * truth + 0.01)
    results = assess_external(sample_of(perfect, validation), sample_of(perfect, validation), locked, 300, 7)
    limits = results["change"]["image"]["ci"]["auc"]
    assert limits["low"] < -0.1
    assert limits["high"] > 0.1
