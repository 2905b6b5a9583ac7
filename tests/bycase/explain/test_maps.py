from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from bycase.core.errors import UserError
from bycase.explain.maps import find_gates, make_attention, make_every_map


def test_attention_is_the_gated_map_summed_over_channels(
    make_network: Callable[..., keras.Model], images: np.ndarray
) -> None:
    network = make_network(gates=True)
    assert find_gates(network) == ["stage1_block1_se_gate"]
    found = make_attention(network, batch_size=2)(images)
    layers = ("conv2", "stage1_block1_se_gate")
    taps = keras.Model(network.input, [network.get_layer(name).output for name in layers])
    maps, gates = (np.asarray(of) for of in taps(images.astype(np.float32)))
    expected = np.stack([sum(gates[n, 0, 0, k] * maps[n, :, :, k] for k in range(5)) for n in range(len(images))])
    wide = tf.image.resize(expected[..., None], (16, 16), "bilinear").numpy()[..., 0]
    lowest, highest = (of(wide, axis=(1, 2), keepdims=True) for of in (np.min, np.max))
    np.testing.assert_allclose(found, (wide - lowest) / (highest - lowest), atol=1e-4)
    assert list(make_every_map(network, 8)(images, np.ones(5, np.int64))) == [
        "grad_cam",
        "grad_cam_plus_plus",
        "attention",
    ]


def test_a_network_without_gates_has_none_to_show(network: keras.Model, images: np.ndarray) -> None:
    assert find_gates(network) == []
    assert list(make_every_map(network, 8)(images, np.ones(5, np.int64))) == ["grad_cam", "grad_cam_plus_plus"]
    with pytest.raises(UserError, match="no squeeze-and-excitation gates"):
        make_attention(network)(images)
