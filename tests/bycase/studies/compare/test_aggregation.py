from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bycase.statistics.comparison.paired import paired_benchmark, patient_level
from bycase.studies.compare.aggregation import compare_networks
from bycase.studies.compare.inputs import predict_constant
from bycase.studies.compare.leaderboard import make_leaderboard
from bycase.tables.out_of_fold import AGGREGATION, PREDICTIONS, RULES
from tests.bycase.studies.compare.test_leaderboard import SETTINGS

ATTENTION = {0: "attention 0 2", 1: "attention 0 -1"}


def with_rules(frame: pd.DataFrame) -> pd.DataFrame:
    fitted = (frame["fold"] % 2).map(ATTENTION)
    return frame.assign(**{RULES: "median; top_k 2; " + fitted})


def patients_auc(rows: pd.DataFrame, pool: Any) -> float:
    """By hand, ranks within folds."""
    concordant = pairs = 0.0
    for _, fold in rows.groupby(["repeat", "fold"]):
        pooled = fold.groupby(["patient", "label"])["Malignant"].apply(lambda p, own=fold: pool(p, own)).reset_index()
        truth = pooled["label"] == "Malignant"
        n = truth.sum() * (~truth).sum()
        concordant += n * roc_auc_score(truth, pooled["Malignant"])
        pairs += n
    return concordant / pairs


def attend(p: "pd.Series[float]", fold: pd.DataFrame) -> float:
    logits = float(ATTENTION[int(fold["fold"].iloc[0]) % 2].split()[2]) * (2 * p - 1)
    return float((p * np.exp(logits)).sum() / np.exp(logits).sum())


def test_each_network_is_compared_under_each_rule_by_its_own_folds_attention(two: Any, inputs_of: Any) -> None:
    inputs = inputs_of(two)
    frame = with_rules(inputs.predictions)
    images = paired_benchmark(frame, inputs.classes, inputs.positive, PREDICTIONS)
    found = compare_networks(images, frame)
    for model, rules in found.items():
        rows = frame[frame["model"] == model]
        mean = patients_auc(rows, lambda p, _: p.mean())
        expected = {
            "median": patients_auc(rows, lambda p, _: p.median()),
            "top_k": patients_auc(rows, lambda p, _: p.nlargest(2).mean()),
            "attention": patients_auc(rows, attend),
        }
        assert {rule: each["auc"] for rule, each in rules.items()} == pytest.approx(expected)
        for each in rules.values():
            assert each["difference"] == pytest.approx(each["auc"] - mean)
            assert each["p_holm"] >= min(1, each["p"])
    adjusted = sorted((each["p"], each["p_holm"]) for rules in found.values() for each in rules.values())
    assert adjusted[0][1] == pytest.approx(min(1, adjusted[0][0] * len(adjusted)))


def test_without_rules_nothing_is_compared(two: Any, inputs_of: Any) -> None:
    inputs = inputs_of(two)
    board = make_leaderboard(inputs, SETTINGS)
    assert all("aggregation" not in row["patient"] for row in board.values())
    told = make_leaderboard(replace(inputs, predictions=with_rules(inputs.predictions)), SETTINGS)
    assert all(sorted(row["patient"].pop("aggregation")) == ["attention", "median", "top_k"] for row in told.values())
    assert told == board


def test_a_cells_rule_makes_its_patients_and_leaves_images_and_the_constant_alone(two: Any, inputs_of: Any) -> None:
    inputs = inputs_of(two)
    frame = inputs.predictions.assign(**{AGGREGATION: "median"})
    images = paired_benchmark(frame, inputs.classes, inputs.positive, PREDICTIONS)
    model = images.models[0]
    rows = frame[frame["model"] == model].groupby(["repeat", "fold", "patient", "label"])["Malignant"].median()
    found = patient_level(images)
    np.testing.assert_allclose(np.sort(found.scores[0, :, 1]), np.sort(rows.to_numpy()))
    plain = paired_benchmark(inputs.predictions, inputs.classes, inputs.positive, PREDICTIONS)
    np.testing.assert_array_equal(images.scores, plain.scores)
    attended = inputs.predictions.assign(**{AGGREGATION: "attention 0.3 1.7"})
    for level in ("image", "patient"):
        constant, other = (
            predict_constant(each, inputs.classes, inputs.positive)[level] for each in (inputs.predictions, attended)
        )
        np.testing.assert_array_equal(constant.scores, other.scores)
