import numpy as np
import pytest

from bycase.statistics.selective import (
    centre,
    concentration,
    largest_probability,
    measure_curve,
    measure_selection,
    rank_images,
    risk_coverage,
)


def test_the_curve_by_hand() -> None:
    confidence = np.array([0.9, 0.6, 0.8, 0.7])
    wrong = np.array([False, True, True, False])
    ranks = rank_images(confidence, None)
    assert ranks.tolist() == [0.25, 1.0, 0.5, 0.75]
    added, kept, risk = risk_coverage(wrong, ranks, np.ones((1, 4), np.int64))
    assert added[0].tolist() == [0.25] * 4
    assert kept[0].tolist() == [0.25, 0.5, 0.75, 1]
    assert risk[0] == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])
    found = measure_selection(wrong, ranks, np.arange(4))(np.ones((1, 4), np.int64))
    assert found["aurc"] == pytest.approx([(0 + 1 / 2 + 1 / 3 + 1 / 2) / 4])
    assert found["accuracy_80"] == pytest.approx([1 / 2])  # four of four images are the fewest that make up 80 %
    curve = measure_curve(wrong, ranks, np.arange(4), np.array([0.2, 0.5, 0.75, 1.0]))(np.ones((1, 4), np.int64))
    assert curve["risk"][0] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])


def test_a_weighting_is_a_repetition() -> None:
    random = np.random.default_rng(0)
    confidence, wrong, patient = random.random(30).round(1), random.random(30) < 0.3, np.arange(30) // 5
    counts = random.integers(0, 3, (6, 6))
    weighted = measure_selection(wrong, rank_images(confidence, None), patient)(counts)
    for place, weights in enumerate(counts[:, patient]):
        rows = np.repeat(np.arange(30), weights)
        ranks = rank_images(confidence[rows], None)
        alone = measure_selection(wrong[rows], ranks, np.zeros(len(rows), np.int64))(np.ones((1, 1), np.int64))
        for name, values in alone.items():
            assert weighted[name][place] == pytest.approx(values[0])


def test_equally_sure_images_are_kept_together() -> None:
    wrong = np.array([True, False, False, False])
    found = measure_selection(wrong, rank_images(np.full(4, 0.5), None), np.arange(4))(np.ones((1, 4), np.int64))
    assert found["aurc"] == pytest.approx([0.25])
    assert found["accuracy_90"] == pytest.approx([0.75])


def test_each_fold_is_sure_on_its_own_scale() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1])
    folds = np.array([0, 0, 0, 1, 1, 1])
    assert rank_images(confidence, folds) == pytest.approx([1 / 3, 2 / 3, 1, 1 / 3, 2 / 3, 1])
    wrong = np.array([False, False, True, False, False, True])
    ones = np.ones((1, 6), np.int64)
    within = measure_selection(wrong, rank_images(confidence, folds), np.arange(6))(ones)
    across = measure_selection(wrong, rank_images(confidence, None), np.arange(6))(ones)
    assert within["aurc"] < across["aurc"]


def test_confidence_is_least_at_the_threshold() -> None:
    scores = np.column_stack([1 - np.linspace(0.05, 0.95, 19), np.linspace(0.05, 0.95, 19)])
    shifted = centre(scores, 0.2)
    assert (shifted.argmax(axis=1) == (scores[:, 1] >= 0.2)).all() or shifted[3] == pytest.approx([0.5, 0.5])
    for confidence, least in ((largest_probability(shifted), 0.5), (concentration(shifted), 0.0)):
        assert confidence.argmin() == 3  # 0.2
        assert confidence.min() == pytest.approx(least, abs=1e-9)
    np.testing.assert_allclose(centre(scores, 0.5), scores)
    assert concentration(np.array([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3]])) == pytest.approx([1, 0])
