from collections.abc import Callable

import pandas as pd
import pytest
from bycase.statistics.robustness.magnification import summarise_shift
from sklearn.metrics import roc_auc_score

from bycase.core.errors import UserError
from bycase.figures.magnification import draw_magnification_shift
from bycase.figures.run_info import RunInfo

CLASSES = ["Benign", "Malignant"]


@pytest.fixture(scope="module")
def tables(simulate: Callable[..., pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of a network trained on all magnifications, and the images of every second number of one trained on fewer."""
    table = simulate(4, {("none", 0): 0.0, ("shift", 1): 1.5})
    everything, other = (rows.drop(columns=["corruption", "severity"]) for _, rows in table.groupby("severity"))
    return everything, other[other["image"].str[2].astype(int) % 2 == 0].assign(threshold=0.6)


def test_both_are_scored_on_the_images_of_the_magnification(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    everything, held_out = tables
    shift = summarise_shift(everything, held_out, CLASSES, "Malignant", 300, 7)
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
    for other in (everything[everything["image"] != "004.png"], everything.assign(stratum=1)):
        with pytest.raises(UserError, match=r"image 00\d\.png is tested with a magnification held out, but not in"):
            summarise_shift(other, held_out, CLASSES, "Malignant", 100, 7)


def test_the_figure_shows_every_model_and_magnification(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    shift = summarise_shift(*tables, CLASSES, "Malignant", 100, 7)
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
