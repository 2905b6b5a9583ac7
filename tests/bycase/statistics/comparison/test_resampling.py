from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from bycase.statistics.comparison.delong import auc_covariance
from bycase.statistics.comparison.paired import Paired, paired_benchmark, patient_level
from bycase.statistics.comparison.resampling import (
    METRICS,
    OF_POSITIVE,
    metrics_of,
    point_values,
    resampled_values,
    values_of_repeats,
)


@pytest.fixture(scope="module", params=["two", "three"])
def paired(request: pytest.FixtureRequest) -> Paired:
    files: Any = request.getfixturevalue(request.param)
    return paired_benchmark(files.predictions, files.about["classes"], files.about["positive"], Path("p.csv"))


def test_point_values_are_scikit_learns(paired: Paired) -> None:
    values = point_values(paired)
    assert tuple(values) == metrics_of(paired)
    assert set(METRICS) - set(values) == (set() if paired.positive == 1 else set(OF_POSITIVE))
    for number in range(len(paired.models)):
        predicted = paired.predicted[number]
        assert values["accuracy"][number] == pytest.approx(accuracy_score(paired.truth, predicted))
        assert values["macro_f1"][number] == pytest.approx(f1_score(paired.truth, predicted, average="macro"))
        assert values["balanced_accuracy"][number] == pytest.approx(
            recall_score(paired.truth, predicted, average="macro")
        )


def test_ranks_are_compared_within_folds(paired: Paired) -> None:
    columns = list(paired.units(0).targets)
    targets, scores = paired.truth[:, None] == columns, paired.scores[:, :, columns]
    auc, _ = auc_covariance(targets, scores, paired.patient, paired.fold)
    assert point_values(paired)["auc"] == pytest.approx(auc)
    # A fold's scores may all be higher than another's.
    moved = replace(paired, scores=paired.scores / 2 + paired.fold[:, None] / 20)
    assert point_values(moved)["auc"] == pytest.approx(auc)
    one_fold = paired.fold == 0
    one = [roc_auc_score(targets[one_fold, 0], network[one_fold, 0]) for network in scores]
    alone, _ = auc_covariance(
        targets[one_fold, :1], scores[:, one_fold, :1], paired.patient[one_fold], paired.fold[one_fold]
    )
    assert alone == pytest.approx(one)


def test_all_networks_get_the_same_patients(paired: Paired) -> None:
    same = replace(
        paired,
        models=("a", "b"),
        scores=paired.scores[[1, 1]],
        predicted=paired.predicted[[1, 1]],
        patient_threshold=paired.patient_threshold[[1, 1]],
    )
    for level in (same, patient_level(same)):
        for values in resampled_values(level, 50, 7).values():
            assert values.shape == (50, 2)
            assert (values[:, 0] == values[:, 1]).all()
            assert np.ptp(values[:, 0]) > 0


def test_seeds(paired: Paired) -> None:
    one, again, other = (resampled_values(paired, 20, seed)["accuracy"] for seed in (7, 7, 8))
    assert (one == again).all()
    assert (one != other).any()


def test_repeats(two: Any) -> None:
    paired = paired_benchmark(two.predictions, two.about["classes"], two.about["positive"], Path("p.csv"))
    table = two.predictions
    right = (table["label"] == "Malignant") == (table["Malignant"] >= table["threshold"])
    expected = right.groupby([table["model"], table["repeat"]]).mean().unstack("model")
    assert values_of_repeats(paired, "accuracy") == pytest.approx(expected[list(paired.models)].to_numpy())
