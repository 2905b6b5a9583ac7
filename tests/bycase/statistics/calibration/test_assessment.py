import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from bycase.statistics.calibration.assessment import assess_calibration, assess_temperatures
from bycase.statistics.calibration.bins import equal_mass_bins
from bycase.statistics.calibration.temperature import apply_temperature
from bycase.statistics.units import Units, patient_units
from tests.fixtures.units import binary_units, leaves


def test_scaling_mends_what_is_too_sure(
    sharpened: Callable[..., Units], sharpened_classes: Callable[..., Units]
) -> None:
    for make in (sharpened, sharpened_classes):
        image = assess_calibration(make(0, 3.0), make(1, 3.0), 7)["image"]
        before, after = image["before"], image["after"]
        assert before["ece"] > 2 * after["ece"]
        assert before["slope"] < 0.5
        assert after["slope"] == pytest.approx(1, abs=0.2)
        assert after["log_loss"] < before["log_loss"]
        assert after["reliability"] < before["reliability"]


def test_before_is_the_plain_prediction_and_after_the_scaled(sharpened: Callable[..., Units]) -> None:
    validation, test = sharpened(0, 2.0), sharpened(1, 2.0)
    found = assess_calibration(validation, test, 7)
    for level, units in (("image", test), ("patient", patient_units(test))):
        temperature = found["temperature"] if level == "image" else found["patient"]["temperature"]
        for name, scores in (("before", units.scores), ("after", apply_temperature(units.scores, temperature))):
            at = found[level][name]
            assert at["log_loss"] == pytest.approx(log_loss(units.truth, scores))
            assert at["brier"] == pytest.approx(brier_score_loss(units.truth, scores[:, 1]))
            gap = np.bincount(equal_mass_bins(scores[:, 1]), scores[:, 1] - (units.truth == 1))
            assert at["ece"] == pytest.approx(np.abs(gap).sum() / len(units.truth))
    assert all(np.isfinite(leaves(found)))


def test_the_temperature_never_sees_test(sharpened: Callable[..., Units]) -> None:
    validation = sharpened(0, 2.0)
    one, other = (assess_calibration(validation, sharpened(seed), 7) for seed in (1, 2))
    assert one["temperature"] == other["temperature"]
    assert one["patient"]["temperature"] == other["patient"]["temperature"]


def test_intervals_hold_the_estimate_and_follow_patients(sharpened: Callable[..., Units]) -> None:
    units = sharpened(0, 2.0)
    by_image = replace(units, patient=np.arange(len(units.truth)))
    alike = replace(units, truth=units.truth[units.patient * 10], scores=units.scores[units.patient * 10])
    widths = []
    for of in (by_image, alike):
        found = assess_temperatures(of, 1.5, 7)
        for at in (found["before"], found["after"]):
            assert all(limits["low"] <= at[name] <= limits["high"] for name, limits in at["ci"].items())
        limits = found["before"]["ci"]["brier"]
        widths.append(limits["high"] - limits["low"])
    assert widths[1] > 2 * widths[0]


def test_out_of_fold_predictions_are_scaled_by_each_folds_temperature(sharpened: Callable[..., Units]) -> None:
    one, other = sharpened(0, 1.0), sharpened(1, 4.0)
    both = binary_units(
        np.concatenate([one.truth, other.truth]),
        np.concatenate([one.scores[:, 1], other.scores[:, 1]]),
        np.concatenate([one.patient, other.patient + one.n_patients]),
        np.repeat([0, 1], len(one.truth)),
    )
    found = assess_temperatures(both, np.repeat([1.0, 4.0], len(one.truth)), 7)
    assert found["before"]["ece"] > 0.05
    assert found["after"]["slope"] == pytest.approx(1, abs=0.15)
    assert found["after"]["slope"] > assess_temperatures(both, 2.0, 7)["after"]["slope"]


def test_a_test_part_of_a_patient_a_class_has_numbers_all_the_same(sharpened: Callable[..., Units]) -> None:
    test = binary_units([True, True, False, False], [0.9, 0.8, 0.3, 0.1], np.array([0, 0, 1, 1]))
    found = assess_calibration(sharpened(0), test, 7)
    assert all(np.isfinite(leaves(found)))


def test_ten_thousand_resamples_of_two_thousand_predictions_take_less_than_a_second(
    sharpened: Callable[..., Units],
) -> None:
    units = sharpened(0, 2.0, 100, 20)
    started = time.process_time()
    assess_temperatures(units, 2.0, 7)
    assert time.process_time() - started < 1
