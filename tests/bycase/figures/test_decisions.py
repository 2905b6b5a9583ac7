from typing import Any

import numpy as np
import pandas as pd
import pytest

from bycase.figures.decisions import draw_decisions
from bycase.figures.plots import plot_decisions
from bycase.statistics.units import Units, patient_units
from tests.fixtures.layout import check_layout, figure_words


def test_it_is_of_patients_with_scaled_probabilities(images: Units, run_info: Any) -> None:
    units = {"image": images, "patient": patient_units(images)}
    plots = plot_decisions(units, run_info)
    table, words = plots.tables["decisions"], figure_words(plots.figures["decisions"])
    for percent, row in run_info.metrics["decisions"]["net_benefit"].items():
        there = table[np.isclose(table["threshold"], int(percent[-2:]) / 100)].iloc[0]
        for name in ("net_benefit", "treat_all", "gain"):
            assert there[name] == pytest.approx(row[name])
    assert "Decision curve by patient" in words
    assert "that of the test part" in words
    check_layout(plots.figures["decisions"])
    assert "by image" in figure_words(plot_decisions({"image": images}, run_info).figures["decisions"])


@pytest.mark.parametrize(
    ("low", "finding"),
    [
        ([-1, -1, -1, -1, -1], "nowhere shown to gain"),
        ([-1, 1, -1, 1, 1], "gains from 40 % to 50 %"),
        ([1, 1, 1, -1, 1], "gains from 10 % to 30 %"),
    ],
)
def test_the_finding_is_the_longest_range_shown(run_info: Any, low: list[float], finding: str) -> None:
    table = pd.DataFrame({"threshold": [0.1, 0.2, 0.3, 0.4, 0.5], "gain_low": low})
    table = table.assign(net_benefit=0.2, low=0.1, high=0.3, treat_all=0.1, treat_none=0.0)
    words = figure_words(draw_decisions(table, "patient", 0.1, run_info))
    assert finding in words
    assert "10 %, as stated" in words


def test_without_a_positive_class_there_is_none(any_images: Units, any_run_info: Any) -> None:
    plots = plot_decisions({"image": any_images}, any_run_info)
    assert bool(plots.figures) == (any_images.positive is not None)
