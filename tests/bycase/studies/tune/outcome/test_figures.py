from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bycase.figures.style import save_figure
from bycase.studies.tune.outcome.gather import draw_figures
from bycase.studies.tune.outcome.optimism import draw_optimism
from bycase.studies.tune.outcome.parallel import axis_places
from bycase.studies.tune.outcome.schedule import draw_schedule, shown_hyperparameter
from bycase.studies.tune.outcome.searches import read_searches
from bycase.studies.tune.outcome.summary import summarise
from bycase.studies.tune.params import Dimension
from tests.fixtures.tune_outcome import DIMENSIONS, MakeSearch, write_searches

LONG = {"model": "a_very_long_name_of_a_network", "dataset": "a_very_long_name_of_a_data_set"}


def figures_of(folder: Path, **options: Any) -> dict[str, Figure]:
    write_searches(folder, 0, **options)
    final, nested = read_searches(0, folder)
    return draw_figures(summarise(final, nested, None), final, nested, DIMENSIONS, 7)


@pytest.mark.parametrize(
    ("options", "drawn"),
    [
        ({"trials": 1}, ["history", "importance", "parallel"]),
        ({"trials": 14, "failing": (3, 4), **LONG}, ["history", "importance", "parallel"]),
        ({"trials": 52, "algorithm": "bayesian+pbt"}, ["history", "importance", "parallel", "schedule"]),
    ],
)
def test_every_figure_says_phantom_and_fits(tmp_path: Path, options: dict[str, Any], drawn: list[str]) -> None:
    figures = figures_of(tmp_path, **options)
    assert list(figures) == drawn
    for name, figure in figures.items():
        texts = [text.get_text() for text in figure.texts]
        assert "generated images" in texts[1].replace("\n", " "), name
        assert "no nested evaluation" in texts[1].replace("\n", " "), name
        save_figure(tmp_path / "figure.png", figure)
        heights = [axes.get_position().height * figure.get_figheight() for axes in figure.axes]
        assert min(heights) > 1, name
        for text in figure.texts:
            box = text.get_window_extent()
            assert box.x0 > 0
            assert box.x1 < figure.bbox.width


def test_the_history_marks_failed_trials_and_the_default(tmp_path: Path) -> None:
    axes = figures_of(tmp_path, trials=8, failing=(3, 4))["history"].axes[0]
    crosses = next(line for line in axes.lines if line.get_marker() == "x")
    # Trial 3 failed before its first epoch, trial 4 after two.
    assert crosses.get_xdata().tolist() == [18, 20]
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    assert len(dots.get_xdata()) == 6
    assert axes.texts[0].get_text().startswith("default .8")


def test_too_few_trials_are_said(tmp_path: Path) -> None:
    figure = figures_of(tmp_path, trials=4)["importance"]
    assert figure.axes[0].texts[0].get_text() == "4 trials with a score: too few, 12 are needed"
    assert figure.texts[0].get_text() == "Importance of hyper-parameters: unknown"


def test_the_schedule_marks_each_exploit_in_its_donors_colour(make_search: MakeSearch) -> None:
    search = make_search(algorithm="pbt", trials=8)
    figure = draw_schedule(search, 0, DIMENSIONS)
    assert figure is not None
    lines = figure.axes[0].lines
    colour = {
        line.get_label().removeprefix("member "): line.get_color() for line in lines if "member" in line.get_label()
    }
    dots = [line for line in lines if line.get_marker() == "o"]
    exploits = search.epochs[search.epochs["donor"].notna()].sort_values(["trial", "epoch"])
    assert len(dots) == len(exploits) == 16
    for dot, (_, row) in zip(dots, exploits.iterrows(), strict=True):
        assert dot.get_markerfacecolor() == colour[str(int(row["donor"]))]
        assert dot.get_markeredgecolor() == colour[str(int(row["trial"]))]
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (row["epoch"], row["learning_rate"])
    assert draw_schedule(make_search("0"), 0, DIMENSIONS) is None


def test_which_hyperparameter_the_schedule_shows() -> None:
    assert shown_hyperparameter(DIMENSIONS) == "learning_rate"
    assert shown_hyperparameter({name: DIMENSIONS[name] for name in ("batch_size", "dropout")}) == "dropout"
    assert shown_hyperparameter({"head": DIMENSIONS["head"]}) is None


def test_axes_are_logarithmic_or_of_choices() -> None:
    places, ticks, words = axis_places(pd.Series([1e-5, 1e-2, 10**-3.5]), DIMENSIONS["learning_rate"])
    assert places.tolist() == pytest.approx([0, 1, 0.5])
    assert words == ["1e-05", "0.0001", "0.001", "0.01"]
    places, ticks, words = axis_places(pd.Series(["none", "128-64", "32"]), DIMENSIONS["head"])
    assert words == ["none", "128", "128-64", "32"]
    assert places.tolist() == ticks[[0, 2, 3]].tolist()
    places, _, words = axis_places(pd.Series([16.0, 64.0]), Dimension(choice=[16, 64]))
    assert words == ["16", "64"]
    assert np.allclose(places, [0.25, 0.75])


@pytest.mark.parametrize(
    ("note", "words"), [({}, "40 images of 30 patients"), ({"note": "x"}, "40 images, patients unknown")]
)
def test_no_patients_are_claimed_where_nothing_names_them(
    make_search: MakeSearch, note: dict[str, str], words: str
) -> None:
    search, score = make_search(trials=2), {"score": 0.8, "ci": {"low": 0.7, "high": 0.9}, "folds": {}}
    summary = {"optimism": {"estimate": 0.1, "ci": {"low": 0.0, "high": 0.2}}, "outer": score}
    figure = draw_optimism(summary | {"n_images": 40, "n_patients": 30} | note, search, [search])
    texts = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert words in texts
    assert ("over patients" in texts) == (not note)
