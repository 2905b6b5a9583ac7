from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from bycase.statistics.comparison.paired import Paired, paired_benchmark, patient_level
from bycase.statistics.comparison.resampling import (
    METRICS,
    OF_POSITIVE,
    assess_network,
    assess_recognition,
    metrics_of,
    point_values,
    values_of_repeats,
)
from bycase.statistics.influence import draws_of, measure_influence
from bycase.statistics.intervals import metric_interval


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
    folds = np.unique(paired.fold)
    for number, found in enumerate(point_values(paired)["auc"]):
        aucs = []
        for column in columns:
            truth, scores = paired.truth == column, paired.scores[number, :, column]
            parts = [paired.fold == fold for fold in folds]
            pairs = [truth[part].sum() * (~truth[part]).sum() for part in parts]
            each = [roc_auc_score(truth[part], scores[part]) for part in parts]
            aucs.append(np.average(each, weights=pairs))
        assert found == pytest.approx(np.mean(aucs))
    # A fold's scores may all be higher than another's.
    moved = replace(paired, scores=paired.scores / 2 + paired.fold[:, None] / 20)
    assert point_values(moved)["auc"] == pytest.approx(point_values(paired)["auc"])


def test_intervals_are_those_of_a_network_alone(paired: Paired) -> None:
    for level in (paired, patient_level(paired)):
        assessed = assess_network(level, 1, 50, 7)
        for metric in ("auc", "accuracy", "balanced_accuracy", "brier"):
            alone = metric_interval(metric, assessed[metric], None, level.units(1))
            assert assessed["ci"][metric] == alone
        assert assessed["ci"]["resamples"] == 50
    rate, limits = assess_recognition(paired, 1)
    assert limits["low"] < rate < limits["high"]


def test_seeds(paired: Paired) -> None:
    one, again, other = (assess_network(paired, 0, 20, seed)["ci"]["average_precision"] for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_repeats(two: Any) -> None:
    paired = paired_benchmark(two.predictions, two.about["classes"], two.about["positive"], Path("p.csv"))
    table = two.predictions
    right = (table["label"] == "Malignant") == (table["Malignant"] >= table["threshold"])
    expected = right.groupby([table["model"], table["repeat"]]).mean().unstack("model")
    assert values_of_repeats(paired)["accuracy"] == pytest.approx(expected[list(paired.models)].to_numpy())
    assert values_of_repeats(paired.of_repeat(int(paired.repeats[0]))) == {}


def test_intervals_over_trainings_are_wider_and_join_both_variances(two: Any) -> None:
    paired = paired_benchmark(two.predictions, two.about["classes"], two.about["positive"], Path("p.csv"))
    for units in (paired, patient_level(paired)):
        values = values_of_repeats(units)
        plain, joined = assess_network(units, 0, 200, 7)["ci"], assess_network(units, 0, 200, 7, values)["ci"]
        for metric in ("average_precision",):  # without a closed form
            assert joined[metric]["low"] <= plain[metric]["low"]
            assert joined[metric]["high"] >= plain[metric]["high"]
    influence = measure_influence("brier", paired.units(0))
    one, other = (measure_influence("brier", paired.of_repeat(int(k)).units(0)) for k in paired.repeats)
    # Each of four networks' two repeats: the variance of their mean is a quarter of the squared difference.
    part = (np.diff(values_of_repeats(paired)["brier"], axis=0) ** 2 / 4).mean()
    of_patients = influence.variance - ((one.parts - other.parts) ** 2).sum() / 4
    joined = influence.with_draws(draws_of(values_of_repeats(paired)["brier"], [one, other]))
    assert joined.variance == pytest.approx(of_patients + part)
    freedom = (of_patients + part) ** 2 / (of_patients**2 / influence.freedom + part**2 / 4)
    assert joined.freedom == pytest.approx(freedom)
    ends = assess_network(paired, 0, 20, 7, values_of_repeats(paired))["ci"]["brier"]
    assert ends == metric_interval("brier", 0.0, None, paired.units(0), trainings=joined.draws)
    rate, limits = assess_recognition(paired, 0, trainings=True)
    alone = assess_recognition(paired, 0)[1]
    assert limits["low"] < rate < limits["high"]
    assert limits != alone
