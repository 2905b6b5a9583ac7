from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import accuracy_score, roc_auc_score

from bycase.core.errors import UserError
from bycase.figures.magnification import draw_magnification_shift
from bycase.figures.run_info import RunInfo
from bycase.statistics.robustness.summary import curves_table, summarise_robustness, summarise_shift
from bycase.studies.benchmark.robustness_cells import join_cells

CLASSES = ["Benign", "Malignant"]
Simulate = Callable[..., pd.DataFrame]


def summarise(table: pd.DataFrame) -> dict:
    return summarise_robustness(table, CLASSES, "Malignant")


def points(rows: pd.DataFrame) -> tuple[float, float]:
    truth = rows["label"] == "Malignant"
    return accuracy_score(truth, rows["Malignant"] >= rows["threshold"]), roc_auc_score(truth, rows["Malignant"])


def test_values_are_scikit_learns_and_drops_their_differences(damaged: pd.DataFrame) -> None:
    summary = summarise(damaged)
    clean = points(damaged[damaged["corruption"] == "none"])
    assert (summary["clean"]["accuracy"], summary["clean"]["auc"]) == pytest.approx(clean)
    for name, severity in product(("blur", "noise"), (1, 5)):
        at = points(damaged[(damaged["corruption"] == name) & (damaged["severity"] == severity)])
        cell = summary["corruptions"][name][str(severity)]
        assert (cell["accuracy"], cell["auc"]) == pytest.approx(at)
        assert cell["accuracy_drop"] == pytest.approx(clean[0] - at[0])
        assert cell["auc_drop"] == pytest.approx(clean[1] - at[1])
    assert (summary["n"], summary["n_patients"]) == (72, 12)


def test_means_are_over_corruptions_and_severities(damaged: pd.DataFrame) -> None:
    summary = summarise(damaged)
    cells = {(n, s): cell for n, of in summary["corruptions"].items() for s, cell in of.items()}
    for metric in ("accuracy", "auc", "accuracy_drop", "auc_drop"):
        assert summary["mean"][metric] == pytest.approx(np.mean([cell[metric] for cell in cells.values()]))
        at_5 = [cell[metric] for (_, severity), cell in cells.items() if severity == "5"]
        assert summary["by_severity"]["5"][metric] == pytest.approx(np.mean(at_5))
    limits = summary["mean"]["ci"]["auc_drop"]
    assert limits["low"] < summary["mean"]["auc_drop"] < limits["high"]


def test_the_interval_of_a_drop_is_paired_and_clustered(simulate: Simulate) -> None:
    """Against a loop over resamples of patients written out, with scipy's ranks."""
    table = simulate(3, {("none", 0): 0.0, ("blur", 1): 0.7}, n_patients=30, images=4)
    limits = summarise(table)["corruptions"]["blur"]["1"]["ci"]
    scores = [rows["Malignant"].to_numpy() for _, rows in table.groupby("severity")]
    clean = table[table["severity"] == 0]
    truth, members = (clean["label"] == "Malignant").to_numpy(), np.arange(120).reshape(30, 4)

    def both(scores: np.ndarray, drawn: np.ndarray) -> tuple[float, float]:
        of, positive = scores[drawn], truth[drawn]
        u = mannwhitneyu(of[positive], of[~positive], method="asymptotic").statistic
        return ((of >= 0.5) == positive).mean(), u / positive.sum() / (~positive).sum()

    random, levels, drops = np.random.default_rng(0), [], []
    for _ in range(1000):
        drawn = members[random.integers(0, 30, 30)].ravel()
        levels.append(both(scores[1], drawn))
        drops.append(np.subtract(both(scores[0], drawn), levels[-1]))
    for number, metric in enumerate(("accuracy_drop", "auc_drop")):
        low, high = np.quantile(np.array(drops)[:, number], [0.02, 0.98])
        assert (limits[metric]["low"], limits[metric]["high"]) == pytest.approx((low, high), abs=0.025)
        level = limits[metric.removesuffix("_drop")]
        expected = tuple(np.quantile(np.array(levels)[:, number], [0.02, 0.98]))
        assert (level["low"], level["high"]) == pytest.approx(expected, abs=0.04)
        assert high - low < level["high"] - level["low"]


def test_the_order_of_rows_is_of_no_account(damaged: pd.DataFrame) -> None:
    shuffled = damaged.sample(frac=1, random_state=1)
    of = summarise(shuffled)
    assert of["corruptions"]["noise"]["5"] == summarise(damaged)["corruptions"]["noise"]["5"]


def test_without_a_difference_the_interval_is_not_a_point(simulate: Simulate) -> None:
    table = simulate(0, {("none", 0): 0.0})
    same = table.assign(corruption="jpeg", severity=1)
    cell = summarise(pd.concat([table, same]))["corruptions"]["jpeg"]["1"]
    assert cell["accuracy_drop"] == cell["auc_drop"] == 0
    # Of 12 patients none differs: up to 1 - 0.025 ** (1 / 12) may, Clopper and Pearson.
    assert cell["ci"]["accuracy_drop"] == pytest.approx({"low": -0.2647, "high": 0.2647}, abs=1e-4)
    assert cell["ci"]["auc_drop"]["low"] < -0.05


def test_one_patient_of_a_class_resolves_no_drop_of_auc(simulate: Simulate) -> None:
    table = simulate(0, {("none", 0): 0.0, ("blur", 1): 1.0}, n_patients=2)
    assert summarise(table)["mean"]["ci"]["auc_drop"] == {"low": -1.0, "high": 1.0}


def test_several_classes_give_macro_auc_and_the_most_probable_class(simulate: Simulate) -> None:
    table = simulate(1, {("none", 0): 0.0, ("blur", 1): 1.0}, n_classes=3)
    classes = ["a", "b", "c"]
    summary = summarise_robustness(table, classes, None)
    rows = table[table["corruption"] == "blur"]
    scores = rows[classes].to_numpy()
    cell = summary["corruptions"]["blur"]["1"]
    assert cell["auc"] == pytest.approx(roc_auc_score(rows["label"], scores, multi_class="ovr", labels=classes))
    assert cell["accuracy"] == pytest.approx((np.array(classes)[scores.argmax(axis=1)] == rows["label"]).mean())
    assert cell["ci"]["auc_drop"]["low"] < cell["auc_drop"] < cell["ci"]["auc_drop"]["high"]


def as_cells(table: pd.DataFrame, predictions: bool) -> pd.DataFrame:
    fold = table["patient"] % 3
    cells = table.assign(model="m", repeat=0, fold=fold)
    if not predictions:
        return cells.drop(columns=["patient", "threshold"])
    clean = cells[cells["corruption"] == "none"].drop(columns=["corruption", "severity"])
    return clean.assign(patient=clean["group"], threshold=0.3 + 0.2 * clean["fold"])


def test_cells_keep_each_folds_threshold_and_rank_within_folds(simulate: Simulate) -> None:
    table = simulate(2, {("none", 0): 0.0, ("noise", 3): 1.0}, n_patients=24)
    joined = join_cells(as_cells(table, False), as_cells(table, True))
    summary = summarise(joined)
    noisy = joined[joined["corruption"] == "noise"]
    truth = noisy["label"] == "Malignant"
    right = (noisy["Malignant"] >= noisy["fold"].map({0: 0.3, 1: 0.5, 2: 0.7})) == truth
    assert summary["corruptions"]["noise"]["3"]["accuracy"] == pytest.approx(right.mean())
    concordant, pairs = 0.0, 0
    for _, rows in noisy.groupby("fold"):
        positive = rows.loc[rows["label"] == "Malignant", "Malignant"].to_numpy()
        negative = rows.loc[rows["label"] == "Benign", "Malignant"].to_numpy()
        concordant += (positive[:, None] > negative).sum() + (positive[:, None] == negative).sum() / 2
        pairs += len(positive) * len(negative)
    assert summary["corruptions"]["noise"]["3"]["auc"] == pytest.approx(concordant / pairs)
    assert summary["n_patients"] == 24


def test_an_image_without_a_prediction_in_its_fold_is_named(simulate: Simulate) -> None:
    table = simulate(2, {("none", 0): 0.0, ("noise", 3): 1.0})
    with pytest.raises(UserError, match=r"image 005\.png has no prediction in the same repeat and fold"):
        join_cells(as_cells(table, False), as_cells(table, True).query("image != '005.png'"))


def test_other_images_under_a_corruption_are_refused(damaged: pd.DataFrame) -> None:
    lacking = damaged[(damaged["corruption"] != "blur") | (damaged["image"] != "003.png")]
    with pytest.raises(UserError, match="not of the same images"):
        summarise(lacking)
    with pytest.raises(UserError, match="no untouched or no damaged images"):
        summarise(damaged[damaged["corruption"] == "none"])


def test_the_curves_begin_with_the_untouched_images(damaged: pd.DataFrame) -> None:
    summary = summarise(damaged)
    curves = curves_table(summary)
    assert curves["severity"].tolist() == [0, 1, 5]
    assert curves["auc_noise"].tolist()[1:] == [summary["corruptions"]["noise"][s]["auc"] for s in "15"]
    assert set(curves.iloc[0][[c for c in curves if c.startswith("auc")]]) == {summary["clean"]["auc"]}
    assert curves["accuracy"].tolist()[2] == summary["by_severity"]["5"]["accuracy"]


@pytest.fixture(scope="module")
def tables(simulate: Callable[..., pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of a network trained on all magnifications, and the images of every second number of one trained on fewer."""
    table = simulate(4, {("none", 0): 0.0, ("shift", 1): 1.5})
    everything, other = (rows.drop(columns=["corruption", "severity"]) for _, rows in table.groupby("severity"))
    return everything, other[other["image"].str[2].astype(int) % 2 == 0].assign(threshold=0.6)


def test_both_are_scored_on_the_images_of_the_magnification(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    everything, held_out = tables
    shift = summarise_shift(everything, held_out, CLASSES, "Malignant")
    same = everything[everything["image"].isin(held_out["image"])]
    aucs = [roc_auc_score(rows["label"] == "Malignant", rows["Malignant"]) for rows in (same, held_out)]
    assert shift["n"] == len(held_out) == 36
    assert [shift["all"]["auc"], shift["held_out"]["auc"]] == pytest.approx(aucs)
    assert shift["drop"]["auc"] == pytest.approx(aucs[0] - aucs[1])
    right = (held_out["Malignant"] >= 0.6) == (held_out["label"] == "Malignant")
    assert shift["held_out"]["accuracy"] == pytest.approx(right.mean())
    limits = shift["drop"]["ci"]["auc"]
    assert limits["low"] < shift["drop"]["auc"] < limits["high"]


def test_images_that_the_other_network_was_not_tested_on_are_refused(
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    everything, held_out = tables
    for other in (everything[everything["image"] != "004.png"], everything.assign(fold=1)):
        with pytest.raises(UserError, match=r"image 00\d\.png is tested with a magnification held out, but not in"):
            summarise_shift(other, held_out, CLASSES, "Malignant")


def test_the_figure_shows_every_model_and_magnification(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    shift = summarise_shift(*tables, CLASSES, "Malignant")
    figure = draw_magnification_shift({"one": {40: shift, 200: shift}, "two": {200: shift}}, ["phantom data"])
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in panels] == ["one", "two"]
    words = [label.get_text() for label in panels[0].get_xticklabels()]
    assert [word.split("\n")[0] for word in words] == ["40X", "200X"]
    assert f"{shift['drop']['auc']:.3f}" in words[0]
    alone = draw_magnification_shift({"one": {200: shift}}, ["phantom data"], "accuracy")
    assert f"Unseen 200X: accuracy drop {shift['drop']['accuracy']:.3f}" in alone.texts[0].get_text()


def test_figures_say_that_a_magnification_was_held_out() -> None:
    protocol = {"protocol": "fractions", "group": "case", "cases_on_both_sides": 0}
    assert RunInfo({}, protocol | {"held_out_magnification": None}, {}).split == "split by case"
    words = RunInfo({}, protocol | {"held_out_magnification": 200}, {}).split
    assert words == "split by case, trained without 200X and tested on it"
