import numpy as np
import pandas as pd
import pytest

from bycase.figures.corruptions import choose_pictures, draw_corruptions
from bycase.figures.robustness import draw_robustness
from bycase.images.corruptions import CORRUPTIONS
from bycase.statistics.robustness.summary import summarise_robustness


@pytest.fixture(scope="module")
def summary(damaged: pd.DataFrame) -> dict:
    return summarise_robustness(damaged, ["Benign", "Malignant"], "Malignant")


def test_every_corruption_has_a_panel_with_both_metrics(summary: dict) -> None:
    figure = draw_robustness({"tiny": summary}, ["tiny, random weights; phantom data"])
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes[1:]}
    assert list(panels) == ["mean of all", "blur", "noise"]
    auc, accuracy = panels["noise"].lines[:2]
    at = summary["corruptions"]["noise"]
    assert auc.get_ydata().tolist() == [summary["clean"]["auc"], at["1"]["auc"], at["5"]["auc"]]
    assert accuracy.get_ydata().tolist()[2] == at["5"]["accuracy"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["AUC", "accuracy"]
    assert f"mean AUC drop {summary['mean']['auc_drop']:.3f}" in figure.texts[0].get_text()


def test_several_models_share_the_panels_with_a_colour_each(summary: dict) -> None:
    models = {f"model {number}": summary for number in range(4)}
    figure = draw_robustness(models, ["phantom data"], metrics=("auc",))
    mean = figure.axes[1]
    assert len({line.get_color() for line in mean.lines[:4]}) == 4
    assert len(mean.collections) == 4  # bars
    assert {axes.get_ylim() for axes in figure.axes[1:]} == {mean.get_ylim()}
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == list(models)


def test_the_strip_shows_both_classes_under_each_severity(damaged: pd.DataFrame) -> None:
    names = choose_pictures(damaged, ["Benign", "Malignant"], 7)
    labels = damaged.drop_duplicates("image").set_index("image")["label"]
    assert [labels[name] for name in names] == ["Benign", "Malignant"]
    pictures = np.random.default_rng(0).integers(0, 255, (2, 16, 16, 3), dtype=np.uint8)
    figure = draw_corruptions(pictures, names, labels[names].tolist(), ["blur", "noise"], [5, 1], 7, ["phantom data"])
    assert len(figure.axes) == 2 * 2 * 3
    tile = figure.axes[5]
    assert float(tile.get_xlabel()) == CORRUPTIONS["blur"].strengths[4]
    assert (tile.images[0].get_array() != pictures[1]).any()
    assert (figure.axes[3].images[0].get_array() == pictures[1]).all()
