import numpy as np
import pytest

from bycase.figures.power import draw_power
from bycase.statistics.power.clusters import Sample
from bycase.statistics.power.resolution import Assumptions, resolution, resolution_curves
from tests.fixtures.layout import check_layout, figure_words

ASSUMED = Assumptions(
    accuracy=0.8,
    auc=0.85,
    model_correlation={"accuracy": (0.6, 0.5, 0.2), "auc": (0.7, 0.5, 0.1)},
    patient_correlation={"accuracy": (0.05, 0.1, 0.4), "auc": (0.02, 0.1, 0.5)},
    alpha=0.05,
    power=0.8,
)


def sample(patients: int) -> Sample:
    sizes = np.full(patients, 12)
    return Sample(sizes, sizes[patients // 3 :], sizes[: patients // 3])


@pytest.mark.parametrize("tested", [sample(20), None], ids=["split", "no split"])
def test_it_says_what_is_resolved_and_by_how_many(tested: Sample | None) -> None:
    everyone = sample(90)
    content = resolution(everyone, tested, ASSUMED, "Malignant")
    figure = draw_power(content, resolution_curves(everyone, ASSUMED), ["a data set"])
    words, best = figure_words(figure), content["all"]["optimistic"]
    points = f"{best['accuracy_points']:.1f} of accuracy, {best['auc_points']:.1f} of AUC"
    assert f"90 patients resolve {points} points at best" in words
    assert ("test part" in words) == (tested is not None)
    for name in ("a data set", "optimistic", "middle", "pessimistic", "alpha 0.05", "power of 80 %"):
        assert name in words
    check_layout(figure)


def test_where_nothing_is_resolved_it_says_so() -> None:
    few = sample(6)
    words = figure_words(draw_power(resolution(few, None, ASSUMED, "M"), resolution_curves(few, ASSUMED), ["x"]))
    assert "6 patients resolve nothing at best" in words
