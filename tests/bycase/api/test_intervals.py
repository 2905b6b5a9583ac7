from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference
from statsmodels.stats.proportion import proportion_confint

import bycase
from bycase.apps.judge.assess import JudgeSettings, assess_table
from bycase.apps.judge.options import Options
from bycase.apps.judge.table import UNKNOWN_PATIENTS, read_predictions
from tests.bycase.api.conftest import Predictions, draw


def judged(folder: Path, frame: pd.DataFrame, threshold: float | None = None) -> dict[str, Any]:
    """What `bycase judge` says of the same rows."""
    frame.assign(image=[f"i{number:04}" for number in range(len(frame))]).to_csv(folder / "rows.csv", index=False)
    table = read_predictions(folder / "rows.csv", Options(), threshold)
    return assess_table(table, JudgeSettings(threshold, 500, 7))


def flat(level: dict[str, Any]) -> dict[str, Any]:
    return {name: (each["value"], each["low"], each["high"]) for name, each in level.items()}


def expected(level: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (level[name], ends["low"], ends["high"])
        for name, ends in limits.items()
        if name in level and name != "per_class" and isinstance(ends, dict)
    }


@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_the_numbers_are_those_of_judge(tmp_path: Path, predictions: Predictions, threshold: float) -> None:
    y, score, _, patient = predictions
    want = judged(tmp_path, pd.DataFrame({"label": y, "score": score, "patient": patient}), threshold)
    got = bycase.intervals(y, score, patient, threshold=threshold, resamples=500).to_dict()
    for level in ("image", "patient"):
        assert len(got[level]["metrics"]) >= 13
        assert flat(got[level]["metrics"]) == pytest.approx(expected(want[level], want[level]["ci"]), rel=1e-12)
        assert got[level]["n"] == want[level]["n"]


def test_the_numbers_of_several_classes_and_folds_are_those_of_judge(tmp_path: Path, predictions: Predictions) -> None:
    y, score, other, patient = predictions
    names = np.array(["a", "b", "c"])[(y + (np.arange(len(y)) % 5 == 0)).clip(max=2)]
    scores = np.column_stack([score, other, np.full(len(y), 0.4)])
    scores = pd.DataFrame(scores / scores.sum(axis=1, keepdims=True), columns=["a", "b", "c"])
    fold = [int(name[1:]) % 2 for name in patient]
    frame = scores.add_prefix("prob_").assign(label=names, patient=patient, fold=fold)
    want = judged(tmp_path, frame)
    found = bycase.intervals(names, scores, patient, fold=fold, resamples=500)
    got = found.to_dict()
    for level in ("image", "patient"):
        assert flat(got[level]["metrics"]) == pytest.approx(expected(want[level], want[level]["ci"]), rel=1e-9)
        for label in "abc":
            pair = want[level]["per_class"][label], want[level]["ci"]["per_class"][label]
            assert flat(got[level]["per_class"][label]) == pytest.approx(expected(*pair), rel=1e-9)
    assert found.threshold is None
    assert "the most probable of 3 classes predicted" in str(found)
    assert len(found.to_frame()) == 2 * (8 - 1 + 3 * 6) + 1


def test_values_are_scikit_learns(predictions: Predictions) -> None:
    y, score, _, patient = predictions
    found, predicted = bycase.intervals(y, score, patient, threshold=0.3, resamples=200).image, score >= 0.3
    want = {
        "auc": reference.roc_auc_score(y, score),
        "average_precision": reference.average_precision_score(y, score),
        "accuracy": reference.accuracy_score(y, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(y, predicted),
        "sensitivity": reference.recall_score(y, predicted),
        "specificity": reference.recall_score(y, predicted, pos_label=0),
        "precision": reference.precision_score(y, predicted),
        "npv": reference.precision_score(y, predicted, pos_label=0),
        "f1": reference.f1_score(y, predicted),
        "macro_f1": reference.f1_score(y, predicted, average="macro"),
        "mcc": reference.matthews_corrcoef(y, predicted),
        "brier": reference.brier_score_loss(y, score),
        "log_loss": reference.log_loss(y, score),
    }
    assert {name: estimate.value for name, estimate in found.metrics.items()} == pytest.approx(want)
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in found.metrics.values())


def test_one_image_a_patient_gives_clopper_and_pearsons_interval() -> None:
    y, score, _, patient = draw(60, 1)
    found = bycase.intervals(y, score, patient, resamples=200)
    right = int(((score >= 0.5) == y).sum())
    low, high = proportion_confint(right, 60, method="beta")
    for level in (found.image, found.patient):
        assert level is not None
        assert (level["accuracy"].low, level["accuracy"].high) == pytest.approx((low, high))
    unknown = bycase.intervals(y, score, resamples=200)
    assert unknown.image["auc"] == found.image["auc"]


def test_images_of_one_patient_do_not_count_as_independent(predictions: Predictions) -> None:
    y, score, _, patient = predictions
    known, unknown = bycase.intervals(y, score, patient, resamples=200), bycase.intervals(y, score, resamples=200)
    assert unknown.image["auc"].value == known.image["auc"].value
    spans = [found.image["auc"].high - found.image["auc"].low for found in (known, unknown)]
    assert spans[0] > 1.5 * spans[1]
    assert unknown.patient is None
    assert str(unknown).endswith(f"{UNKNOWN_PATIENTS}.")
    assert unknown.to_dict()["note"] == UNKNOWN_PATIENTS
    assert known.note == ""


def test_the_sentence_says_what_was_measured(predictions: Predictions) -> None:
    y, score, _, patient = predictions
    text = str(bycase.intervals(y, score, patient, threshold=0.4, classes=["benign", "malignant"]))
    assert text.startswith(f"192 images of 24 patients: AUC {reference.roc_auc_score(y, score):.3f}".replace("0.", "."))
    assert text.endswith("; malignant predicted from p = .4 up.")


def test_a_patient_may_have_images_of_both_classes(predictions: Predictions) -> None:
    y, score, _, patient = predictions
    mixed = y.copy()
    mixed[:4] = 1 - mixed[:4]
    found = bycase.intervals(mixed, score, patient, resamples=200)
    assert found.patient is not None
    assert found.patient.n == 25


def test_the_seed_decides_and_only_it(predictions: Predictions) -> None:
    y, score, _, patient = predictions
    one, same, other = (bycase.intervals(y, score, patient, resamples=200, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.image["average_precision"].low != other.image["average_precision"].low
