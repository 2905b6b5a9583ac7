import pickle
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, check_cv, cross_val_predict, cross_val_score
from sklearn.model_selection.tests.test_split import check_cv_coverage

from bycase import CaseKFold
from bycase.datasets.splits.folds import assign_groups
from tests.bycase.api.conftest import Predictions


def features(data: Predictions) -> Any:
    return np.column_stack([data.score, data.other])


def fold_of(folds: CaseKFold, y: Any, patient: Any) -> Any:
    fold = np.full(len(y), -1)
    for number, (_, test) in enumerate(folds.split(np.zeros(len(y)), y, patient)):
        assert (fold[test] == -1).all()
        fold[test] = number
    return fold


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_splits", [2, 3, 5])
def test_no_patient_straddles_every_image_is_tested_once_and_folds_look_alike(n_splits: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(60), random.integers(1, 30, 60))
    y = np.where(patient % 3 == 0, "malignant", "benign")
    folds = CaseKFold(n_splits, random_state=seed)
    check_cv_coverage(folds, np.zeros((len(y), 1)), y, patient, n_splits)
    for train, test in folds.split(y, y, patient):
        assert not set(patient[train]) & set(patient[test])
        assert len(np.unique(np.concatenate([train, test]))) == len(y)
    fold = fold_of(folds, y, patient)
    cases = pd.DataFrame({"patient": patient, "y": y, "fold": fold}).drop_duplicates()
    assert np.abs(pd.crosstab(cases["y"], cases["fold"], normalize="index") - 1 / n_splits).to_numpy().max() < 0.06
    assert np.abs(pd.crosstab(y, fold, normalize="index") - 1 / n_splits).to_numpy().max() < 0.1


def test_the_folds_are_those_of_the_pipeline(predictions: Predictions) -> None:
    y, _, _, patient = predictions
    frame = pd.DataFrame({"label": y.astype(str), "subtype": "", "patient": patient})
    want = assign_groups(frame, {str(number): 0.25 for number in range(4)}, 3, "patient").astype(int)
    assert (fold_of(CaseKFold(4, random_state=3), y, patient) == want).all()


def test_the_seed_decides_and_only_it(predictions: Predictions) -> None:
    y, _, _, patient = predictions
    folds = CaseKFold(4)
    fold = fold_of(folds, y, patient)
    assert (fold_of(folds, y, patient) == fold).all()
    assert (fold_of(pickle.loads(pickle.dumps(folds)), list(y), list(patient)) == fold).all()
    order = np.random.default_rng(0).permutation(len(y))
    assert (fold_of(folds, y[order], patient[order]) == fold[order]).all()
    assert any((fold_of(CaseKFold(4, random_state=seed), y, patient) != fold).any() for seed in range(3))


def test_patients_of_both_classes_are_kept_together() -> None:
    """scikit-learn's trivial example of its own stratified groups."""
    y = np.array([1] * 6 + [0] * 12)
    groups = np.asarray((1, 2, 3, 4, 5, 6, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6))
    for train, test in CaseKFold(3).split(np.ones((18, 1)), y, groups):
        assert not set(groups[train]) & set(groups[test])
        assert y[test].mean() == pytest.approx(1 / 3)
        assert len(test) == 6


def test_it_is_a_splitter_of_scikit_learn(predictions: Predictions) -> None:
    y, _, _, patient = predictions
    data, model, folds = features(predictions), LogisticRegression(), CaseKFold(3, random_state=1)
    assert repr(folds) == "CaseKFold(n_splits=3, random_state=1)"
    assert check_cv(folds) is folds
    assert folds.get_n_splits() == folds.get_n_splits(data, y, patient) == 3
    scores = cross_val_score(model, data, y, groups=patient, cv=folds, scoring="roc_auc")
    parts = folds.split(data, y, patient)
    assert (scores == cross_val_score(model, data, y, cv=parts, scoring="roc_auc")).all()
    assert len(cross_val_predict(model, pd.DataFrame(data), pd.Series(y), groups=pd.Series(patient), cv=folds)) == len(
        y
    )
    search = clone(GridSearchCV(model, {"C": [0.01, 1.0]}, cv=folds, scoring="roc_auc"))
    assert repr(search.cv) == repr(folds)
    search.fit(data, y, groups=patient)
    assert search.n_splits_ == 3
    assert search.cv_results_["split0_test_score"][1] == scores[0]


def test_patients_are_routed_as_metadata(predictions: Predictions) -> None:
    y, _, _, patient = predictions
    data, model, folds = features(predictions), LogisticRegression(), CaseKFold(3)
    plain = cross_val_score(model, data, y, groups=patient, cv=folds)
    assert folds.get_metadata_routing().split.requests == {"groups": True}
    assert hasattr(folds, "set_split_request")
    with sklearn.config_context(enable_metadata_routing=True):
        assert (cross_val_score(model, data, y, params={"groups": patient}, cv=folds) == plain).all()
        assert GridSearchCV(model, {"C": [1.0]}, cv=folds).fit(data, y, groups=patient).best_score_ == plain.mean()


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"groups": None}, "groups: CaseKFold needs the images' patients"),
    ({"y": None}, "y: CaseKFold needs the images' classes"),
    ({"y": [0.1, 0.2, 0.3, 0.4]}, "y: CaseKFold needs classes, but this is continuous"),
    ({"groups": ["a", "a", "b"]}, "Found input variables with inconsistent numbers of samples: [4, 4, 3]"),
    ({"groups": ["a", None, "b", "c"]}, "groups: 1 of 4 values are missing, the first at position 1"),
    ({"groups": ["a", "a", "b", "c"]}, "class 0 has 1 patients, fewer than the 2 folds; lower n_splits"),
]


@pytest.mark.parametrize(("changed", "message"), FAULTS)
def test_what_cannot_be_split_is_refused(changed: dict[str, Any], message: str) -> None:
    given = {"X": np.zeros((4, 1)), "y": [0, 0, 1, 1], "groups": list("abcd")} | changed
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        next(CaseKFold(2).split(**given))


def test_folds_that_cannot_all_have_every_class_are_refused() -> None:
    y, patient = [0, 1, 1, 2, 2, 0], ["a", "a", "b", "b", "c", "c"]  # two of the three have all of a class
    with pytest.raises(ValueError, match="no division by patient gives each of the 2 folds every class"):
        next(CaseKFold(2).split(np.zeros(6), y, patient))


@pytest.mark.parametrize("given", [{"n_splits": 1}, {"n_splits": 2.0}, {"n_splits": True}, {"random_state": None}])
def test_settings_that_are_no_numbers_of_folds_or_seeds_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is no whole number from"):
        CaseKFold(**given)
