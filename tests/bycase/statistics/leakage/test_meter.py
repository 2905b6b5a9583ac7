import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bycase.core.seeding import derive_seed
from bycase.statistics.leakage.levels import LEVELS, find_levels
from bycase.statistics.leakage.meter import measure_leakage, out_of_fold

SETTINGS: dict[str, Any] = {"folds": 5, "repeats": 2, "logistic_C": 0.1, "seed": 7}


def measure(sample: Any, **changes: Any) -> dict[str, Any]:
    features, manifest = sample
    settings = SETTINGS | changes
    return measure_leakage(features, manifest, find_levels(manifest, settings["folds"]), **settings)


def test_identity_inflates_and_the_interval_says_so(make_sample: Any) -> None:
    found = measure(make_sample(signal=1.0, identity=2.0))
    image, folder, case = (found[level]["auc"] for level in ("image", "folder", "case"))
    assert image > folder > case
    assert found["inflation"]["auc"] == pytest.approx(100 * (image - case))
    limits = found["inflation"]["ci"]["auc"]
    assert 0 < limits["low"] < found["inflation"]["auc"] < limits["high"]
    assert found["inflation"] == found["image"]["inflation"]
    assert found["case"]["inflation"]["auc"] == 0
    assert found["group"] is None
    assert found["strictest"] == "case"


def test_patients_count_not_images(make_sample: Any) -> None:
    features, manifest = make_sample(signal=1.0, identity=2.0)
    alone = manifest.assign(group=[f"{k}" for k in range(len(manifest))])
    levels = find_levels(manifest, 5)
    width = []
    for table in (manifest, alone):
        limits = measure_leakage(features, table, levels, **SETTINGS)["case"]["ci"]["auc"]
        width.append(limits["high"] - limits["low"])
    assert width[0] > 1.5 * width[1]


def test_without_identity_nothing_is_inflated(make_sample: Any) -> None:
    found = measure(make_sample(signal=1.0, identity=0.0))
    for metric in ("auc", "accuracy"):
        limits = found["inflation"]["ci"][metric]
        assert limits["low"] < 0 < limits["high"]
        assert abs(found["inflation"][metric]) < 3


def test_the_difference_is_paired(make_sample: Any) -> None:
    """Two levels share their patients' luck: unpaired, the interval would be as wide as both."""
    found = measure(make_sample(signal=1.0, identity=0.0))
    paired = found["inflation"]["ci"]["auc"]
    width = [
        100 * (found[level]["ci"]["auc"]["high"] - found[level]["ci"]["auc"]["low"]) for level in ("image", "case")
    ]
    assert paired["high"] - paired["low"] < 0.6 * np.hypot(*width)


def test_it_repeats_exactly_and_is_plain_json(make_sample: Any) -> None:
    first, second = (measure(make_sample(signal=1.0, identity=1.0)) for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(second)
    assert first != measure(make_sample(signal=1.0, identity=1.0), seed=8)


@pytest.mark.parametrize("classes", [2, 3])
def test_keys_are_the_same_for_all_data_sets(make_sample: Any, classes: int) -> None:
    features, manifest = make_sample(signal=1.0, classes=classes)
    own = manifest.assign(folder="", case=manifest["image"], group=manifest["image"])
    full, bare = measure((features, manifest)), measure((features, own))
    assert list(full) == list(bare)
    assert full["n_classes"] == classes
    assert set(LEVELS) < set(full)
    assert bare["strictest"] == "image"
    assert bare["inflation"]["auc"] == 0


def test_a_perfect_score_has_no_perfect_interval(make_sample: Any) -> None:
    found = measure(make_sample(signal=60.0))
    assert found["case"]["auc"] == 1
    assert found["case"]["ci"]["auc"]["low"] < 0.95
    limits = found["inflation"]["ci"]["auc"]
    assert found["inflation"]["auc"] == 0
    assert limits["low"] < -1
    assert limits["high"] > 1


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_scikit_learns_averaged_over_repeats(make_sample: Any, classes: int) -> None:
    features, manifest = make_sample(signal=1.0, identity=1.0, classes=classes)
    found = measure((features, manifest))["case"]
    truth, groups = numbers(manifest["label"]), find_levels(manifest, 5).groups["case"]
    aucs, accuracies = [], []
    for repeat in range(2):
        scores, fold = out_of_fold(features, truth, groups, 5, 0.1, derive_seed(7, "leakage", repeat))
        aucs.append(auc_within_folds(truth, scores, fold))
        accuracies.append(accuracy_score(truth, scores.argmax(axis=1)))
    assert (found["auc"], found["accuracy"]) == pytest.approx((np.mean(aucs), np.mean(accuracies)))


def test_heads_of_other_folds_are_not_ranked_against_each_other(make_sample: Any) -> None:
    """Pooled over folds, the AUC mixes the scales of five heads; moved by fold, it would stay what it is within."""
    features, manifest = make_sample(signal=1.0)
    truth, groups = numbers(manifest["label"]), find_levels(manifest, 5).groups["case"]
    scores, fold = out_of_fold(features, truth, groups, 5, 0.1, derive_seed(7, "leakage", 0))
    found = measure((features, manifest), repeats=1)["case"]["auc"]
    assert found == pytest.approx(auc_within_folds(truth, scores, fold))
    assert found != pytest.approx(roc_auc_score(truth, scores[:, 1]), abs=1e-6)


def test_draws_of_folds_are_in_the_interval(make_sample: Any) -> None:
    """As by hand: variances over patients and over draws, less how patients differ between draws, which both hold."""
    features, manifest = make_sample(signal=1.0, identity=0.0)
    truth, levels = numbers(manifest["label"]), find_levels(manifest, 5)
    gains, errors = [], []
    for repeat in range(4):
        seed, of = derive_seed(7, "leakage", repeat), []
        for level in ("image", "case"):
            scores, _ = out_of_fold(features, truth, levels.groups[level], 5, 0.1, seed)
            of.append((scores.argmax(axis=1) == truth).astype(float))
        gains.append((of[0] - of[1]).mean())
        errors.append(of[0] - of[1] - gains[-1])
    patient = numbers(manifest["group"])
    n = patient.max() + 1
    each = np.sqrt(n / (n - 1)) * np.stack([np.bincount(patient, of) / len(truth) for of in errors])
    shared = each.var(axis=0, ddof=1).sum() / 4
    variances = max((each.mean(axis=0) ** 2).sum() - shared, 0), np.var(gains, ddof=1) / 4
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / (n - 1) + variances[1] ** 2 / 3)
    reach = student_t.ppf(0.975, freedom) * np.sqrt(sum(variances))
    found = measure((features, manifest), repeats=4)["inflation"]
    assert found["accuracy"] == pytest.approx(100 * np.mean(gains))
    ends = {"low": 100 * (np.mean(gains) - reach), "high": 100 * (np.mean(gains) + reach)}
    assert found["ci"]["accuracy"] == pytest.approx(ends)


def auc_within_folds(truth: np.ndarray, scores: np.ndarray, fold: np.ndarray) -> float:
    """Each fold's AUC by scikit-learn, weighted by its pairs, and averaged over the classes."""
    of_classes = []
    for column in range(scores.shape[1]):
        positive = truth == column
        parts = [fold == number for number in np.unique(fold)]
        aucs = [roc_auc_score(positive[part], scores[part, column]) for part in parts]
        of_classes.append(np.average(aucs, weights=[positive[part].sum() * (~positive[part]).sum() for part in parts]))
    return float(np.mean(of_classes))


def numbers(column: "pd.Series[Any]") -> Any:
    return pd.factorize(column, sort=True)[0].astype(np.int64)


@pytest.mark.parametrize("level", ["image", "group"])
def test_predictions_are_those_of_scikit_learns_own_loop(make_sample: Any, level: str) -> None:
    features, manifest = make_sample(signal=1.0, identity=1.0)
    truth, groups = numbers(manifest["label"]), numbers(manifest[level])
    kind = StratifiedKFold if level == "image" else StratifiedGroupKFold
    expected = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)),
        features,
        truth,
        groups=groups,
        cv=kind(5, shuffle=True, random_state=3).split(features, truth, groups if level == "group" else None),
        method="predict_proba",
    )
    np.testing.assert_allclose(out_of_fold(features, truth, groups, 5, 0.1, 3)[0], expected, atol=1e-6)


def test_what_only_says_who_the_patient_is_helps_by_image_alone(make_sample: Any) -> None:
    features, manifest = make_sample(signal=0.0, identity=2.0, patients=60)
    truth = numbers(manifest["label"])
    auc = {
        level: roc_auc_score(truth, out_of_fold(features, truth, numbers(manifest[level]), 5, 0.1, 0)[0][:, 1])
        for level in ("image", "group")
    }
    assert auc["image"] > 0.85
    assert 0.3 < auc["group"] < 0.7


def test_several_classes_have_probabilities_that_sum_to_one(make_sample: Any) -> None:
    features, manifest = make_sample(signal=2.0, classes=3)
    truth = numbers(manifest["label"])
    probabilities, fold = out_of_fold(features, truth, numbers(manifest["group"]), 5, 0.1, 0)
    assert probabilities.shape == (len(truth), 3)
    assert np.bincount(fold).shape == (5,)
    assert all(len(set(fold[manifest["group"] == group])) == 1 for group in set(manifest["group"]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == truth).mean() > 0.7
