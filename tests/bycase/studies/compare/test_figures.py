from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import auc, roc_auc_score

from bycase.figures.comparison.critical_difference import draw_critical_difference, equivalent_groups
from bycase.figures.comparison.learning_curves import draw_learning_curves, mean_curve
from bycase.figures.comparison.marks import shorten
from bycase.figures.comparison.pareto import pareto_front
from bycase.figures.comparison.roc import fold_mean_roc
from bycase.figures.comparison.uncertainty import draw_uncertainty
from bycase.statistics.units import BinaryUnits
from bycase.studies.benchmark.params import CompareParams
from bycase.studies.compare.comparison import Comparison, compare, draw_figures
from bycase.studies.compare.tables import find_verdict
from bycase.tables.manifest import PATIENTS_UNKNOWN, patients_note
from tests.fixtures.plot import fitted_history

SETTINGS = CompareParams(metric="auc", level="image", margin=0.1, alpha=0.05, resamples=200)


@pytest.fixture(scope="module")
def comparison(two: Any, inputs_of: Any) -> Comparison:
    return compare(inputs_of(two), SETTINGS)


@pytest.fixture(scope="module")
def figures(comparison: Comparison) -> dict[str, Figure]:
    return draw_figures(comparison)


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [axes.get_title("left"), *(text.get_text() for text in axes.texts)]
        found += [label.get_text() for label in axes.get_yticklabels()]
        legend = axes.get_legend()
        found += [text.get_text() for text in legend.get_texts()] if legend else []
    return found


def test_every_figure_says_phantom_and_names_every_network(comparison: Comparison, figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        words = " ".join(texts(figure))
        assert "phantom" in words, name
        for model in comparison.board:
            assert model in words, (name, model)


def test_nothing_is_cut_off_or_beside_the_figure(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        figure.canvas.draw()
        artists = [*figure.texts]
        for axes in figure.axes:
            artists += [axes.title, axes._left_title, *axes.texts]  # type: ignore[attr-defined]
            artists += [legend] if (legend := axes.get_legend()) else []
        for artist in artists:
            box = artist.get_window_extent()
            inside = box.x0 >= 0 and box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1
            assert inside, (name, artist)


def test_no_patients_are_claimed_where_nothing_names_them(two: Any, inputs_of: Any) -> None:
    unknown = compare(replace(inputs_of(two), note=PATIENTS_UNKNOWN), SETTINGS)
    for name, figure in draw_figures(unknown).items():
        words = " ".join(texts(figure)).replace("\n", " ")
        assert "over patients" not in words, name


def test_the_uncertainty_of_images_where_nothing_names_patients() -> None:
    sets = {"coverage": 0.87, "size": 1.25, "ci": {"coverage": {"low": 0.8, "high": 0.92}}}
    summary = {"coverage": 0.9, "conformal": {"image": sets}, "selective": {"plain": {"aurc": 0.1, "accuracy_80": 0.8}}}
    risk = pd.DataFrame({"method": "plain", "coverage": [0.5, 1.0], "risk": [0.1, 0.2]})
    figure = draw_uncertainty({"tiny": summary | patients_note(False)}, {"tiny": risk}, ["phantom"])
    words = " ".join([*texts(figure), *(axes.get_xlabel() for axes in figure.axes)]).replace("\n", " ")
    assert "share of all images covered" in words
    assert "sets of 1.25" in words
    assert "patient" not in words


def test_titles_state_the_main_number(comparison: Comparison, figures: dict[str, Figure]) -> None:
    best = next(iter(comparison.board.values()))["image"]["auc"]
    for name in ("critical_difference", "pareto", "roc"):
        assert f"{best:.3f}" in figures[name].texts[0].get_text()


def verdict(first: str, second: str, word: str) -> dict[str, str]:
    return {"first": first, "second": second, "verdict": word}


def test_bars_join_what_is_equivalent_and_what_is_not_resolved(comparison: Comparison) -> None:
    names = list(comparison.board)
    words = ["equivalent", "not resolvable", "better", "not resolvable", "better", "better"]
    pairs = [
        verdict(names[i], names[j], word)
        for (i, j), word in zip([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], words, strict=True)
    ]
    assert equivalent_groups(names, pairs) == [names[:2]]
    verdicts = comparison.verdicts | {"pairs": pairs, "groups": [names[:3], names[3:]]}
    figure = draw_critical_difference(comparison.board, verdicts, comparison.inputs.networks, ["phantom"])
    bars = [line for line in figure.axes[1].lines if line.get_linestyle() != "None"]
    assert [(line.get_ydata()[0], line.get_ydata()[-1], line.get_linestyle()) for line in bars] == [
        (0, 2, "--"),
        (0, 1, "-"),
    ]
    assert "3 of 6 pairs shown to differ, 1 equivalent" in figure.texts[0].get_text()


def test_the_area_under_the_averaged_roc_is_the_auc_within_folds() -> None:
    random = np.random.default_rng(0)
    fold = np.repeat([0, 1, 2], [40, 20, 9])
    truth = random.random(69) < 0.4
    truth[60:] = True  # a fold of one class
    scores = np.round(random.random(69) + 0.3 * truth + fold, 1)
    units = BinaryUnits(truth, scores, np.arange(69), fold)
    pairs = [truth[fold == number].sum() * (~truth[fold == number]).sum() for number in (0, 1)]
    expected = np.average(
        [roc_auc_score(truth[fold == number], scores[fold == number]) for number in (0, 1)], weights=pairs
    )
    curve = fold_mean_roc(units)
    assert auc(curve["fpr"], curve["tpr"]) == pytest.approx(expected, abs=0.002)


def test_the_front_holds_what_nothing_beats_in_both() -> None:
    costs = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 3.0, "e": 9.0}
    values = {"a": 0.6, "b": 0.5, "c": 0.8, "d": 0.9, "e": 0.9}
    assert pareto_front(costs, values) == ["a", "d"]


def test_the_mean_curve_ends_where_half_of_the_trainings_have() -> None:
    lengths = {0: 2, 1: 4, 2: 4, 3: 6}
    history = pd.concat(
        [
            pd.DataFrame({"repeat": 0, "fold": fold, "epoch": np.arange(1, n + 1), "val_accuracy": fold})
            for fold, n in lengths.items()
        ]
    )
    curve = mean_curve(history, "val_accuracy")
    assert curve.index.tolist() == [1, 2, 3, 4]
    assert curve.tolist() == [1.5, 1.5, 2, 2]


def test_long_names_lose_their_middle() -> None:
    assert shorten("efficientnetlite") == "efficientnetlite"
    assert shorten("abcdefghijklmnopqrstuvwxyz", 9) == "abcd…wxyz"


def test_the_leaderboard_as_markdown(comparison: Comparison, tmp_path: Path) -> None:
    lines = comparison.markdown.splitlines()
    assert lines[2].startswith("| 1 | efficientnetlite, ImageNet weights | — | 0.9")
    widths = {line.count("|") for line in lines if line.startswith("|")}
    assert len(widths) == 1
    assert sum(line.startswith("- efficientnetlite ") for line in lines) == 3
    second = next(line for line in lines if line.startswith("| 2 |"))
    assert f"| {comparison.verdicts['pairs'][0]['verdict']} |" in second


def test_a_verdict_is_turned_round_with_its_pair() -> None:
    pairs = {"pairs": [verdict("a", "b", "better"), verdict("a", "c", "equivalent")]}
    found = [find_verdict(pairs, *names) for names in (("a", "b"), ("b", "a"), ("c", "a"))]
    assert found == ["better", "worse", "equivalent"]


def test_a_head_without_epochs_is_a_level_line() -> None:
    cells = [fitted_history().assign(model="logistic", repeat=0, fold=fold) for fold in (0, 1)]
    cells[1]["val_accuracy"] += 0.1
    trained = fitted_history().drop(columns=["setting", "C", "chosen"]).assign(model="trained", repeat=0, fold=0)
    histories = pd.concat([*cells, trained.assign(phase="head")])
    figure = draw_learning_curves(histories, ["logistic", "trained"], ["phantom"])
    assert {"logistic: 0.900 at once", "trained: 0.850 in epoch 3"} <= set(texts(figure))
    (accuracy,) = [axes for axes in figure.axes if axes.get_ylabel() == "validation accuracy"]
    (level,) = [line for line in accuracy.lines if len(set(line.get_ydata())) == 1]
    assert level.get_ydata()[0] == pytest.approx(0.9)
    alone = draw_learning_curves(pd.concat(cells), ["logistic"], ["phantom"])
    assert "logistic: 0.900 at once" in texts(alone)
