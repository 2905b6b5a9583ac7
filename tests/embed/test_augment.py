import numpy as np
import pytest

from stages.common.seeding import make_tensorflow_deterministic
from stages.common.training_params import AugmentParams
from stages.embed.augment import augment

OFF = {"flip": False, "rotation": 0.0, "brightness": 0.0, "contrast": 0.0, "rand_augment": 0.0}


def images(n: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 24, 24, 3), dtype=np.uint8)


def test_all_off_changes_nothing() -> None:
    np.testing.assert_array_equal(augment(images(), AugmentParams(**OFF), seed=1), images())


@pytest.mark.parametrize(
    "change", [{"flip": True}, {"rotation": 0.25}, {"brightness": 0.3}, {"contrast": 0.3}, {"rand_augment": 0.5}]
)
def test_each_change_follows_the_seed_and_stays_in_range(change: dict[str, object]) -> None:
    make_tensorflow_deterministic(7)
    params = AugmentParams(**{**OFF, **change})
    first = augment(images(), params, seed=1)
    assert first.shape == images().shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 255
    assert np.abs(first - images()).max() > 1
    np.testing.assert_array_equal(first, augment(images(), params, seed=1))
    assert np.abs(first - augment(images(), params, seed=99)).max() > 0


def test_images_of_a_batch_change_independently() -> None:
    same = np.repeat(images(1), 16, axis=0)
    changed = augment(same, AugmentParams(**{**OFF, "brightness": 0.3}), seed=1)
    assert len({float(image.mean()) for image in changed}) == 16


def test_flips_keep_every_pixel() -> None:
    flipped = augment(images(), AugmentParams(**{**OFF, "flip": True}), seed=3)
    np.testing.assert_array_equal(np.sort(flipped.reshape(6, -1)), np.sort(images().reshape(6, -1)))
