"""Curves of networks simple enough to be calculated by hand."""

import numpy as np
import pytest
from sklearn.metrics import auc

from bycase.explain.deletion import area, blank, blurred, centre_maps, random_maps, rank_pixels, score_orders

SIZE = 8


def redness(batch: np.ndarray) -> np.ndarray:
    """The probability of the second class: mean red in the left half, of 255."""
    return batch[:, :, : SIZE // 2, 0].mean(axis=(1, 2))[:, None] / 255


@pytest.fixture
def left_red() -> np.ndarray:
    """Red on the left half, black on the right."""
    image = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    image[:, :, : SIZE // 2, 0] = 240
    return image


def test_curves_by_hand(left_red: np.ndarray) -> None:
    left_first = np.tile(np.linspace(1, 0, SIZE), (1, SIZE, 1))
    ranks = [rank_pixels(of, np.zeros((1, SIZE, SIZE))) for of in (left_first, -left_first)]
    curves = score_orders(redness, left_red, np.array([1]), ranks, 4, 3)
    assert curves.shape == (2, 1, 2, 5)
    # The mean colour is half as red: the left half goes first, or last.
    assert curves[0, 0, 0] * 255 == pytest.approx([240, 180, 120, 120, 120])
    assert curves[1, 0, 0] * 255 == pytest.approx([240, 240, 240, 180, 120])
    hazy = float(blurred(left_red)[0, :, : SIZE // 2, 0].mean())
    assert curves[:, 0, 1, 0] * 255 == pytest.approx([hazy, hazy], abs=0.5)
    assert curves[0, 0, 1, 2] * 255 == pytest.approx(240)
    assert curves[1, 0, 1, 2] * 255 == pytest.approx(hazy, abs=0.5)
    assert curves[:, 0, 1, -1] * 255 == pytest.approx([240, 240])
    # Trapezoids of the first line by hand: (240 + 180) / 8 + (180 + 120) / 8 + 240 / 8 + 240 / 8.
    assert area(curves)[0, 0, 0] * 255 == pytest.approx(150)
    assert area(curves)[1, 0, 0] * 255 == pytest.approx(210)
    assert area(curves)[1, 0, 1] == pytest.approx(auc(np.linspace(0, 1, 5), curves[1, 0, 1]))
    other = score_orders(redness, left_red, np.array([0]), ranks, 4, 64)
    np.testing.assert_allclose(other, 1 - curves, atol=1e-6)
    # One step has the ends alone.
    ends = score_orders(redness, left_red, np.array([1]), ranks, 1, 64)
    np.testing.assert_allclose(ends, curves[..., [0, -1]], atol=1e-6)


def test_images_and_orders_are_not_mixed_up() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    heat = random.uniform(size=(2, 3, SIZE, SIZE))
    ranks = [rank_pixels(of, np.zeros_like(of)) for of in heat]
    explained = np.array([1, 0, 1])
    together = score_orders(redness, images, explained, ranks, 5, 7)
    for order in range(2):
        for n in range(3):
            left = np.argsort(-heat[order, n].ravel())
            for step in range(6):
                gone = images[n].reshape(-1, 3).astype(float)
                chosen = left[: round(step * SIZE * SIZE / 5)]
                gone[chosen] = blank(images)[n].reshape(-1, 3)[0]
                p = redness(gone.reshape(1, SIZE, SIZE, 3))[0, 0]
                assert together[order, n, 0, step] == pytest.approx(p if explained[n] else 1 - p, abs=1e-6)


def test_ranks_put_the_highest_first_and_order_ties() -> None:
    heat = np.array([[[0.0, 0.9], [0.0, 0.5]]])
    ties = np.array([[[0.1, 0.0], [0.7, 0.0]]])
    assert rank_pixels(heat, ties)[0].tolist() == [[3, 0], [2, 1]]


def test_baselines() -> None:
    by_chance = random_maps(["a", "b"], (2, 2), (8, 8), 7)
    assert not np.allclose(by_chance[0], by_chance[1])
    np.testing.assert_array_equal(random_maps(["b"], (2, 2), (8, 8), 7)[0], by_chance[1])
    # Patches as large as the places: the corners are uniform.
    assert np.ptp(by_chance[0, :2, :2]) == 0
    centre = centre_maps(2, (9, 9))
    assert np.unravel_index(centre[1].argmax(), (9, 9)) == (4, 4)
    assert centre[0, 4, 4] == 1
    assert centre[0, [0, 0, -1, -1], [0, -1, 0, -1]] == pytest.approx(0)
    np.testing.assert_allclose(centre[0], centre[0].T)
