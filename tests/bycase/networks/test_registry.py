"""Every network of the zoo against its registry entry."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.core.params import load_params
from bycase.core.params_training import IMPORTED
from bycase.networks.contract import contract_breach
from bycase.networks.registry import NETWORKS, build_backbone, check_network, find_network, find_variant
from bycase.tables.partial_features import check_spread
from tests.fixtures.zoo import LARGE, PLAIN, SIZE, make_noise

FROM_SCRATCH = ["alexnet", "focal_cnn", "googlenet", "mresnet"]
# One of each way to be built and to load a file.
WAYS_TO_BUILD = [
    pytest.param("efficientnet", marks=pytest.mark.slow),
    pytest.param("convnext", marks=pytest.mark.slow),
    pytest.param("xception", marks=pytest.mark.slow),
    "efficientnetlite",
    "focal_cnn",
    "mobilenetv3",
    "vgg16",
]
FAST_TO_BUILD = [
    ("efficientnetlite", "1"),
    ("efficientnetlite", "2"),
    ("efficientnetv2", "B1"),
    ("mobilenetv3", "small"),
]
OTHER_VARIANTS = [
    pytest.param(name, variant, marks=[] if (name, variant) in FAST_TO_BUILD else [pytest.mark.slow])
    for name in PLAIN
    for variant in list(NETWORKS[name].variants)[1:]
]


def check_registered(name: str, model: keras.Model, variant: str | None = None) -> None:
    _, entry = find_variant(name, variant)
    size = max(SIZE, NETWORKS[name].smallest_size)
    assert model.count_params() == entry.parameters
    assert model.output_shape == (None, entry.features)
    assert model.input_shape == (None, size, size, 3)


def check_graph(model: keras.Model) -> None:
    """Flat, of Keras' own layers, with the preprocessing first and nowhere else."""
    assert [layer.name for layer in model.layers[:2]] == ["image", "preprocess"]
    for layer in model.layers:
        assert type(layer).__module__.startswith(("keras.src.layers", "keras.src.applications")), layer
        assert not isinstance(layer, (keras.Model, keras.layers.Lambda)), layer
    scaling = [each for each in model.layers if isinstance(each, (keras.layers.Rescaling, keras.layers.Normalization))]
    assert [layer.name for layer in scaling] == ["preprocess"]


def check_random_features(name: str, model: keras.Model, noise: np.ndarray) -> None:
    """They differ between images, and are neither tiny nor huge."""
    features = np.asarray(model(noise / np.arange(1, 5)[:, None, None, None], training=False))
    assert features.dtype == np.float32
    check_spread(features, name, "random")
    assert 1e-3 < features.std(axis=0).max() < 1e3


def test_parameters_and_features_are_as_registered(backbone: tuple[str, keras.Model]) -> None:
    check_registered(*backbone)


@pytest.mark.parametrize("name", LARGE)
def test_large_networks_are_as_registered(name: str, backbones: Callable[[str], keras.Model]) -> None:
    model = backbones(name)
    noise = make_noise(model.input_shape[1])
    check_registered(name, model)
    check_graph(model)
    check_random_features(name, model, noise)
    assert contract_breach(model, noise, name) is None
    assert contract_breach(model, noise / 255, name) is not None


@pytest.mark.parametrize(("name", "variant"), OTHER_VARIANTS)
def test_other_variants_are_as_registered(name: str, variant: str) -> None:
    check_registered(name, build_backbone(name, SIZE, "random", "avg", 1, variant), variant)


def test_the_graph_is_flat_of_kerass_own_layers_and_begins_with_the_preprocessing(
    backbone: tuple[str, keras.Model],
) -> None:
    check_graph(backbone[1])


def test_random_weights_tell_images_apart(backbone: tuple[str, keras.Model], fitting_noise: np.ndarray) -> None:
    check_random_features(*backbone, fitting_noise)


def test_same_seed_gives_the_same_random_weights(backbone: tuple[str, keras.Model]) -> None:
    name, model = backbone
    again = build_backbone(name, model.input_shape[1], "random", "avg", seed=1)
    for first, second in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def kernels(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(each) for each in model.weights if each.path.endswith("kernel")]


@pytest.mark.parametrize("name", WAYS_TO_BUILD)
def test_another_seed_gives_other_weights_and_a_file_its_own(
    name: str, backbones: Callable[[str], keras.Model], noise: np.ndarray, tmp_path: Path
) -> None:
    first = backbones(name)
    other = build_backbone(name, SIZE, "random", "max", seed=2)
    assert min(np.abs(a - b).max() for a, b in zip(kernels(first), kernels(other), strict=True)) > 0.01
    path = tmp_path / "some.weights.h5"
    other.save_weights(path)
    loaded = build_backbone(name, SIZE, str(path), "max", seed=1)
    np.testing.assert_array_equal(np.asarray(other(noise)), np.asarray(loaded(noise)))


@pytest.mark.parametrize("name", ["vgg16", "alexnet", "efficientnetlite"])
def test_a_weights_file_of_another_network_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(UserError, match=f"zoo.{name}.weights: .*other.weights.h5 does not fit"):
        build_backbone(name, SIZE, str(path), "avg", seed=1)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_missing_weights_file_is_named(name: str) -> None:
    with pytest.raises(UserError, match=f"zoo.{name}.weights: nowhere.h5 is no file"):
        build_backbone(name, 80, "nowhere.h5", "avg", seed=1)


@pytest.mark.parametrize("name", ["vgg16", "efficientnet"])
def test_imagenet_weights_without_a_network_give_three_ways_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise Exception("URL fetch failure on https://example.invalid: None -- [Errno -2] unknown")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", unreachable)
    with pytest.raises(UserError) as caught:
        build_backbone(name, SIZE, "imagenet", "avg", seed=1)
    message = str(caught.value)
    assert name in message
    for way in ("connect to the network", "to random", "path of a weights file"):
        assert way in message


@pytest.mark.parametrize("name", FROM_SCRATCH)
def test_networks_without_imagenet_weights_say_so(name: str) -> None:
    assert "imagenet" not in NETWORKS[name].weights
    with pytest.raises(
        UserError, match=f"zoo.{name}.weights: there are no published ImageNet weights of {name}; .*random.*file"
    ):
        build_backbone(name, SIZE, "imagenet", "avg", seed=1)


def test_unknown_network_lists_the_zoo() -> None:
    with pytest.raises(UserError, match="alexnet, .*efficientnetlite, efficientnetv2, .*vgg16"):
        find_network("resnet5O")


def test_unknown_variant_lists_those_there_are() -> None:
    with pytest.raises(UserError, match="zoo.efficientnet.variant: no variant 'B5' of efficientnet; .* B0, B4, B7"):
        find_variant("efficientnet", "B5")
    with pytest.raises(UserError, match="zoo.resnet50.variant: .*'101'"):
        build_backbone("resnet50", SIZE, "random", "avg", 1, variant="101")
    assert find_variant("mobilenetv3")[0] == "large"
    assert find_variant("mobilenetv3", "small")[1].features == 576


def test_images_that_are_too_small_for_a_network_are_refused() -> None:
    with pytest.raises(UserError, match="image_size: 63 pixels are too few for alexnet, .* below 64"):
        build_backbone("alexnet", 63, "random", "avg", seed=1)
    with pytest.raises(UserError, match="74 pixels are too few for inceptionv3, .* below 75"):
        build_backbone("inceptionv3", 74, "random", "avg", seed=1)
    with pytest.raises(UserError, match="31 pixels are too few for vgg16, .* below 32"):
        build_backbone("vgg16", 31, "random", "avg", seed=1)


def test_every_network_of_the_zoo_has_a_valid_entry_in_params() -> None:
    zoo = load_params().zoo
    assert set(zoo) >= {*NETWORKS, IMPORTED}
    assert zoo.pop(IMPORTED).mode == "frozen"
    for name, entry in zoo.items():
        find_variant(name, entry.variant)
        sources = find_network(name).weights
        assert entry.weights in ("by_dataset", *sources)
        assert (entry.weights == "by_dataset") <= ("imagenet" in sources)
        assert entry.rescale == 1.0


def test_further_entries_of_a_network_are_named_after_it() -> None:
    assert find_network("mobilenetv2-finetuned-160") is NETWORKS["mobilenetv2"]
    with pytest.raises(UserError, match="no network 'mobilenetv9'; the zoo has .*, such as .*-finetuned"):
        find_network("mobilenetv9-finetuned")


def test_an_entrys_further_words_change_no_random_weight() -> None:
    named, plain = (build_backbone(name, 64, "random", "avg", seed=1) for name in ("alexnet-wide", "alexnet"))
    assert all(np.array_equal(a, b) for a, b in zip(named.get_weights(), plain.get_weights(), strict=True))


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": "efficientnetv2", "zoo.efficientnetv2.variant": "B9"},
            "zoo.efficientnetv2.variant.*B0, B1, B2, B3, S",
        ),
        ({"model": "alexnet", "zoo.alexnet.weights": "imagenet"}, "zoo.alexnet.weights: there are no published"),
        ({"model": "alexnet", "datasets.phantom.image_size": 32}, "32 pixels are too few for alexnet"),
        (
            {"model": "googlenet", "zoo.googlenet.stride": 16},
            "zoo.googlenet.stride: .* upper layers too; set it to null",
        ),
    ],
)
def test_what_the_network_does_not_have_is_refused(
    write_params: Callable[..., Any], changes: dict[str, Any], message: str
) -> None:
    write_params(changes)
    with pytest.raises(UserError, match=message):
        check_network(load_params())


@pytest.mark.usefixtures("project")
def test_every_entry_as_shipped_passes(write_params: Callable[..., Any], default_params: dict[str, Any]) -> None:
    for model, network in NETWORKS.items():
        assert model in default_params["zoo"]
        size = next(iter(network.variants.values())).input_size
        write_params({"model": model, "datasets.phantom.image_size": size})
        check_network(load_params())


def test_the_manuals_table_of_networks_is_the_registry() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "networks.md").read_text(encoding="utf-8")
    table = page.partition("\n\n")[2].partition("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table if line.startswith("| `")]
    rows = [row for row in rows if row[0] != "`model`"]
    listed = [re.findall(r"`(\w+)`", row[0]) for row in rows]
    assert sorted(name for names in listed for name in names) == sorted(NETWORKS)
    for names, (_, variants, parameters, weights) in zip(listed, rows, strict=True):
        networks = [NETWORKS[name] for name in names]
        counts = [f"{entry.parameters / 1e6:.1f}" for network in networks for entry in network.variants.values()]
        assert re.findall(r"\d+\.\d", parameters) == (counts[:1] if "each" in parameters else counts), names
        if len(networks[0].variants) > 1:
            assert variants.split(", ") == list(networks[0].variants)
        assert all(("ImageNet" in weights) == ("imagenet" in network.weights) for network in networks), names
