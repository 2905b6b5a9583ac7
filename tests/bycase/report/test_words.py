from typing import Any

import pytest

from bycase.report.words import (
    accuracy_verdict,
    auc_verdict,
    leak_words,
    leakage_words,
    metric_rows,
    missing_words,
    power_words,
    training_words,
    uncertainty_words,
)
from bycase.statistics.power.resolution import SCENARIOS
from tests.fixtures.report import make_uncertainty


def level(low: float, high: float, constant: float = 0.6) -> dict[str, Any]:
    limits = {"low": low, "high": high}
    middle = (low + high) / 2 - constant
    tested = {
        "difference": middle,
        "ci": {end: value - constant for end, value in limits.items()},
        "p": 0.6 if low <= constant <= high else 0.01,
    }
    return {
        "n": 30,
        "n_patients": 10,
        "ci": {"auc": limits, "accuracy": limits},
        "baseline": {"accuracy": constant},
        "over_constant": {"accuracy": tested},
    }


@pytest.mark.parametrize(
    ("low", "high", "auc", "accuracy"),
    [
        (
            0.7,
            0.9,
            "lies above 0.5",
            "is above the 0.600 of a constant prediction: difference +0.200 (95 % CI +0.100 to +0.300), p = .010",
        ),
        (0.4, 0.9, "do not show", "is not shown to differ from the 0.600"),
        (0.5, 0.9, "do not show", "is not shown to differ from the 0.600"),
        (0.1, 0.4, "worse than a constant", "is below the 0.600"),
    ],
)
def test_a_verdict_claims_no_more_than_its_interval(low: float, high: float, auc: str, accuracy: str) -> None:
    assert auc in auc_verdict({"image": level(low, high), "patient": {}})
    assert accuracy in accuracy_verdict(level(low, high))


def test_without_patients_nothing_is_said_of_them() -> None:
    assert "these 10 patients do not show" in auc_verdict({"image": level(0.4, 0.9), "patient": {}})
    assert "these 30 images do not show" in auc_verdict({"image": level(0.4, 0.9)})
    assert leak_words(0, patients_known=False) == (
        "Whether a patient has images on both sides of the split is not known."
    )
    noted = {**make_uncertainty(), "note": "patients unknown"}
    assert "patients" not in uncertainty_words(noted)
    leakage = {"strictest": "image", "inflation": {}, "note": "patients unknown"}
    assert leakage_words(leakage).startswith("No patient is known")
    power = {"assumptions": {"power": 0.8, "alpha": 0.05}, "test": {}, "note": "patients unknown"}
    found = {key: {"accuracy_points": 1.0, "auc_points": None} for key in SCENARIOS}
    power["all"] = {"n_patients": 9, **found}
    assert "(9 groups, patients unknown): accuracy 1.0 / 1.0 / 1.0, AUC none / none / none" in power_words(power)


def test_leaks_and_missing_images_are_said() -> None:
    assert leak_words(3).startswith("LEAKAGE: 3 cases")
    assert "No case" in leak_words(0)
    partial = missing_words({"images": 1107, "expected": 7909, "partial": True})
    assert partial.startswith("1,107 of 7,909 published images")


def test_sets_that_contain_every_class_say_so() -> None:
    content = make_uncertainty()
    assert "every class" not in uncertainty_words(content)
    whole = {**content["conformal"]["patient"], "conformal_threshold": 0, "n_calibration": 8, "attainable": 8 / 9}
    words = uncertainty_words({**content, "conformal": {**content["conformal"], "patient": whole}})
    assert words.endswith("8 validation patients allow a coverage of 88.9 % at most.")


def test_a_metric_that_no_level_has_takes_no_row() -> None:
    level = {"auc": 0.87123, "ci": {"auc": {"low": 0.784, "high": 0.936}}}
    assert metric_rows([level], ["auc", "mcc"]) == [("AUC", "0.871 (0.784 to 0.936)")]


@pytest.mark.parametrize(
    ("head", "part"), [("logistic", "an L2 penalty by L-BFGS"), ("neighbours", "inverse distance")]
)
def test_a_head_that_is_fitted_at_once_is_described_without_epochs(head: str, part: str, make_params: Any) -> None:
    words = training_words(make_params({"zoo.resnet50v2.head": head}), "resnet50v2")
    assert words.startswith("backbone frozen, head fitted at once: ")
    assert part in words
    assert "chosen by validation AUC; class weights balanced" in words
    assert "epochs" not in words
    assert "at most 60 epochs" in training_words(make_params({}), "resnet50v2")
