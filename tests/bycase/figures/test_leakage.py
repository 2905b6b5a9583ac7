from typing import Any

import pytest
from matplotlib.figure import Figure

from bycase.figures.leakage import draw_leakage
from bycase.statistics.leakage.levels import find_levels
from bycase.statistics.leakage.meter import measure_leakage
from bycase.statistics.leakage.probe import NOT_APPLICABLE


@pytest.fixture(scope="module")
def content(make_sample: Any) -> dict[str, Any]:
    features, manifest = make_sample(signal=1.0, identity=2.0)
    found = measure_leakage(
        features, manifest, find_levels(manifest, 3), folds=3, repeats=1, logistic_C=0.1, resamples=200, seed=7
    )
    answer = {"accuracy": 0.71, "chance": 0.1, "p": 0.005, "n_images": 240, "n_answers": 30}
    return found | {"probe": {"group": answer, "magnification": dict(NOT_APPLICABLE)}}


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for part in figure.subfigs for text in part.texts]
    for axes in figure.axes:
        found += [axes.get_title("left"), *(t.get_text() for t in axes.texts)]
        found += [label.get_text() for label in axes.get_yticklabels()]
    return found


def test_it_says_the_finding_the_numbers_and_of_what(content: dict[str, Any]) -> None:
    found = " ".join(texts(draw_leakage(content, ["a network", "a data set"])))
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
    assert any("no clear difference in AUC (+1.0 points)" in text for text in texts(draw_leakage(unclear, ["x"])))


def test_one_level_and_no_probe_can_be_drawn(content: dict[str, Any]) -> None:
    nothing = {name: dict(NOT_APPLICABLE) for name in content["probe"]}
    bare = content | {"folder": None, "case": None, "strictest": "image", "probe": nothing}
    figure = draw_leakage(bare, ["x"])
    assert len(figure.axes) == 2
    assert any("nothing can leak" in text for text in texts(figure))


def test_nothing_is_cut_off(content: dict[str, Any]) -> None:
    figure = draw_leakage(content, ["a network", "a data set"])
    figure.canvas.draw()
    for artist in [text for part in figure.subfigs for text in part.texts] + [t for a in figure.axes for t in a.texts]:
        box = artist.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width + 1
        assert box.y1 <= figure.bbox.height + 1
