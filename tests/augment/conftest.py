from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stages.common.seeding import make_tensorflow_deterministic
from stages.common.training_params import AugmentParams

Settings = Callable[..., AugmentParams]

OFF: dict[str, Any] = {
    "flip": "none",
    "rotation": 0.0,
    "zoom": 0.0,
    "crop": 1.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "stain_jitter": 0.0,
    "rand_augment": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
}


@pytest.fixture(scope="package", autouse=True)
def deterministic() -> None:
    """As every stage that trains sets TensorFlow up: unseeded random operations raise."""
    make_tensorflow_deterministic(7)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """``settings(flip="both")``: that is on, all else off."""
    return lambda **on: AugmentParams(**{**OFF, **on})


@pytest.fixture
def images() -> np.ndarray:
    """Six smooth colour images, as photographs are, uint8 (6, 48, 48, 3)."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(0).random((6, 48, 48, 3))
    smooth = gaussian_filter(noise, (0, 3, 3, 0))
    low, high = smooth.min((1, 2, 3), keepdims=True), smooth.max((1, 2, 3), keepdims=True)
    return (40 + 180 * (smooth - low) / (high - low)).astype(np.uint8)
