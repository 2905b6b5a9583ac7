"""Outputs in batches are those of the network, whatever the batch's length."""

import numpy as np
import pytest

from bycase.networks.forward import forward, frozen_forward
from bycase.networks.registry import build_backbone


@pytest.mark.parametrize("name", ["efficientnetlite", "mobilenetv2", pytest.param("resnet50", marks=pytest.mark.slow)])
def test_short_batches_and_constant_weights_give_the_networks_outputs(name: str) -> None:
    network = build_backbone(name, 32, "imagenet" if name == "efficientnetlite" else "random", "avg", 1)
    images = np.random.default_rng(0).uniform(0, 255, (7, 32, 32, 3)).astype(np.float32)
    expected = np.asarray(network(images, training=False))
    frozen = frozen_forward(network, 4)
    for start, stop in ((0, 4), (4, 7)):
        of = images[start:stop]
        np.testing.assert_allclose(forward(network, of, 4), expected[start:stop], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(frozen(of), expected[start:stop], rtol=1e-3, atol=1e-3 * np.abs(expected).max())
        np.testing.assert_array_equal(frozen(of), frozen(of))


def test_a_large_network_gives_the_same_with_its_weights_as_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_backbone("efficientnetlite", 32, "imagenet", "avg", 1)
    images = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype(np.float32)
    expected = frozen_forward(network, 4)(images)
    monkeypatch.setattr("bycase.networks.graph.freeze", None)
    monkeypatch.setattr("bycase.networks.forward.MOST_CONSTANTS", network.count_params() - 1)
    large = frozen_forward(network, 4)
    assert large(images).shape == expected.shape
    np.testing.assert_allclose(large(images), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_a_frozen_network_does_not_see_later_weights() -> None:
    network = build_backbone("efficientnetlite", 32, "imagenet", "avg", 1)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    frozen = frozen_forward(network, 2)
    before = frozen(images)
    network.set_weights([weight * 0 for weight in network.get_weights()])
    np.testing.assert_array_equal(frozen(images), before)
    assert not forward(network, images, 2).any()
