import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, roc_auc_score

from bycase.figures.confusion import confusion_counts
from bycase.figures.curve_tables import calibration_table, confusion_table, precision_recall_table, roc_table
from bycase.statistics.units import Units


def test_the_areas_under_the_curves_are_the_metrics(images: Units) -> None:
    roc = roc_table(images)
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(roc_auc_score(images.truth, images.scores))
    table = precision_recall_table(images)
    area = (table["precision"] * np.diff(table["recall"], prepend=0)).sum()
    assert area == pytest.approx(average_precision_score(images.truth, images.scores))


def test_every_row_of_the_curves_is_what_its_threshold_gives(images: Units) -> None:
    for row in roc_table(images).itertuples():
        called = images.scores >= row.threshold
        assert (called[~images.truth].mean(), called[images.truth].mean()) == pytest.approx((row.fpr, row.tpr))
    for row in precision_recall_table(images).itertuples():
        called = images.scores >= row.threshold
        assert images.truth[called].mean() == pytest.approx(row.precision)


def test_confusion_by_hand() -> None:
    truth = np.array([True, True, True, False, False, True])
    predicted = np.array([True, True, True, True, False, True])
    assert confusion_counts(truth, predicted).tolist() == [[1, 1], [0, 4]]
    predictions = pd.DataFrame({"label": np.where(truth, "Malignant", "Benign")})
    table = confusion_table(predictions, predicted, "Benign", "Malignant")
    assert list(table.columns) == ["actual", "predicted"]
    assert pd.crosstab(table["actual"], table["predicted"]).to_numpy().tolist() == [[1, 1], [0, 4]]


def test_calibration_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores = random.random(980)
    units = Units(random.random(980) < scores**2, scores, np.arange(980) // 20)
    table = calibration_table(units.truth, units.scores, units, 7)
    observed, predicted = calibration_curve(units.truth, scores, n_bins=15, strategy="quantile")
    np.testing.assert_allclose(table["observed"], observed)
    np.testing.assert_allclose(table["predicted"], predicted)


def test_calibrations_intervals_hold_the_observed_share(images: Units) -> None:
    table = calibration_table(images.truth, images.scores, images, 7)
    assert table["images"].sum() == len(images.truth)
    assert table["images"].tolist() == [12] * 10
    assert table[["low", "high"]].to_numpy().min() >= 0
    assert table[["low", "high"]].to_numpy().max() <= 1
    assert (table["low"] <= table["observed"]).all()
    assert (table["observed"] <= table["high"]).all()


@pytest.mark.parametrize(
    ("scores", "sizes"), [([0.1] * 20 + [0.5] * 3 + [0.9] * 20, [20, 3, 20]), ([0.4] * 60, [60]), ([0.1, 0.9], [2])]
)
def test_equal_predictions_share_a_bin(scores: list[float], sizes: list[int]) -> None:
    n = len(scores)
    units = Units(np.arange(n) % 2 == 0, np.array(scores), np.arange(n) // 2)
    assert calibration_table(units.truth, units.scores, units, 7)["images"].tolist() == sizes


def test_calibrations_intervals_follow_patients_not_images() -> None:
    truth = np.arange(200) % 2 == 0
    scores = np.full(200, 0.5)
    patient = (np.arange(200) % 2) * 5 + np.arange(200) // 40
    by_image, by_patient = (
        calibration_table(truth, scores, Units(truth, scores, of), 7) for of in (np.arange(200), patient)
    )
    width = [(table["high"] - table["low"]).iloc[0] for table in (by_image, by_patient)]
    assert width[0] == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 200), rel=0.1)
    assert width[1] > 2 * width[0]
