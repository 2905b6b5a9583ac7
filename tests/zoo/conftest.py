from collections.abc import Callable
from functools import lru_cache

import keras
import numpy as np
import pytest

from stages.zoo.registry import NETWORKS, build_backbone

SIZE = 64

Backbones = Callable[[str], keras.Model]


@pytest.fixture(scope="session")
def backbones() -> Backbones:
    """Each network's default variant with random weights, built once; not to be changed."""
    return lru_cache(lambda name: build_backbone(name, SIZE, "random", "avg", seed=1))


@pytest.fixture(params=sorted(NETWORKS))
def backbone(request: pytest.FixtureRequest, backbones: Backbones) -> tuple[str, keras.Model]:
    return request.param, backbones(request.param)


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    """Four images in [0, 255]."""
    return np.random.default_rng(0).uniform(0, 255, (4, SIZE, SIZE, 3)).astype(np.float32)
