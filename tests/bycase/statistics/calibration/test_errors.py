from collections.abc import Callable

import numpy as np
import pytest

from bycase.statistics.calibration.bins import Forecasts, equal_mass_bins, make_forecasts
from bycase.statistics.calibration.errors import CalibrationError, measure_error
from bycase.statistics.units import Bools, Floats, Integers, Units
from speed.calibration import draw_calibrated
from speed.calibration import make_forecasts as bare_forecasts


def measure(outcome: Bools, confidence: Floats, patient: Integers, draws: int = 400, seed: int = 0) -> CalibrationError:
    return measure_error(bare_forecasts(outcome, confidence), patient, draws, np.random.default_rng(seed))


def test_the_calibration_error_by_hand() -> None:
    # Four units: two bins. 0.2 predicted where half come true; 0.7 predicted where all do.
    outcome = np.array([True, False, True, True])
    found = measure(outcome, np.array([0.1, 0.3, 0.6, 0.8]), np.arange(4))
    assert found.observed == pytest.approx((0.3 + 0.3) / 2)


def test_the_expectation_by_all_signs() -> None:
    """Second source: every pattern of signs of six patients, each as likely."""
    random = np.random.default_rng(3)
    patient = np.repeat(np.arange(6), 4)
    outcome, confidence = random.random(24) < 0.6, random.random(24)
    index, gap = equal_mass_bins(confidence), confidence - outcome
    errors = []
    for number in range(2**6):
        sign = np.array([1 if number >> p & 1 else -1 for p in range(6)])[patient]
        errors.append(np.abs(np.bincount(index, sign * gap)).sum() / 24)
    assert measure(outcome, confidence, patient, 20_000).expected == pytest.approx(np.mean(errors), rel=0.01)


def test_few_patients_get_a_larger_p_value_than_their_signs_alone() -> None:
    outcome, confidence, patient = draw_calibrated("label", 12, np.random.default_rng(5))
    found = measure(outcome, np.clip(confidence + 0.2, 0, 1), patient, 4000)
    index, gap = equal_mass_bins(np.clip(confidence + 0.2, 0, 1)), np.clip(confidence + 0.2, 0, 1) - outcome
    random = np.random.default_rng(1)
    signs = random.choice([-1, 1], size=(4000, 12))
    sums = np.abs(np.stack([np.bincount(index, s[patient] * gap) for s in signs])).sum(axis=1) / len(patient)
    assert found.p > np.mean(sums >= found.observed)


@pytest.mark.parametrize("design", ["shared", "label", "sharp"])
def test_calibrated_predictions_are_rejected_no_oftener_than_said(design: str) -> None:
    """As `python -m speed.calibration`, which takes more runs and patients."""
    random = np.random.default_rng(0)
    found = [measure(*draw_calibrated(design, 40, random), seed=run) for run in range(300)]
    assert np.mean([one.p <= 0.05 for one in found]) < 0.06 + 2 * np.sqrt(0.05 * 0.95 / 300)
    observed, expected = (np.mean([getattr(one, name) for one in found]) for name in ("observed", "expected"))
    assert expected == pytest.approx(observed, rel=0.06)


def test_predictions_that_are_too_sure_are_found() -> None:
    random = np.random.default_rng(1)
    ps = []
    for _ in range(40):
        outcome, confidence, patient = draw_calibrated("shared", 80, random)
        odds = confidence / (1 - confidence)
        ps.append(measure(outcome, odds**2 / (1 + odds**2), patient).p)
    assert np.mean(np.array(ps) <= 0.05) > 0.95


def test_images_that_are_alike_are_no_evidence() -> None:
    random = np.random.default_rng(2)
    one, confidence = random.random(15) < 0.5, np.repeat(np.linspace(0.3, 0.7, 15), 20)
    outcome = np.repeat(one, 20)
    by_patient, by_image = (
        measure(outcome, confidence, patient) for patient in (np.repeat(np.arange(15), 20), np.arange(300))
    )
    assert by_image.observed == by_patient.observed
    assert by_image.p < 0.01 < by_patient.p
    assert by_image.expected < 0.5 * by_patient.expected


def test_of_an_error_by_chance_alone_the_debiased_one_leaves_out_a_third_and_keeps_what_is_true() -> None:
    random = np.random.default_rng(3)
    found = [measure(*draw_calibrated("label", 40, random), draws=1) for _ in range(60)]
    assert np.mean([one.debiased for one in found]) < 0.7 * np.mean([one.observed for one in found])
    patient = np.repeat(np.arange(4000), 5)
    outcome = random.random(len(patient)) < 0.5
    wrong = measure(outcome, np.full(len(patient), 0.8) + 0.1 * random.random(len(patient)), patient, draws=1)
    assert wrong.observed == pytest.approx(0.35, abs=0.02)
    assert wrong.debiased == pytest.approx(wrong.observed, rel=0.02)


def test_one_patient_tests_nothing(sharpened: Callable[..., Units]) -> None:
    units = sharpened(0, 4.0, 1, 30)
    found = measure_error(make_forecasts(units), units.patient, 100, np.random.default_rng(0))
    assert found.p == 1
    sure = Forecasts(np.ones(4, bool), np.ones(4), np.zeros(4), np.zeros(4))
    none = measure_error(sure, np.arange(4), 100, np.random.default_rng(0))
    assert (none.observed, none.expected, none.debiased, none.p) == (0, 0, 0, 1)
