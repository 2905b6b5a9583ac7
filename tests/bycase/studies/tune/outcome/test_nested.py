from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from bycase.core.errors import UserError
from bycase.core.seeding import generator
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


def test_resampled_scores_are_those_of_patients_drawn_by_hand(nested: Nested) -> None:
    paired, n = nested.paired, nested.paired.n_patients
    drawn = generator(7, "tune", "bootstrap").integers(n, size=(200, n))
    for resample in (0, 17, 199):
        for way in (0, 1):
            units = np.concatenate([np.flatnonzero(paired.patient == patient) for patient in drawn[resample]])
            wins = pairs = 0.0
            for fold in range(FOLDS):
                of_fold = units[paired.fold[units] == fold]
                scores, truth = paired.scores[way, of_fold, 1], paired.truth[of_fold]
                apart = scores[truth == 1][:, None] - scores[truth == 0][None, :]
                wins += (apart > 0).sum() + (apart == 0).sum() / 2
                pairs += apart.size
            assert nested.drawn[resample, way] == pytest.approx(wins / pairs)


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


def test_optimism_is_inner_minus_outer_and_its_interval_turned_round() -> None:
    found = optimism_of(0.9, 0.84, {"low": 0.78, "high": 0.88})
    assert found["estimate"] == pytest.approx(0.06)
    assert found["ci"] == pytest.approx({"low": 0.02, "high": 0.12})


def test_seeds_count_as_repeats() -> None:
    found = score({"tuned": 1.5}, repeats=2)
    by_seed = score_repeats(found, "tuned")
    assert list(by_seed) == [0, 1]
    assert np.mean(list(by_seed.values())) == pytest.approx(found.scores["tuned"])
    assert found.drawn.shape == (200, 1)


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
    assert len(set(patients.values())) == 59
