import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from bycase.figures.confusion import confusion_counts, confusion_table, draw_confusion, write_report
from bycase.figures.curve_tables import calibration_table
from bycase.figures.curves import PRECISION_RECALL, ROC, Curve, draw_curves
from bycase.figures.run_info import RunInfo
from bycase.report.summary import summarise
from bycase.statistics.units import Units, patient_units
from tests.fixtures.layout import check_layout
from tests.fixtures.units import binary_units, class_units


def levels(images: Units, run_info: RunInfo) -> dict[str, Units]:
    decided = images.with_threshold(run_info.threshold("image"))
    return {"image": decided, "patient": patient_units(images, run_info.threshold("patient"))}


def area(curve: Curve, table: pd.DataFrame) -> float:
    if curve is ROC:
        return float(np.trapezoid(table["tpr"], table["fpr"]))
    return float((table["precision"] * np.diff(table["recall"], prepend=0)).sum())


@pytest.mark.parametrize(("curve", "score"), [(ROC, roc_auc_score), (PRECISION_RECALL, average_precision_score)])
def test_the_areas_under_the_curves_are_the_metrics(any_images: Units, curve: Curve, score) -> None:
    tables = curve.tables(any_images)
    assert list(tables) == (["Malignant"] if any_images.positive == 1 else list(any_images.classes))
    one_hot = np.eye(len(any_images.classes))[any_images.truth]
    areas = [score(one_hot[:, number], any_images.scores[:, number]) for number in any_images.targets]
    assert [area(curve, table) for table in tables.values()] == pytest.approx(areas)
    drawn = curve.table(any_images)
    assert area(curve, drawn) == pytest.approx(np.mean(areas))
    assert drawn[curve.x].is_monotonic_increasing


def test_every_row_of_the_curves_is_what_its_threshold_gives(images: Units) -> None:
    positive = images.against_rest(1)
    for row in ROC.table(images).itertuples():
        predicted = positive.scores >= row.threshold
        rates = predicted[~positive.truth].mean(), predicted[positive.truth].mean()
        assert rates == pytest.approx((row.fpr, row.tpr))
    for row in PRECISION_RECALL.table(images).itertuples():
        assert positive.truth[positive.scores >= row.threshold].mean() == pytest.approx(row.precision)


def test_ties_make_slanted_curves_whose_mean_is_exact() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.5, 0.2, 0.3], [0.5, 0.25, 0.25], [0.2, 0.3, 0.5], [0.2, 0.5, 0.3]])
    units = class_units(np.array([0, 1, 2, 2, 1]), scores, np.arange(5))
    assert area(ROC, ROC.table(units)) == pytest.approx(roc_auc_score(units.truth, scores, multi_class="ovr"))


@pytest.mark.parametrize("curve", [ROC, PRECISION_RECALL])
def test_curves_name_levels_or_classes_and_stay_inside(any_images: Units, any_run_info: RunInfo, curve: Curve) -> None:
    figure = draw_curves(curve, levels(any_images, any_run_info), any_run_info)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    metrics = any_run_info.metrics
    if any_images.positive is None:
        values = {"macro average": metrics["image"][curve.metric]}
        for label, scores in metrics["image"]["per_class"].items():
            values[f"{label.replace('_', ' ')}, {scores['n']}"] = scores[curve.metric]
    else:
        values = {f"{level}s": metrics[level][curve.metric] for level in ("image", "patient")}
        dots = {(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines if line.get_marker() == "o"}
        assert dots == {
            (1 - scores["specificity"], scores["sensitivity"])
            if curve is ROC
            else (scores["sensitivity"], scores["precision"])
            for scores in (metrics["image"], metrics["patient"])
        }
    assert [label.split(" (")[0] for label in labels] == [f"{name}: {value:.3f}" for name, value in values.items()]
    styles = {(line.get_color(), str(line.get_linestyle())) for line in figure.axes[0].lines}
    assert len(styles) > len(values)
    check_layout(figure)


def test_confusion_is_scikit_learns(any_images: Units) -> None:
    expected = confusion_matrix(any_images.truth, any_images.predicted)
    np.testing.assert_array_equal(confusion_counts(any_images), expected)
    table = confusion_table(any_images)
    counted = pd.crosstab(table["actual"], table["predicted"]).loc[list(any_images.classes), list(any_images.classes)]
    np.testing.assert_array_equal(counted, expected)


def test_the_matrix_shows_counts_and_row_shares(any_images: Units, any_run_info: RunInfo) -> None:
    units = levels(any_images, any_run_info)
    figure = draw_confusion(units, any_run_info)
    for axes, scored in zip(figure.axes, units.values(), strict=True):
        table = confusion_counts(scored)
        cells = {(round(t.get_position()[0]), round(t.get_position()[1]), t.get_text()) for t in axes.texts}
        for (row, column), count in np.ndenumerate(table):
            assert (column, row, str(count)) in cells
            if count:
                assert (column, row, f"{count / table[row].sum():.1%}") in cells
    check_layout(figure)


def test_words_give_every_class_and_how_it_is_predicted(any_images: Units, any_run_info: RunInfo) -> None:
    report = write_report(levels(any_images, any_run_info), any_run_info)
    summary = summarise(any_run_info).splitlines()
    assert report.count("weighted avg") == 2
    assert all(report.count(f"{label} ") >= 2 for label in any_images.classes)
    assert f"constant prediction {any_run_info.metrics['image']['baseline']['accuracy']:.3f}" in report
    several = any_images.positive is None
    assert report.count("the most probable class is predicted") == 2 * several
    assert (f"Malignant is predicted from p = {any_run_info.threshold('patient') or 0:.3f} up" in report) != several
    for text in (report, *summary[:1]):
        assert "phantom" in text
    assert max(map(len, summary)) <= 100
    first = {line.split("  ")[0] for line in summary}
    assert ("macro F1" in first) == several
    assert ({"sensitivity", "specificity"} <= first) != several


def test_calibration_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores = random.random(980)
    units = binary_units(random.random(980) < scores**2, scores, np.arange(980) // 20)
    table = calibration_table(units)
    observed, predicted = calibration_curve(units.truth, scores, n_bins=15, strategy="quantile")
    np.testing.assert_allclose(table["observed"], observed)
    np.testing.assert_allclose(table["predicted"], predicted)


def test_calibrations_intervals_hold_the_observed_share(images: Units) -> None:
    table = calibration_table(images)
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
    units = binary_units(np.arange(n) % 2 == 0, np.array(scores), np.arange(n) // 2)
    assert calibration_table(units)["images"].tolist() == sizes


def test_a_test_part_without_an_error_is_calibrated_all_the_same() -> None:
    units = class_units(np.tile([0, 1, 2], 20), np.tile(np.eye(3) * 0.4 + 0.2, (20, 1)), np.arange(60) // 3)
    table = calibration_table(units)
    assert table["observed"].tolist() == [1]
    assert table["low"][0] == pytest.approx(0.025 ** (1 / 20))


def test_calibrations_intervals_follow_patients_not_images() -> None:
    truth, scores = np.arange(200) % 2 == 0, np.full(200, 0.5)
    patients = np.arange(200), (np.arange(200) % 2) * 5 + np.arange(200) // 40
    by_image, by_patient = (calibration_table(binary_units(truth, scores, patient)) for patient in patients)
    width = [(table["high"] - table["low"]).iloc[0] for table in (by_image, by_patient)]
    assert width[0] == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 200), rel=0.1)
    assert width[1] > 2 * width[0]
