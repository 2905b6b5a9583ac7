from typing import Any

import numpy as np
import pandas as pd
import pytest
from bycase.statistics.leakage.head import out_of_fold
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


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
