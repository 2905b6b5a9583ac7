from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from matplotlib.text import Text

from bycase.figures.run_info import RunInfo
from bycase.figures.subgroups import draw_subgroups
from tests.fixtures.layout import figure_words

SITES = ("abdomen", "back", "ear", "upper extremity", "a site with a name that is far too long for any figure")


def level(accuracy: float, auc: float | None = None, n_patients: int = 12) -> dict[str, Any]:
    if n_patients < 2:
        return {"image": {"n": 3, "n_patients": 1}, "patient": {"n": 1, "n_patients": 1}}
    metrics = {"accuracy": accuracy} | ({} if auc is None else {"auc": auc})
    limits = {name: {"low": max(0, value - 0.3), "high": min(1, value + 0.1)} for name, value in metrics.items()}
    return {"image": {"n": 1234, "n_patients": n_patients, **metrics, "ci": limits}}


def with_subgroups(run_info: RunInfo, **subgroups: Any) -> RunInfo:
    return replace(run_info, metrics=run_info.metrics | {"subgroups": subgroups})


def test_each_subgroup_has_a_row_with_its_size_and_values(run_info: RunInfo) -> None:
    figure = draw_subgroups(
        with_subgroups(
            run_info,
            magnification={"40": level(0.71, 0.8), "400": level(0.9, 0.95)},
            subtype={"ductal_carcinoma": level(0.62, 0.77, 4), "adenosis": level(0, n_patients=1)},
            age={"under 40": level(0.66)},
        )
    )
    found = [text.get_text() for text in figure.findobj(Text)]
    assert {"40X (1,234; 12)", "ductal carcinoma (1,234; 4)", "adenosis (3; 1)", "under 40 (1,234; 12)"} <= set(found)
    assert {"magnification", "subtype", "age in years", "0.710", "0.950", "0.770"} <= set(found)
    assert found.count("\N{EN DASH}") == 3  # adenosis twice, the AUC of those under 40
    whole = run_info.metrics["image"]["accuracy"]
    assert f"Subgroups: image accuracy 0.620 to 0.900 (all {whole:.3f})" in found
    assert "phantom" in figure_words(figure)
    assert "against all images of the other class" in figure_words(figure)
    marks = [line for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in marks] == [0.8, 0.95, 0.77]
    spans = [tuple(line.get_xdata()) for line in figure.axes[1].lines if len(line.get_xdata()) == 2]
    assert any(span == pytest.approx((0.47, 0.87)) for span in spans)


@pytest.mark.parametrize("n_sites", [1, 5])
def test_long_lists_and_names_neither_overlap_nor_are_cut(run_info: RunInfo, n_sites: int) -> None:
    sites = {f"{name} {number}": level(0.02, 0.99) for number in range(n_sites) for name in SITES}
    figure = draw_subgroups(with_subgroups(run_info, site=sites))
    figure_words(figure)
    labels = [text for text in figure.axes[0].get_yticklabels() if text.get_text()]
    boxes = [text.get_window_extent() for text in labels]
    assert len(boxes) == len(sites) + 2
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    # Other than these, matplotlib holds tick labels beyond the axes, which it does not draw.
    for text in (*labels, *figure.texts, *(text for axes in figure.axes for text in axes.texts)):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width


def test_without_subgroups_all_images_stand_alone(run_info: RunInfo) -> None:
    figure = draw_subgroups(with_subgroups(run_info))
    assert "Subgroups: none to compare; image accuracy" in figure_words(figure)
    assert len(figure.axes[0].get_yticklabels()) == 1
