import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bycase.images.augmentation import mixing
from bycase.images.augmentation.mixing import keep_outside, mix, mixes
from tests.fixtures.augment import Settings

N, SIZE = 8, 32


def flat_images() -> np.ndarray:
    """Image i has the value i in red; its square root in the others."""
    values = np.arange(N, dtype=np.float32)
    return np.broadcast_to(
        np.stack([values, values**0.5, values**0.5], axis=1)[:, None, None], (N, SIZE, SIZE, 3)
    ).copy()


def uneven_weights() -> np.ndarray:
    return np.linspace(0.5, 2.0, N, dtype=np.float32)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_targets_mix_by_the_same_shares_as_pixels(name: str, settings: Settings) -> None:
    ones = np.ones(N, np.float32)
    for seed in range(6):
        images, shares, weights = mix(flat_images(), np.eye(N, dtype=np.float32), ones, settings(**{name: 1.0}), seed)
        assert [part.dtype for part in (images, shares, weights)] == [np.float32] * 3
        np.testing.assert_allclose(images.mean((1, 2), dtype=float), shares @ flat_images()[:, 0, 0], atol=1e-4)
        np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
        np.testing.assert_allclose(weights, 1, atol=1e-6)


def test_mixup_blends_whole_images_and_cutmix_pastes_rectangles(settings: Settings) -> None:
    targets, ones = np.eye(N, dtype=np.float32), np.ones(N, np.float32)
    blended = mix(flat_images(), targets, ones, settings(mixup=1.0), 1)[0]
    assert np.ptp(blended, axis=(1, 2)).max() < 1e-5
    pasted, shares, _ = mix(flat_images(), targets, ones, settings(cutmix=1.0), 1)
    seen_mixed = 0
    for i, image in enumerate(pasted[..., 0]):
        foreign = image != i
        seen_mixed += foreign.any()
        rows, columns = np.flatnonzero(foreign.any(1)), np.flatnonzero(foreign.any(0))
        assert foreign.sum() == len(rows) * len(columns)
        assert foreign.mean() == pytest.approx(1 - shares[i, i], abs=1e-6)
    assert seen_mixed > 2


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_loss_is_that_of_the_parts_each_with_its_own_weight(name: str, settings: Settings) -> None:
    import keras

    classes = np.eye(3, dtype=np.float32)[np.arange(N) % 3]
    params = settings(**{name: 1.0})
    _, shares, _ = mix(flat_images(), np.eye(N, dtype=np.float32), np.ones(N, np.float32), params, 4)
    _, targets, weights = mix(flat_images(), classes, uneven_weights(), params, 4)
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(weights, shares @ uneven_weights(), rtol=1e-5)
    predicted = np.random.default_rng(0).dirichlet([1, 1, 1], N).astype(np.float32)
    entropy = keras.losses.categorical_crossentropy
    for i in range(N):
        parts = entropy(classes, np.repeat(predicted[i : i + 1], N, axis=0)).numpy() * uneven_weights() * shares[i]
        mixed = entropy(targets[i : i + 1], predicted[i : i + 1]).numpy()[0] * weights[i]
        assert mixed == pytest.approx(parts.sum(), rel=1e-4)


def test_one_column_of_targets_mixes_too(settings: Settings) -> None:
    targets = (np.arange(N) % 2).astype(np.float32)[:, None]
    _, shares, _ = mix(flat_images(), np.eye(N, dtype=np.float32), np.ones(N, np.float32), settings(mixup=1.0), 4)
    _, mixed, _ = mix(flat_images(), targets, np.ones(N, np.float32), settings(mixup=1.0), 4)
    np.testing.assert_allclose(mixed, shares @ targets, atol=1e-6)


class Fixed:
    """Random numbers of two images that are partners, with shares 0.75 and 0.4 and centres (1, 1) and (3, 0)."""

    def integers(self, _high: int, size: Any = None) -> Any:
        return 0 if size is None else np.array([[1, 1], [3, 0]])

    def permutation(self, _n: int) -> np.ndarray:
        return np.array([1, 0])

    def beta(self, *_: float) -> np.ndarray:
        return np.array([0.75, 0.4])


def test_mixup_of_two_images_by_hand(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "generator", lambda *_: Fixed())
    images = np.stack([np.full((4, 4, 3), 100), np.full((4, 4, 3), 200)]).astype(np.float32)
    targets, weights = np.array([[0], [1]], np.float32), np.array([1, 3], np.float32)
    mixed, mixed_targets, mixed_weights = mix(images, targets, weights, settings(mixup=1.0), 0)
    assert (mixed[0] == 125).all()  # 0.75 x 100 + 0.25 x 200
    np.testing.assert_allclose(mixed[1], 140, rtol=1e-6)  # 0.4 x 200 + 0.6 x 100
    np.testing.assert_allclose(mixed_weights, [1.5, 1.8])  # 0.75 x 1 + 0.25 x 3, 0.4 x 3 + 0.6 x 1
    np.testing.assert_allclose(mixed_targets.ravel(), [0.75 / 1.5, 1.2 / 1.8])


def test_cutmix_of_two_images_by_hand(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "generator", lambda *_: Fixed())
    images = np.stack([np.full((4, 4, 3), 100), np.full((4, 4, 3), 200)]).astype(np.float32)
    targets, weights = np.array([[0], [1]], np.float32), np.array([1, 3], np.float32)
    mixed, mixed_targets, mixed_weights = mix(images, targets, weights, settings(cutmix=1.0), 0)
    # Sides sqrt(0.25) x 4 = 2 and sqrt(0.6) x 4 = 3.1, rounded down to 3; the second square is cut off at two edges.
    np.testing.assert_array_equal(mixed[0, :, :, 0], [[200, 200, 100, 100]] * 2 + [[100] * 4] * 2)
    np.testing.assert_array_equal(mixed[1, :, :, 0], [[200] * 4] * 2 + [[100, 100, 200, 200]] * 2)
    # Four of 16 pixels are the other's: weights 0.75 x 1 + 0.25 x 3 and 0.75 x 3 + 0.25 x 1.
    np.testing.assert_allclose(mixed_weights, [1.5, 2.5])
    np.testing.assert_allclose(mixed_targets.ravel(), [0.75 / 1.5, 2.25 / 2.5])


def test_a_square_without_a_side_keeps_all_and_one_of_the_whole_image_keeps_none() -> None:
    kept = keep_outside(np.array([[2, 2], [2, 2]]), np.array([0.9, 4.0]), 4)
    assert kept[0].all()
    assert not kept[1].any()


MIX_AND_PRINT = """
import numpy as np
from types import SimpleNamespace
from bycase.images.augmentation.mixing import mix
images, targets = np.arange(8 * 32 * 32 * 3, dtype=np.float32).reshape(8, 32, 32, 3), np.eye(8, dtype=np.float32)
for seed in range(3):
    mixed = mix(images, targets, np.ones(8, np.float32), SimpleNamespace(mixup=0.4, cutmix=1.0), seed)
    print(*(part.tobytes().hex()[-64:] for part in mixed))
"""


def test_another_process_mixes_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", MIX_AND_PRINT]
    other = subprocess.run(command, cwd=Path(__file__).parents[4], stdout=subprocess.PIPE, text=True, check=True).stdout
    exec(MIX_AND_PRINT)
    assert capsys.readouterr().out == other
    assert len(other.splitlines()) == 3


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_the_seed_decides(name: str, settings: Settings) -> None:
    def run(seed: int) -> list[np.ndarray]:
        targets = np.eye(N, dtype=np.float32)
        return list(mix(flat_images(), targets, uneven_weights(), settings(**{name: 0.4}), seed))

    for first, again in zip(run(1), run(1), strict=True):
        np.testing.assert_array_equal(first, again)
    assert np.abs(run(1)[1] - run(2)[1]).max() > 0.01


def test_alpha_decides_how_even_the_shares_are(settings: Settings) -> None:
    def spread(alpha: float) -> float:
        ones = np.ones(N, np.float32)
        runs = [mix(flat_images(), np.eye(N, dtype=np.float32), ones, settings(mixup=alpha), s)[1] for s in range(8)]
        shares = np.concatenate([run.diagonal() for run in runs])
        return float(np.abs(shares[shares < 1] - 0.5).mean())

    # Of Beta(a, a), |share - 1/2| is 1/4 on average at a = 1 and 0.089 at a = 10.
    assert spread(1.0) == pytest.approx(0.25, abs=0.07)
    assert spread(10.0) == pytest.approx(0.089, abs=0.03)


def test_off_or_a_batch_of_one_stays_as_it_is(settings: Settings) -> None:
    assert not mixes(settings(rotation=0.2))
    images = np.random.default_rng(0).uniform(0, 255, (N, SIZE, SIZE, 3)).astype(np.float32)
    batch = images, np.eye(N, dtype=np.float32), uneven_weights()
    one = tuple(part[5:6] for part in batch)
    for expected, off in zip(batch, mix(*batch, settings(), 1), strict=True):
        np.testing.assert_array_equal(off, expected)
    for expected, alone in zip(one, mix(*one, settings(mixup=1.0), 1), strict=True):
        np.testing.assert_array_equal(alone, expected)


def test_where_both_are_on_a_batch_has_one_or_the_other(settings: Settings) -> None:
    params = settings(mixup=1.0, cutmix=1.0)
    assert mixes(params)
    blended = 0
    for seed in range(12):
        images = mix(flat_images(), np.eye(N, dtype=np.float32), uneven_weights(), params, seed)[0]
        red = images[..., 0]
        whole = np.isclose(red, np.rint(red), atol=1e-5).all()
        assert whole or np.ptp(red, axis=(1, 2)).max() < 1e-5
        blended += not whole
    assert 2 <= blended <= 10
