import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bycase.core.seeding import derive_seed
from bycase.statistics.leakage.levels import LEVELS, find_levels
from bycase.statistics.leakage.meter import measure_leakage, out_of_fold

SETTINGS: dict[str, Any] = {"folds": 5, "repeats": 2, "logistic_C": 0.1, "resamples": 300, "seed": 7}


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


def test_patients_are_resampled_not_images(make_sample: Any) -> None:
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
    """Resampled alike, two levels share their patients' luck: unpaired, the interval would be as wide as both."""
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
    assert found["case"]["ci"]["auc"]["low"] < 0.9


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_scikit_learns_averaged_over_repeats(make_sample: Any, classes: int) -> None:
    features, manifest = make_sample(signal=1.0, identity=1.0, classes=classes)
    found = measure((features, manifest))["case"]
    truth, groups = numbers(manifest["label"]), find_levels(manifest, 5).groups["case"]
    aucs, accuracies = [], []
    for repeat in range(2):
        scores = out_of_fold(features, truth, groups, 5, 0.1, derive_seed(7, "leakage", repeat))
        aucs.append(roc_auc_score(truth, scores[:, 1] if classes == 2 else scores, multi_class="ovr"))
        accuracies.append(accuracy_score(truth, scores.argmax(axis=1)))
    assert (found["auc"], found["accuracy"]) == pytest.approx((np.mean(aucs), np.mean(accuracies)))


def test_draws_hold_every_class(make_sample: Any) -> None:
    features, manifest = make_sample(patients=15, classes=3)
    # Of one class two patients of fifteen: one draw in seven has neither.
    rare = manifest["group"].isin(manifest.loc[manifest["label"] == manifest["label"].iloc[0], "group"].unique()[2:])
    found = measure(
        (features, manifest.assign(label=manifest["label"].mask(rare, manifest["label"].iloc[-1]))), folds=2
    )
    assert 300 * 0.75 < found["resamples_used"] < 300 * 0.95


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
    np.testing.assert_allclose(out_of_fold(features, truth, groups, 5, 0.1, 3), expected, atol=1e-6)


def test_what_only_says_who_the_patient_is_helps_by_image_alone(make_sample: Any) -> None:
    features, manifest = make_sample(signal=0.0, identity=2.0, patients=60)
    truth = numbers(manifest["label"])
    auc = {
        level: roc_auc_score(truth, out_of_fold(features, truth, numbers(manifest[level]), 5, 0.1, 0)[:, 1])
        for level in ("image", "group")
    }
    assert auc["image"] > 0.85
    assert 0.3 < auc["group"] < 0.7


def test_several_classes_have_probabilities_that_sum_to_one(make_sample: Any) -> None:
    features, manifest = make_sample(signal=2.0, classes=3)
    truth = numbers(manifest["label"])
    probabilities = out_of_fold(features, truth, numbers(manifest["group"]), 5, 0.1, 0)
    assert probabilities.shape == (len(truth), 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == truth).mean() > 0.7
