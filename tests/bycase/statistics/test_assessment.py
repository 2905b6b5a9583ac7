import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bycase.core.errors import UserError
from bycase.core.params_training import EvaluateParams
from bycase.statistics.assessment import VALIDATION_METRICS, assess, assess_level, assess_predictions
from bycase.statistics.units import Units, patient_units
from tests.fixtures.units import as_tables, leaves

Simulate = Callable[..., Units]

SETTINGS = EvaluateParams(threshold="youden", fixed_threshold=0.5, resamples=200, batch_size=4)
PRIORS = {"image": np.array([0.34, 0.66]), "patient": np.array([0.4, 0.6])}
SHARES = {"image": np.array([0.2, 0.5, 0.3]), "patient": np.array([0.3, 0.4, 0.3])}
OF_ALL = {"auc", "average_precision", "accuracy", "balanced_accuracy", "macro_f1", "brier", "log_loss"}
OF_POSITIVE = {"sensitivity", "specificity", "precision", "npv", "f1", "mcc"}


def assessed(
    simulate: Simulate, validation: Units | None = None, test: Units | None = None, **changes: Any
) -> dict[str, Any]:
    return assess(validation or simulate(1), test or simulate(2), PRIORS, SETTINGS.model_copy(update=changes), 7)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_both_levels_have_metrics_baseline_and_intervals_that_repeat(
    simulate: Simulate, simulate_classes: Simulate, n_classes: int
) -> None:
    make, priors = (simulate, PRIORS) if n_classes == 2 else (simulate_classes, SHARES)
    metrics, again = (assess(make(1), make(2), priors, SETTINGS, 7) for _ in range(2))
    numbers = {key: value for key, value in metrics.items() if key != "aggregation"} | metrics["aggregation"][
        "compared"
    ]
    assert all(type(value) in (int, float) and np.isfinite(value) for value in leaves(numbers))
    assert json.dumps(metrics) == json.dumps(again)
    expected = OF_ALL | OF_POSITIVE if n_classes == 2 else OF_ALL
    extra = {"threshold", "operating_points"} if n_classes == 2 else {"per_class"}
    for level, more in (("image", set()), ("patient", {"recognition_rate"})):
        found = metrics[level]
        assert set(found["baseline"]) == expected | more
        assert set(found) == expected | more | extra | {"n", "n_patients", "baseline", "ci", "over_constant"}
        assert set(found["ci"]) == expected | more | {"resamples"} | extra - {"threshold", "operating_points"}
        for name in expected | more:
            limits = found["ci"][name]
            assert limits["low"] <= found[name] <= limits["high"]
            if name not in ("mcc", "log_loss"):
                assert limits["low"] >= 0
                assert limits["high"] <= 1
        assert set(metrics["validation"][level]) == {*VALIDATION_METRICS, "n"}
    n_images, n_patients = (72, 12) if n_classes == 2 else (64, 16)
    assert (metrics["image"]["n"], metrics["patient"]["n"], metrics["image"]["n_patients"]) == (
        n_images,
        n_patients,
        n_patients,
    )
    assert metrics["patient"]["baseline"]["accuracy"] == pytest.approx(8 / n_patients)
    assert metrics["patient"]["baseline"]["recognition_rate"] == pytest.approx(8 / n_patients)


def test_several_classes_are_counted_and_their_shares_are_the_baseline(simulate_classes: Simulate) -> None:
    metrics = assess(simulate_classes(1), simulate_classes(2), SHARES, SETTINGS, 7)
    assert [of_class["n"] for of_class in metrics["patient"]["per_class"].values()] == [5, 8, 3]
    for level, shares in SHARES.items():
        by_chance = -(np.array([5, 8, 3]) / 16 * np.log(shares)).sum()
        assert metrics[level]["baseline"]["log_loss"] == pytest.approx(by_chance)


def test_the_positive_class_decides_what_is_said(simulate_classes: Simulate) -> None:
    parts = [as_tables(simulate_classes(seed), prefix) for seed, prefix in ((1, "v"), (2, "t"))]
    manifest = pd.concat([rows for _, rows in parts])
    training = manifest[manifest["image"].str.startswith("v")]

    def assessed(classes: str, positive: str | None) -> dict[str, Any]:
        tables = [table[table["label"].isin(list(classes))] for table, _ in parts]
        if len(classes) == 2:
            tables = [table.assign(**{classes[0]: 1 - table[classes[1]]}) for table in tables]
        return assess_predictions(*tables, manifest, training, list(classes), positive, SETTINGS, 7)

    three, two = assessed("abc", None), assessed("ab", "b")
    assert "threshold" not in three["image"]
    assert {"threshold", "sensitivity", "macro_f1"} <= set(two["image"])
    assert set(assessed("ab", None)["image"]["per_class"]) == {"a", "b"}
    test = parts[1][0]
    expected = roc_auc_score(test["label"], test[["a", "b", "c"]], multi_class="ovr")
    assert three["image"]["auc"] == pytest.approx(expected)
    assert three["image"]["baseline"]["accuracy"] == pytest.approx((test["label"] == "b").mean())
    lacking = test[test["label"] != "c"]
    with pytest.raises(UserError, match=r"test\.csv: no image of class c"):
        assess_predictions(parts[0][0], lacking, manifest, training, list("abc"), None, SETTINGS, 7)


def test_nothing_is_chosen_on_test(simulate: Simulate) -> None:
    test = simulate(2)
    flipped = replace(test, truth=1 - test.truth)
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
    predicted = test.scores[:, 1] >= metrics["image"]["threshold"]
    assert metrics["image"]["sensitivity"] == pytest.approx(predicted[test.truth == 1].mean())
    patients = patient_units(test)
    predicted = patients.scores[:, 1] >= metrics["patient"]["threshold"]
    assert metrics["patient"]["specificity"] == pytest.approx((~predicted)[patients.truth == 0].mean())


def test_the_recognition_rate_weighs_patients_alike(simulate: Simulate) -> None:
    test = simulate(2)
    kept = np.arange(72) % 6 <= test.patient % 5  # patients have one to five images
    test = test.select(kept)
    metrics = assessed(simulate, test=test)
    right = test.with_threshold(metrics["image"]["threshold"]).right
    by_hand = np.mean([right[test.patient == patient].mean() for patient in range(12)])
    assert metrics["patient"]["recognition_rate"] == pytest.approx(by_hand)
    assert metrics["patient"]["recognition_rate"] != pytest.approx(right.mean())


def test_another_seed_changes_resampled_intervals_only(simulate: Simulate) -> None:
    one = assess(simulate(1), simulate(2), PRIORS, SETTINGS, 7)
    another = assess(simulate(1), simulate(2), PRIORS, SETTINGS, 8)
    limits, others = one["image"].pop("ci"), another["image"].pop("ci")
    moved = {name for name, ends in limits.items() if ends != others[name]}
    assert {"mcc"} <= moved <= {"average_precision", "mcc"}
    assert one["image"] == another["image"]


def test_the_constant_prediction_is_compared_with_on_the_same_images(simulate: Simulate) -> None:
    metrics = assessed(simulate)
    for level in ("image", "patient"):
        for metric, test in metrics[level]["over_constant"].items():
            assert test["difference"] == pytest.approx(metrics[level][metric] - metrics[level]["baseline"][metric])
            assert test["ci"]["low"] <= test["difference"] <= test["ci"]["high"]
    assert metrics["image"]["over_constant"]["auc"]["p"] < 0.05


@pytest.mark.slow
def test_two_thousand_predictions_are_scored_at_both_levels_in_two_seconds(simulate: Simulate) -> None:
    images = simulate(0, n_patients=80, images=25)
    started = time.process_time()
    for units, of_patients in ((images, None), (patient_units(images), images)):
        assess_level(units, 0.5, {}, of_patients, 10_000, 7)
    assert time.process_time() - started < 2  # of both cores together
