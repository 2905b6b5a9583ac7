from typing import Any

import pytest

from bycase.report.markdown import plain
from bycase.report.words import accuracy_verdict, auc_verdict, leak_words, metric_rows, missing_words, uncertainty_words
from tests.fixtures.report import make_uncertainty


def level(low: float, high: float, constant: float = 0.6) -> dict[str, Any]:
    limits = {"low": low, "high": high}
    return {"n_patients": 10, "ci": {"auc": limits, "accuracy": limits}, "baseline": {"accuracy": constant}}


@pytest.mark.parametrize(
    ("low", "high", "auc", "accuracy"),
    [
        (0.7, 0.9, "lies above 0.5", "lies above the 0.600"),
        (0.4, 0.9, "do not show", "includes the 0.600"),
        (0.5, 0.9, "do not show", "includes the 0.600"),
        (0.1, 0.4, "worse than a constant", "lies below the 0.600"),
    ],
)
def test_a_verdict_claims_no_more_than_its_interval(low: float, high: float, auc: str, accuracy: str) -> None:
    assert auc in auc_verdict(level(low, high))
    assert accuracy in accuracy_verdict(level(low, high))


def test_leaks_and_missing_images_are_said() -> None:
    assert leak_words(3).startswith("LEAKS: 3 cases")
    assert "No case" in leak_words(0)
    partial = missing_words({"images": 1107, "expected": 7909, "partial": True})
    assert partial.startswith("1,107 of 7,909 published images")


def test_sets_that_hold_every_class_are_called_so() -> None:
    content = make_uncertainty()
    assert "every class" not in uncertainty_words(content)
    whole = {**content["conformal"]["patient"], "least_probability": 0, "n_calibration": 8, "attainable": 8 / 9}
    words = uncertainty_words({**content, "conformal": {**content["conformal"], "patient": whole}})
    assert words.endswith("8 validation patients allow 88.9 % at most.")


def test_a_metric_that_no_level_has_takes_no_row() -> None:
    level = {"auc": 0.87123, "ci": {"auc": {"low": 0.784, "high": 0.936}}}
    assert metric_rows([level], ["auc", "mcc"]) == [("AUC", "0.871 (0.784 to 0.936)")]


def test_text_is_harmless_in_markdown() -> None:
    assert plain("a_b.png | <b>*x*\n`y`") == "a_b.png \\| \\<b\\>\\*x\\* \\`y\\`"
