from dataclasses import replace
from io import BytesIO
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bycase.figures.learning_curves import draw_learning_curves, spread_labels
from bycase.figures.run_info import RunInfo
from bycase.figures.style import LARGEST, new_figure, save_figure
from tests.fixtures.layout import check_layout, figure_words
from tests.fixtures.plot import fitted_history


def test_learning_curves_name_phases_and_the_best_epoch(history: pd.DataFrame, run_info: RunInfo) -> None:
    tuned = replace(run_info, model_info=run_info.model_info | {"best_epoch": 8, "best_phase": "fine_tune"})
    words = figure_words(draw_learning_curves(history, tuned))
    assert all(part in words for part in ("in epoch 8", "head", "fine-tuning", "validation AUC"))
    assert "fine-tuning" not in figure_words(draw_learning_curves(history[:6], run_info))
    draw_learning_curves(history[2:3], run_info)


def test_every_phase_has_a_name_that_runs_into_no_other(history: pd.DataFrame, run_info: RunInfo) -> None:
    gradual = history.assign(phase=["head"] * 5 + ["fine_tune_1", "fine_tune_2", "fine_tune_3"])
    figure = draw_learning_curves(gradual, run_info)
    names = {"head", "fine-tuning, step 1", "fine-tuning, step 2", "fine-tuning, step 3"}
    figure.savefig(BytesIO())
    drawn = [text for text in figure.axes[0].texts if text.get_text() in names]
    assert {text.get_text() for text in drawn} == names
    boxes = [text.get_window_extent() for text in drawn]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert "end to end" in figure_words(draw_learning_curves(history.assign(phase="end_to_end"), run_info))


@pytest.mark.parametrize(
    ("monitor", "words"),
    [
        ("accuracy", "best validation accuracy 0.833"),
        ("balanced_accuracy", "best balanced accuracy 0.800"),
        ("f1", "best validation F1 0.817"),
        ("loss", "best validation loss 0.400"),
    ],
)
def test_the_monitored_score_is_named_and_marked(
    history: pd.DataFrame, run_info: RunInfo, monitor: str, words: str
) -> None:
    figure = draw_learning_curves(history, replace(run_info, model_info=run_info.model_info | {"monitor": monitor}))
    assert f"{words} in epoch 3" in figure_words(figure)
    upper, lower = figure.axes
    (marked,) = [line for axes in (upper, lower) for line in axes.lines if list(line.get_xdata()) == [3]]
    assert marked.get_ydata()[0] == history.loc[2, f"val_{monitor}"]
    assert marked.axes is (upper if monitor == "loss" else lower)
    check_layout(figure)


def test_labels_are_spread_and_keep_their_order() -> None:
    assert spread_labels([0.5, 0.1, 0.9], 0.1) == [0.5, 0.1, 0.9]
    assert spread_labels([0.52, 0.5, 0.9], 0.1) == pytest.approx([0.56, 0.46, 0.9])
    moved = sorted(spread_labels([0.5, 0.5, 0.55, 0.58], 0.1))
    assert np.diff(moved).min() >= 0.1 - 1e-9


def test_long_facts_are_wrapped_not_cut() -> None:
    figure = new_figure(
        4, "title", ["official fold 3, split by folder at 200X; " * 6], "Dots: thresholds, 95 % intervals. " * 8
    )
    figure.add_subplot()
    check_layout(figure)


@pytest.mark.parametrize("title", ["AUC by number of training patients: 0.919 with 24, efficientnetlite", "W " * 90])
def test_a_long_title_is_wrapped_not_cut(title: str) -> None:
    figure = new_figure(4, title, ["data, split"], "Dots: thresholds.")
    figure.add_subplot()
    check_layout(figure)
    assert figure.texts[0].get_text().split() == title.split()


def test_photographs_get_a_palette_and_the_same_bytes(tmp_path: Path) -> None:
    def photograph() -> Figure:
        figure = Figure(figsize=(3.2, 3.2))
        figure.add_subplot().imshow(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8))
        return figure

    plain = BytesIO()
    photograph().savefig(plain, dpi=130)
    assert len(plain.getvalue()) > LARGEST
    for name in ("a.png", "b.png"):
        save_figure(tmp_path / name, photograph())
    assert (tmp_path / "a.png").stat().st_size < LARGEST
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"


def test_settings_of_a_fitted_head_are_no_epochs(run_info: RunInfo) -> None:
    history = fitted_history()
    chosen = replace(run_info, model_info=run_info.model_info | {"best_epoch": 3, "best_phase": "logistic"})
    figure = draw_learning_curves(history, chosen)
    words = figure_words(figure)
    assert "Settings of the head: best validation AUC 0.900 with C = 0.01" in words
    assert "logistic regression" in words
    assert "epoch" not in words
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == history["setting"].tolist()
    check_layout(figure)
