from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from bycase.core.errors import UserError
from bycase.studies.tune.outcome.nested import (
    Nested,
    describe_difference,
    name_patients,
    optimism_of,
    outer_rows,
    score_folds,
    score_repeats,
    score_ways,
)
from tests.fixtures.tune_outcome import FOLDS, THREE, TWO, make_manifest, make_predictions

ABOUT = {"classes": list(TWO), "positive": "Malignant", "monitor": "auc"}


def rows_of(skills: dict[str, float], classes: tuple[str, ...] = TWO, repeats: int = 1) -> pd.DataFrame:
    tables = []
    for number, (way, skill) in enumerate(skills.items()):
        for repeat in range(repeats):
            folds = {fold: make_predictions(fold, classes, skill, 10 * number + repeat) for fold in range(FOLDS)}
            patients = name_patients(folds, make_manifest(classes), classes)
            tables.append(outer_rows(way, repeat, folds, patients))
    return pd.concat(tables, ignore_index=True)


def score(skills: dict[str, float], monitor: str = "auc", classes: tuple[str, ...] = TWO, repeats: int = 1) -> Nested:
    about = {"classes": list(classes), "positive": "Malignant" if len(classes) == 2 else None, "monitor": monitor}
    return score_ways(rows_of(skills, classes, repeats), about, 200, 7)


@pytest.fixture(scope="module")
def nested() -> Nested:
    return score({"tuned": 1.5, "default": 1.0})


def test_the_outer_auc_is_of_pairs_within_folds(nested: Nested) -> None:
    aucs, pairs = [], []
    for fold in range(FOLDS):
        table = make_predictions(fold, TWO, 1.5, 0)
        truth = table["label"] == "Malignant"
        aucs.append(roc_auc_score(truth, table["Malignant"]))
        pairs.append(truth.sum() * (~truth).sum())
    assert nested.scores["tuned"] == pytest.approx(np.average(aucs, weights=pairs))
    assert score_folds(nested, "tuned") == pytest.approx(dict(enumerate(aucs)))


@pytest.mark.parametrize("monitor", ["accuracy", "balanced_accuracy", "f1", "loss"])
@pytest.mark.parametrize("classes", [TWO, THREE])
def test_scores_are_those_of_the_search(monitor: str, classes: tuple[str, ...]) -> None:
    found = score({"tuned": 1.5}, monitor, classes)
    table = pd.concat([make_predictions(fold, classes, 1.5, 0) for fold in range(FOLDS)])
    truth, predicted = table["label"], table[list(classes)].idxmax(axis="columns")
    average: Any = {"average": "macro"} if len(classes) > 2 else {"pos_label": "Malignant"}
    expected = {
        "accuracy": lambda: accuracy_score(truth, predicted),
        "balanced_accuracy": lambda: balanced_accuracy_score(truth, predicted),
        "f1": lambda: f1_score(truth, predicted, **average),
        "loss": lambda: -log_loss(truth, table[list(classes)], labels=list(classes)),
    }[monitor]()
    assert found.scores["tuned"] == pytest.approx(expected)
    assert found.limits["tuned"]["low"] < expected < found.limits["tuned"]["high"]


def test_the_gain_is_paired(nested: Nested) -> None:
    gain = describe_difference(nested.difference("tuned", "default"))
    assert gain["estimate"] == pytest.approx(nested.scores["tuned"] - nested.scores["default"])
    assert gain["ci"]["low"] < gain["estimate"] < gain["ci"]["high"]
    apart = [nested.limits[way]["high"] - nested.limits[way]["low"] for way in ("tuned", "default")]
    assert gain["ci"]["high"] - gain["ci"]["low"] < 0.7 * np.hypot(*apart)
    back = describe_difference(nested.difference("default", "tuned"))
    assert back["ci"]["low"] == pytest.approx(-gain["ci"]["high"])


def test_the_same_predictions_are_no_gain() -> None:
    rows = rows_of({"tuned": 1.0})
    found = score_ways(pd.concat([rows, rows.assign(model="default")], ignore_index=True), ABOUT, 100, 7)
    gain = describe_difference(found.difference("tuned", "default"))
    assert gain["estimate"] == 0
    assert gain["ci"]["low"] < 0 < gain["ci"]["high"]
    assert gain["p"] == 1


def inner_tables(skill: float, classes: tuple[str, ...] = TWO) -> list[pd.DataFrame]:
    return [make_predictions(fold, classes, skill, 0, inner=True) for fold in range(FOLDS)]


def inner_score(tables: list[pd.DataFrame], metric: Any) -> float:
    """The mean over inner folds and searches, by scikit-learn."""
    folds = [rows for table in tables for _, rows in table.groupby("fold")]
    return float(np.mean([metric(rows["label"] == "Malignant", rows["Malignant"]) for rows in folds]))


@pytest.mark.parametrize(("monitor", "sign"), [("auc", 1), ("accuracy", 1), ("loss", -1), ("f1", 1)])
def test_optimism_is_inner_minus_outer_and_paired_by_patient(monitor: str, sign: int) -> None:
    found = score({"tuned": 1.5}, monitor)
    inner = found.scores["tuned"] + 0.06
    honest = optimism_of(found, "tuned", inner_tables(1.5), [inner] * FOLDS)
    assert honest["estimate"] == pytest.approx(0.06)
    outer = found.limits["tuned"]
    ends = honest["ci"]
    assert ends["low"] < 0.06 < ends["high"]
    # What patients are like is in both scores, and most of the outer one's uncertainty.
    assert ends["high"] - ends["low"] < 0.7 * (outer["high"] - outer["low"])


def test_optimism_that_is_there_is_shown() -> None:
    """Inner folds that are predicted better than the outer ones; by the outer score's interval it would be lost."""
    found = score({"tuned": 1.0})
    better = inner_tables(1.25)
    inner = inner_score(better, roc_auc_score)
    shown = optimism_of(found, "tuned", better, [inner] * FOLDS)
    assert shown["estimate"] == pytest.approx(inner - found.scores["tuned"])
    assert shown["ci"]["low"] > 0
    assert inner - found.limits["tuned"]["high"] < 0


def test_no_optimism_is_not_shown() -> None:
    found = score({"tuned": 1.0})
    same = inner_tables(1.0)
    ends = optimism_of(found, "tuned", same, [inner_score(same, roc_auc_score)] * FOLDS)["ci"]
    assert ends["low"] < 0 < ends["high"]


@pytest.mark.slow
def test_how_often_optimism_is_shown() -> None:
    """New patients and new noise each time: rarely where there is none, mostly where it is .06."""
    random, shown = np.random.default_rng(0), {0.0: 0, 0.8: 0}
    for _ in range(200):
        nature = random.normal(size=90)
        for gain in shown:
            tables = {fold: _redrawn(make_predictions(fold), nature, 1.0, random) for fold in range(FOLDS)}
            inner = [_redrawn(make_predictions(fold, inner=True), nature, 1.0 + gain, random) for fold in range(FOLDS)]
            rows = outer_rows("tuned", 0, tables, name_patients(tables, make_manifest(), TWO))
            nested = score_ways(rows, ABOUT, 100, 7)
            reached = optimism_of(nested, "tuned", inner, [inner_score(inner, roc_auc_score)] * FOLDS)
            shown[gain] += reached["ci"]["low"] > 0
    assert shown[0.0] / 200 < 0.06
    assert shown[0.8] / 200 > 0.6


def _redrawn(table: pd.DataFrame, nature: np.ndarray, skill: float, random: np.random.Generator) -> pd.DataFrame:
    number = table["group"].str[1:].astype(int).to_numpy()
    logit = nature[number] + 0.3 * random.normal(size=len(table))
    logit += skill * np.where(table["label"] == "Malignant", 0.5, -0.5)
    positive = 1 / (1 + np.exp(-logit))
    return table.assign(Benign=1 - positive, Malignant=positive)


def test_seeds_count_as_repeats() -> None:
    found = score({"tuned": 1.5}, repeats=2)
    by_seed = score_repeats(found, "tuned")
    assert list(by_seed) == [0, 1]
    assert np.mean(list(by_seed.values())) == pytest.approx(found.scores["tuned"])


def test_a_fold_of_one_class_has_no_score() -> None:
    rows = rows_of({"tuned": 1.0})
    kept = rows[(rows["fold"] > 0) | (rows["label"] == "Benign")]
    assert list(score_folds(score_ways(kept, ABOUT, 100, 7), "tuned")) == [1, 2]


def test_a_patient_or_an_image_in_two_folds_is_refused() -> None:
    folds = {fold: make_predictions(fold) for fold in range(FOLDS)}
    manifest = make_manifest()
    moved = pd.concat([folds[1], folds[0].iloc[:1]], ignore_index=True)
    with pytest.raises(UserError, match=r"the patient of image \S+ is in two outer folds"):
        name_patients({**folds, 0: folds[0].iloc[1:], 1: moved}, manifest, TWO)
    with pytest.raises(UserError, match=r"stands twice"):
        name_patients({**folds, 1: moved}, manifest, TWO)


def test_patients_that_the_split_joined_are_one() -> None:
    folds = {fold: make_predictions(fold) for fold in range(FOLDS)}
    names = set(folds[0]["group"].unique()[:2])
    folds[0]["group"] = folds[0]["group"].where(~folds[0]["group"].isin(names), "joined")
    patients = name_patients(folds, make_manifest(), TWO)
    assert len(set(patients.values())) == 89
