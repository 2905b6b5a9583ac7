from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score, roc_auc_score

from bycase.studies.benchmark.params import CompareParams
from bycase.studies.compare.inputs import Inputs, predict_constant, predict_shares, score_constant
from bycase.studies.compare.leaderboard import (
    average_repeats,
    make_leaderboard,
    mean_costs,
    rank_networks,
    scale_predictions,
)

SETTINGS = CompareParams(metric="auc", level="image", margin=0.05, alpha=0.05, resamples=100)


@pytest.fixture(scope="module")
def board(two: Any, inputs_of: Any) -> dict[str, Any]:
    return make_leaderboard(inputs_of(two), SETTINGS)


@pytest.fixture(scope="module")
def alexnet(two: Any) -> pd.DataFrame:
    return two.predictions[two.predictions["model"] == "alexnet"]


def auc_within_folds(rows: pd.DataFrame) -> float:
    """Concordant pairs over all pairs, fold by fold."""
    concordant = pairs = 0.0
    for _, fold in rows.groupby(["repeat", "fold"]):
        truth = fold["label"] == "Malignant"
        n = truth.sum() * (~truth).sum()
        concordant += n * roc_auc_score(truth, fold["Malignant"])
        pairs += n
    return concordant / pairs


def by_patient(rows: pd.DataFrame) -> pd.DataFrame:
    keys = ["repeat", "fold", "patient", "label"]
    return rows.groupby(keys)[["Malignant", "patient_threshold"]].mean().reset_index()


def test_image_metrics_are_scikit_learns_with_ranks_within_folds(board: dict[str, Any], alexnet: pd.DataFrame) -> None:
    found = board["alexnet"]["image"]
    truth, called = alexnet["label"] == "Malignant", alexnet["Malignant"] >= alexnet["threshold"]
    assert found["auc"] == pytest.approx(auc_within_folds(alexnet))
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, called))
    assert found["sensitivity"] == pytest.approx(recall_score(truth, called))
    assert found["specificity"] == pytest.approx(recall_score(~truth, ~called))
    assert found["brier"] == pytest.approx(brier_score_loss(truth, alexnet["Malignant"]))
    assert (found["n"], found["n_patients"]) == (200, 50)
    for metric, limits in found["ci"].items():
        if metric != "resamples":
            assert limits["low"] <= found[metric] <= limits["high"], metric


def test_patients_are_the_mean_of_their_images_within_a_repeat(board: dict[str, Any], alexnet: pd.DataFrame) -> None:
    found, patients = board["alexnet"]["patient"], by_patient(alexnet)
    truth = patients["label"] == "Malignant"
    assert found["auc"] == pytest.approx(auc_within_folds(patients))
    assert found["accuracy"] == pytest.approx(
        ((patients["Malignant"] >= patients["patient_threshold"]) == truth).mean()
    )
    right = (alexnet["Malignant"] >= alexnet["threshold"]) == (alexnet["label"] == "Malignant")
    assert found["recognition_rate"] == pytest.approx(right.groupby(alexnet["patient"]).mean().mean())
    assert found["n"] == 50


def test_the_ensemble_averages_each_image_over_the_repeats(board: dict[str, Any], alexnet: pd.DataFrame) -> None:
    averaged = average_repeats(alexnet, ["Benign", "Malignant"])
    image = averaged["image"].iloc[3]
    mean = alexnet.loc[alexnet["image"] == image, "Malignant"].mean()
    assert averaged.loc[averaged["image"] == image, "Malignant"].to_numpy() == pytest.approx(mean)
    assert board["alexnet"]["ensemble"]["image"]["auc"] == pytest.approx(auc_within_folds(averaged))
    # Two draws of noise averaged are less of it.
    assert board["focal_cnn"]["ensemble"]["image"]["auc"] > board["focal_cnn"]["image"]["auc"]


def test_the_spread_is_over_repeats(board: dict[str, Any], alexnet: pd.DataFrame) -> None:
    aucs = [auc_within_folds(rows) for _, rows in alexnet.groupby("repeat")]
    assert board["alexnet"]["image"]["repeat_sd"]["auc"] == pytest.approx(np.std(aucs, ddof=1))


def test_calibration_is_of_each_folds_own_temperature(board: dict[str, Any], alexnet: pd.DataFrame) -> None:
    odds = alexnet["Malignant"] / alexnet["Benign"]
    scaled = 1 / (1 + odds ** (-1 / alexnet["temperature"]))
    truth = alexnet["label"] == "Malignant"
    found = board["alexnet"]["image"]["calibration"]
    assert found["before"]["brier"] == pytest.approx(brier_score_loss(truth, alexnet["Malignant"]))
    assert found["after"]["brier"] == pytest.approx(brier_score_loss(truth, scaled))
    rescaled = scale_predictions(alexnet, ["Benign", "Malignant"])
    assert rescaled["Malignant"].to_numpy() == pytest.approx(scaled.to_numpy())
    patients = by_patient(rescaled)
    expected = brier_score_loss(patients["label"] == "Malignant", patients["Malignant"])
    assert board["alexnet"]["patient"]["calibration"]["after"]["brier"] == pytest.approx(expected)


def test_without_a_temperature_there_is_no_after(two: Any, inputs_of: Any) -> None:
    inputs = inputs_of(two)
    inputs.predictions.loc[0, "temperature"] = np.nan
    found = make_leaderboard(inputs, SETTINGS)
    assert all(set(at[level]["calibration"]) == {"before"} for at in found.values() for level in ("image", "patient"))


def test_the_best_comes_first_by_what_is_asked(two: Any, inputs_of: Any, board: dict[str, Any]) -> None:
    assert list(board)[:2] == ["efficientnetlite", "resnet50v2"]
    assert [at["rank"] for at in board.values()] == [1, 2, 3, 4]
    other = SETTINGS.model_copy(update={"metric": "accuracy", "level": "patient"})
    accuracies = [at["patient"]["accuracy"] for at in make_leaderboard(inputs_of(two), other).values()]
    assert accuracies == sorted(accuracies, reverse=True)


def test_equals_share_the_better_rank() -> None:
    assert rank_networks({"a": 0.5, "b": 0.9, "c": 0.9, "d": 0.1}) == {"b": 1, "c": 1, "a": 3, "d": 4}


def test_a_constant_is_the_majority_of_the_other_folds() -> None:
    rows = pd.DataFrame({"repeat": 0, "fold": [0, 0, 1, 1, 1], "label": list("babbb"), "a": 0.0, "b": 0.0})
    predicted = predict_shares(rows, rows, ["a", "b"])
    # Fold 0 is predicted from three b; fold 1 from one a and one b.
    assert predicted["b"].tolist() == [1, 1, 0.5, 0.5, 0.5]
    assert (predicted["threshold"] == 0.5).all()


def test_a_constant_is_tied_whatever_the_number_of_images() -> None:
    random = np.random.default_rng(0)
    patient = np.repeat(np.arange(30), random.integers(1, 12, 30))
    rows = pd.DataFrame({"model": "a", "repeat": 0, "fold": patient % 3, "patient": patient.astype(str)})
    rows = rows.assign(image=rows.index.astype(str), label=np.where(patient % 4 == 0, "Benign", "Malignant"))
    rows = rows.assign(threshold=0.5, patient_threshold=0.5, temperature=1.0)
    found = score_constant(predict_constant(rows, ["Benign", "Malignant"], "Malignant"))
    assert found["image"]["auc"] == found["patient"]["auc"] == 0.5


def test_the_constants_metrics(two: Any) -> None:
    found = score_constant(predict_constant(two.predictions, ["Benign", "Malignant"], "Malignant"))
    share = (two.predictions["label"] == "Malignant").mean()
    assert found["image"]["accuracy"] == pytest.approx(share)
    assert found["image"]["auc"] == found["patient"]["auc"] == 0.5
    assert found["patient"]["recognition_rate"] == pytest.approx(share)


def test_costs_are_means_and_what_is_not_known_of_all_is_left_out(two: Any) -> None:
    costs = mean_costs(two.cost)
    # 20 seconds and the fold's number; features 10.
    assert costs["resnet50v2"]["training_seconds"] == pytest.approx(22)
    assert costs["resnet50v2"]["fitting_seconds"] == pytest.approx(32)
    assert "energy_joules" not in costs["resnet50v2"]
    assert set(map(frozenset, costs.values())) == {frozenset(costs["alexnet"])}


def test_several_classes(three: Any, inputs_of: Any) -> None:
    inputs: Inputs = inputs_of(three)
    found = make_leaderboard(inputs, SETTINGS)["alexnet"]
    rows = three.predictions[three.predictions["model"] == "alexnet"]
    called = rows[inputs.classes].idxmax(axis="columns")
    assert found["image"]["accuracy"] == pytest.approx((called == rows["label"]).mean())
    for name, of in found["image"]["per_class"].items():
        assert of["recall"] == pytest.approx((called == rows["label"])[rows["label"] == name].mean())
    aucs = [of["auc"] for of in found["image"]["per_class"].values()]
    assert found["image"]["auc"] == pytest.approx(np.mean(aucs))
    normal = rows.assign(label=np.where(rows["label"] == "Normal", "Malignant", "x"), Malignant=rows["Normal"])
    assert found["image"]["per_class"]["Normal"]["auc"] == pytest.approx(auc_within_folds(normal))
