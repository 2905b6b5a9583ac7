from typing import Any

import pytest

from bycase.figures.leakage import draw_leakage
from bycase.statistics.leakage.levels import find_levels
from bycase.statistics.leakage.meter import measure_leakage
from bycase.statistics.leakage.probe import NOT_APPLICABLE
from tests.fixtures.layout import check_layout, figure_words


@pytest.fixture(scope="module")
def content(make_sample: Any) -> dict[str, Any]:
    features, manifest = make_sample(signal=1.0, identity=2.0)
    found = measure_leakage(features, manifest, find_levels(manifest, 3), folds=3, repeats=1, logistic_C=0.1, seed=7)
    answer = {"accuracy": 0.71, "chance": 0.1, "p": 0.005, "n_images": 240, "n_answers": 30}
    return found | {"probe": {"group": answer, "magnification": dict(NOT_APPLICABLE)}}


def test_it_says_the_finding_the_numbers_and_of_what(content: dict[str, Any]) -> None:
    found = figure_words(draw_leakage(content, ["a network", "a data set"]))
    gain = content["inflation"]["auc"]
    assert f"Split by image, AUC looks {gain:.1f} points better than by case" in found
    assert "a network" in found
    assert "a data set" in found
    for level in ("image", "folder", "case"):
        assert f"{content[level]['auc']:.3f}" in found
    assert f"({gain:+.1f}; " in found
    assert "71% right, chance 10%" in found
    assert "magnification" not in found


def test_no_clear_difference_is_not_a_finding(content: dict[str, Any]) -> None:
    limits = {"auc": {"low": -1.0, "high": 3.0}, "accuracy": {"low": -1.0, "high": 3.0}}
    unclear = content | {"inflation": {"auc": 1.0, "accuracy": 1.0, "ci": limits}}
    assert "no clear difference in AUC (+1.0 points)" in figure_words(draw_leakage(unclear, ["x"]))


def test_one_level_and_no_probe_can_be_drawn(content: dict[str, Any]) -> None:
    nothing = {name: dict(NOT_APPLICABLE) for name in content["probe"]}
    bare = content | {"folder": None, "case": None, "strictest": "image", "probe": nothing}
    figure = draw_leakage(bare, ["x"])
    assert len(figure.axes) == 2
    assert "nothing can leak" in figure_words(figure)


def test_nothing_is_cut_off(content: dict[str, Any]) -> None:
    figure = draw_leakage(content, ["a network", "a data set"])
    check_layout(figure)
    boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width + 1 for box in boxes)
