from collections.abc import Callable

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import t

from bycase.statistics.calibration.recalibration import STEEPEST, log_odds, recalibrate
from bycase.statistics.units import Bools, Floats, Integers, Units
from speed.calibration import draw_calibrated

NAMES = ("slope", "intercept", "in_the_large")


def drawn(design: str = "shared", patients: int = 30, seed: int = 0) -> tuple[Bools, Floats, Integers]:
    return draw_calibrated(design, patients, np.random.default_rng(seed))


def values(outcome: Bools, confidence: Floats, patient: Integers) -> tuple[float, ...]:
    found = recalibrate(outcome, confidence, patient)
    return tuple(found[name].value for name in NAMES)


@pytest.mark.parametrize("factor", [0.3, 1.0, 6.0])
def test_all_three_are_statsmodels(sharpened: Callable[..., Units], factor: float) -> None:
    units = sharpened(0, factor).against_rest(1)
    x, outcome = log_odds(units.scores), units.truth.astype(float)
    joint = sm.GLM(outcome, sm.add_constant(x), sm.families.Binomial()).fit()
    offset = sm.GLM(outcome, np.ones(len(x)), sm.families.Binomial(), offset=x).fit()
    slope, intercept, large = values(units.truth, units.scores, units.patient)
    assert [intercept, slope] == pytest.approx(joint.params.tolist(), abs=1e-5)
    assert large == pytest.approx(offset.params[0], abs=1e-5)
    assert slope == pytest.approx(1 / factor, rel=0.2)


def test_errors_leave_each_patient_out_of_statsmodels_least_squares() -> None:
    """Second source: the weighted least squares that the fit ends in, with every patient left out in turn."""
    outcome, confidence, patient = drawn()
    x, found = log_odds(confidence), recalibrate(outcome, confidence, patient)
    designs = {"slope": (sm.add_constant(x), 0.0), "in_the_large": (np.ones((len(x), 1)), x)}
    for name, (design, offset) in designs.items():
        start = [found["intercept"].value, found["slope"].value] if name == "slope" else [found[name].value]
        linear = design @ np.array(start) + offset
        p = expit(linear)
        working = linear - offset + (outcome - p) / (p * (1 - p))
        without = [
            sm.WLS(working[patient != j], design[patient != j], (p * (1 - p))[patient != j]).fit().params
            for j in range(30)
        ]
        error = np.sqrt(29 / 30 * ((np.array(without) - start) ** 2).sum(axis=0))[-1]
        fewest = min(len(np.unique(patient[rows])) for rows in (outcome, ~outcome))
        reach = t.isf(0.025, fewest - 1) * error
        assert found[name].high - found[name].value == pytest.approx(reach, rel=1e-5)
        assert found[name].value - found[name].low == pytest.approx(reach, rel=1e-5)


def test_with_many_patients_errors_are_statsmodels_clustered_ones() -> None:
    outcome, confidence, patient = drawn(patients=600)
    x, found = log_odds(confidence), recalibrate(outcome, confidence, patient)
    options = {"cov_type": "cluster", "cov_kwds": {"groups": patient}}
    joint = sm.GLM(outcome.astype(float), sm.add_constant(x), sm.families.Binomial()).fit(**options)
    offset = sm.GLM(outcome.astype(float), np.ones(len(x)), sm.families.Binomial(), offset=x).fit(**options)
    for name, error in zip(NAMES, (joint.bse[1], joint.bse[0], offset.bse[0]), strict=True):
        assert (found[name].high - found[name].low) / 2 / 1.964 == pytest.approx(error, rel=0.01)


@pytest.mark.parametrize(("design", "least"), [("shared", 0.89), ("label", 0.89)])
def test_intervals_hold_what_is_true(design: str, least: float) -> None:
    """As `python -m speed.calibration`, which takes more runs and patients."""
    held = []
    for seed in range(200):
        found = recalibrate(*drawn(design, 40, seed))
        held.append([found[name].low <= true <= found[name].high for name, true in zip(NAMES, (1, 0, 0), strict=True)])
    assert np.mean(held, axis=0) == pytest.approx([0.95] * 3, abs=0.95 - least)


def test_images_ignored_as_clusters_would_be_too_sure() -> None:
    outcome, confidence, patient = drawn("label", 40)
    by_patient, by_image = (recalibrate(outcome, confidence, p) for p in (patient, np.arange(len(patient))))
    for name in NAMES:
        assert by_image[name].value == pytest.approx(by_patient[name].value)
        assert by_patient[name].high - by_patient[name].low > 2 * (by_image[name].high - by_image[name].low)


def test_the_intercept_of_the_joint_fit_is_not_calibration_in_the_large() -> None:
    """Too sure and moved so that they are right on average: in the large 0, the joint intercept is not."""
    outcome, confidence, patient = drawn(patients=300)
    odds = 3 * log_odds(confidence)
    odds += recalibrate(outcome, expit(odds), patient)["in_the_large"].value
    slope, intercept, large = values(outcome, expit(odds), patient)
    assert large == pytest.approx(0, abs=1e-6)
    assert slope == pytest.approx(1 / 3, abs=0.05)
    assert abs(intercept) > 0.1


def test_separated_outcomes_end_at_the_steepest_slope_of_which_nothing_is_known() -> None:
    truth, scores = np.array([False] * 4 + [True] * 4), np.array([0.3, 0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7])
    for outcome, sign in ((truth, 1), (~truth, -1)):
        slope = recalibrate(outcome, scores, np.arange(8))["slope"]
        assert slope.value == pytest.approx(sign * STEEPEST)
        assert (slope.low, slope.high) == (-STEEPEST, STEEPEST)


def test_predictions_or_outcomes_all_alike_say_nothing_of_the_slope() -> None:
    alike = recalibrate(np.array([True, False, True]), np.full(3, 0.7), np.arange(3))
    assert alike["slope"].value == 1
    assert alike["in_the_large"].value == pytest.approx(np.log(2) - np.log(7 / 3))
    assert (alike["slope"].low, alike["slope"].high) == (-STEEPEST, STEEPEST)
    for outcome, end in ((True, STEEPEST), (False, -STEEPEST)):
        certain = recalibrate(np.full(3, outcome), np.array([0.2, 0.6, 0.9]), np.arange(3))
        assert [certain[name].value for name in NAMES] == [1, end, end]
        assert all((one.low, one.high) == (-STEEPEST, STEEPEST) for one in certain.values())


def test_probabilities_of_0_and_1_are_fitted() -> None:
    truth = np.array([True, True, False, False, True, False] * 10)
    scores = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 1.0] * 10)
    slope, intercept, _ = values(truth, scores, np.repeat(np.arange(10), 6))
    assert slope == pytest.approx(np.log(2) / log_odds(np.array([1.0]))[0], rel=1e-4)
    assert intercept == pytest.approx(0, abs=1e-6)
