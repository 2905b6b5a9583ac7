import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.networks.registry import build_backbone


@pytest.mark.parametrize(
    ("name", "stride", "features"),
    [
        ("efficientnetlite", 16, 112),
        ("efficientnetlite", 8, 40),
        ("mobilenetv2", 16, 96),
        ("vgg16", 16, 512),
        # The end of the third block, as CLAM takes it of a ResNet50.
        pytest.param("resnet50", 16, 1024, marks=pytest.mark.slow),
        pytest.param("densenet121", 16, 1024, marks=pytest.mark.slow),
    ],
)
def test_a_network_ends_with_the_last_block_of_a_stride(name: str, stride: int, features: int) -> None:
    backbone = build_backbone(name, 64, "random", "avg", seed=1, stride=stride)
    assert not isinstance(backbone.input, list)
    assert backbone.output_shape == (None, features)
    assert len(backbone.layers[-2].output.shape) == 4
    assert backbone.layers[-2].output.shape[1:3] == (64 // stride, 64 // stride)


def test_layers_and_weights_stay() -> None:
    import keras

    whole = build_backbone("efficientnetlite", 64, "random", "max", seed=1)
    cut = build_backbone("efficientnetlite", 64, "random", "max", seed=1, stride=16)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("float32")
    maps = keras.Model(whole.inputs, whole.get_layer(cut.layers[-2].name).output)(pixels)
    np.testing.assert_allclose(cut(pixels), np.max(maps, axis=(1, 2)), rtol=1e-6)
    assert cut.count_params() < whole.count_params() / 4


def test_a_stride_that_a_network_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(
        UserError, match=r"zoo.vgg16.stride: no maps .* stride of 64; choose of 2, 4, 8, 16, 32, or null"
    ):
        build_backbone("vgg16", 64, "random", "avg", seed=1, stride=64)
