from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score

from bycase.statistics.decisions import (
    GRID,
    SHOWN,
    assess_predictive_values,
    decision_curve,
    describe_decisions,
)
from bycase.statistics.units import Units, patient_units
from tests.fixtures.units import binary_units, class_units, leaves

Simulate = Callable[..., Units]


def test_net_benefit_by_hand() -> None:
    # Ten patients, four positive; from 0.2 up three of those and two others are acted on: 3/10 - 2/10 x 1/4.
    truth = [True] * 4 + [False] * 6
    scores = [0.9, 0.8, 0.3, 0.1, 0.7, 0.25, 0.15, 0.1, 0.05, 0.0]
    units = binary_units(truth, scores, np.arange(10))
    row = decision_curve(units, None, 7, np.array([0.2])).iloc[0]
    assert row["net_benefit"] == pytest.approx(0.3 - 0.2 / 4)
    assert row["treat_all"] == pytest.approx(0.4 - 0.6 / 4)
    assert row["gain"] == pytest.approx(0.25 - 0.25)
    assert row["treat_none"] == 0
    # Where 10 % are positive: 3/4 x .1 - 2/6 x .9 / 4.
    stated = decision_curve(units, 0.1, 7, np.array([0.2])).iloc[0]
    assert stated["net_benefit"] == pytest.approx(0.075 - 0.3 / 4)
    assert stated["treat_all"] == pytest.approx(0.1 - 0.9 / 4)
    assert stated["gain"] == pytest.approx(stated["net_benefit"])  # acting on none is better than on all


def test_the_curve_is_scikit_learns_confusion_at_every_threshold(simulate: Simulate) -> None:
    """Second source: Vickers and Elkin's formula, from counts."""
    units = simulate(3)
    table = decision_curve(units, None, 7)
    assert table["threshold"].tolist() == GRID.tolist()
    for _, row in table.iloc[::7].iterrows():
        t = row["threshold"]
        (_, false_positive), (_, true_positive) = confusion_matrix(units.truth, units.scores[:, 1] >= t)
        n = len(units.truth)
        assert row["net_benefit"] == pytest.approx(true_positive / n - false_positive / n * t / (1 - t))
    assert (table["low"] <= table["net_benefit"] + 1e-12).all()
    assert (table["high"] >= table["net_benefit"] - 1e-12).all()


def test_the_units_own_share_as_prevalence_changes_nothing(simulate: Simulate) -> None:
    units = simulate(3)
    own, stated = (decision_curve(units, prevalence, 7) for prevalence in (None, float((units.truth == 1).mean())))
    for name in ("net_benefit", "treat_all", "gain"):
        assert stated[name].to_numpy() == pytest.approx(own[name].to_numpy())


def test_intervals_are_by_patient(simulate: Simulate) -> None:
    units = simulate(3, 30, 10)
    alike = replace(units, truth=units.truth[units.patient * 10], scores=units.scores[units.patient * 10])
    by_image = replace(alike, patient=np.arange(len(units.truth)))
    widths = [
        (table["high"] - table["low"]).mean() for table in (decision_curve(each, None, 7) for each in (alike, by_image))
    ]
    assert widths[0] > 2.5 * widths[1]


def test_predictive_values_by_hand() -> None:
    # Altman and Bland (1994), liver scans: sensitivity .90, specificity .63; at 25 % prevalence PPV .45, NPV .95.
    truth = [True] * 258 + [False] * 86
    predicted = [True] * 231 + [False] * 27 + [True] * 32 + [False] * 54
    units = binary_units(truth, np.array(predicted, float), np.arange(len(truth)))
    found = assess_predictive_values(units, 0.25, 7)
    assert (found["ppv"], found["npv"]) == pytest.approx((0.45, 0.95), abs=0.005)
    own = assess_predictive_values(units, 258 / 344, 7)
    assert own["ppv"] == pytest.approx(precision_score(truth, predicted))
    assert own["npv"] == pytest.approx(precision_score(np.invert(truth), np.invert(predicted)))
    for name in ("ppv", "npv"):
        assert found["ci"][name]["low"] < found[name] < found["ci"][name]["high"]


def test_metrics_json_has_them_with_and_without_a_prevalence(simulate: Simulate) -> None:
    images = simulate(3)
    levels = {"image": images, "patient": patient_units(images)}
    own, stated = (describe_decisions(levels, levels["patient"], prevalence, 7) for prevalence in (None, 0.05))
    assert list(own) == ["net_benefit"]
    assert set(stated) == {"prevalence", "predictive_values", "net_benefit"}
    assert [int(name[-2:]) for name in own["net_benefit"]] == list(SHOWN)
    assert stated["predictive_values"]["image"]["ppv"] < (images.truth[images.predicted == 1] == 1).mean()
    assert all(np.isfinite(leaves(stated)))
    several = class_units(np.array([0, 1, 2]), np.eye(3), np.arange(3))
    assert describe_decisions({"image": several}, several, 0.05, 7) == {}
    with pytest.raises(ValueError, match="need a positive class"):
        decision_curve(several, 0.05, 7)


def test_nothing_predicted_positive_has_a_value_and_an_interval() -> None:
    units = binary_units([True, True, False, False, False], [0.1, 0.2, 0.1, 0.2, 0.3], np.arange(5))
    found = assess_predictive_values(units, 0.2, 7)
    assert (found["ppv"], found["npv"]) == (0, pytest.approx(0.8))
    assert all(np.isfinite(leaves(found)))
    table = decision_curve(units, None, 7)
    spared = table[table["threshold"] > 0.3]
    assert (spared["net_benefit"] == 0).all()
    assert (spared["high"] > 0).all()
    assert np.isfinite(table.to_numpy()).all()
