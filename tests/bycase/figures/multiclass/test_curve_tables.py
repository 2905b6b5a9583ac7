import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from bycase.figures.curve_tables import calibration_table, precision_recall_table, roc_table
from bycase.figures.multiclass.confusion import class_confusion
from bycase.figures.multiclass.curve_tables import mean_precision_recall_table, mean_roc_table
from bycase.statistics.multiclass.units import ClassUnits


def test_the_areas_under_the_mean_curves_are_the_macro_metrics(class_images: ClassUnits) -> None:
    rest = {label: class_images.against_rest(number) for number, label in enumerate(class_images.classes)}
    roc = mean_roc_table({label: roc_table(of) for label, of in rest.items()})
    expected = roc_auc_score(class_images.truth, class_images.scores, multi_class="ovr")
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(expected)
    assert roc["tpr"].is_monotonic_increasing
    assert roc["fpr"].is_monotonic_increasing
    table = mean_precision_recall_table({label: precision_recall_table(of) for label, of in rest.items()})
    one_hot = np.eye(len(rest))[class_images.truth]
    area = (table["precision"] * np.diff(table["recall"], prepend=0)).sum()
    assert area == pytest.approx(average_precision_score(one_hot, class_images.scores))


def test_ties_make_slanted_curves_whose_mean_is_exact() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.5, 0.2, 0.3], [0.5, 0.25, 0.25], [0.2, 0.3, 0.5], [0.2, 0.5, 0.3]])
    units = ClassUnits(("a", "b", "c"), np.array([0, 1, 2, 2, 1]), scores, np.arange(5))
    roc = mean_roc_table({label: roc_table(units.against_rest(k)) for k, label in enumerate(units.classes)})
    expected = roc_auc_score(units.truth, scores, multi_class="ovr")
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(expected)


def test_confusion_is_scikit_learns(class_images: ClassUnits) -> None:
    expected = confusion_matrix(class_images.truth, class_images.predicted)
    np.testing.assert_array_equal(class_confusion(class_images), expected)


def test_a_test_part_without_an_error_is_calibrated_all_the_same() -> None:
    scores = np.tile(np.eye(3) * 0.4 + 0.2, (20, 1))
    units = ClassUnits(("a", "b", "c"), np.tile([0, 1, 2], 20), scores, np.arange(60) // 3)
    table = calibration_table(units.right, scores.max(axis=1), units, 7)
    assert table["observed"].tolist() == [1]
    assert table["low"][0] == pytest.approx(0.025 ** (1 / 20))
