"""OpenVINO computes where it gives Keras' outputs, and what happens where it does not."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from bycase.core import packages
from bycase.core.device import Gpu
from bycase.core.errors import UserError
from bycase.networks import engine
from bycase.networks.engine import choose_engine, engine_identity, spread
from bycase.networks.registry import build_backbone

IMAGES = np.random.default_rng(0).uniform(0, 255, (7, 32, 32, 3)).astype(np.float32)


def tiny() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, activation="silu")(inputs / 255.0)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(keras.layers.GlobalMaxPooling2D()(x)))


@pytest.fixture
def shifted(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``shifted(0.1)``: OpenVINO's outputs are so much larger than they should be."""
    pytest.importorskip("openvino")

    def shift(by: float) -> None:
        compile_openvino = engine.compile_openvino

        def compile_wrongly(model: Any, batch_size: int) -> engine.Forward:
            forward = compile_openvino(model, batch_size)
            return lambda batch: forward(batch) + np.float32(by)

        monkeypatch.setattr(engine, "compile_openvino", compile_wrongly)

    return shift


@pytest.mark.parametrize(
    ("name", "stride"), [("efficientnetlite", 16), pytest.param("resnet50v2", None, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("wanted", ["openvino", "auto"])
def test_openvino_gives_the_networks_features_for_whole_and_short_batches(
    name: str, stride: int | None, wanted: str
) -> None:
    openvino = pytest.importorskip("openvino")
    network = build_backbone(name, 32, "imagenet" if name == "efficientnetlite" else "random", "avg", 1, stride=stride)
    expected = np.asarray(network(IMAGES, training=False))
    chosen = choose_engine(network, wanted, 4, lambda: IMAGES, "features")
    assert chosen.made_by["name"] == "openvino"
    assert openvino.__version__.startswith(chosen.made_by["version"])
    assert 0 < chosen.made_by["largest_difference"] < 1e-4
    for start, stop in ((0, 4), (4, 7)):
        outputs = chosen.forward(IMAGES[start:stop])
        assert outputs.dtype == np.float32
        np.testing.assert_allclose(outputs, expected[start:stop], rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_what_is_logged_after_openvinos_converter_is_still_heard(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("openvino")
    caplog.set_level(logging.INFO)
    root = logging.getLogger()
    before = (root.level, root.filters[:], root.handlers[:])
    engine.openvino_model(tiny())
    logging.info("still heard")
    assert "still heard" in caplog.messages
    assert (root.level, root.filters, root.handlers) == before


def test_keras_computes_unless_something_else_is_wanted() -> None:
    network = tiny()
    chosen = choose_engine(network, "keras", 4, lambda: IMAGES, "probabilities")
    assert chosen.made_by == chosen.identity == {"name": "keras"}
    np.testing.assert_allclose(chosen.forward(IMAGES[:3]), network(IMAGES[:3]), atol=1e-6)


def test_other_outputs_stop_openvino_and_auto_falls_to_keras_and_says_so(
    shifted: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    shifted(2e-4)
    caplog.set_level(logging.INFO)
    network = tiny()
    breach = r"not the network's outputs on 7 images: largest probability difference 0\.0002 \(limit 0\.0001\)"
    with pytest.raises(UserError, match=rf"^engine openvino: {breach}; set engine to keras$"):
        choose_engine(network, "openvino", 4, lambda: IMAGES, "probabilities")
    chosen = choose_engine(network, "auto", 4, lambda: IMAGES, "probabilities")
    np.testing.assert_allclose(chosen.forward(IMAGES[:3]), network(IMAGES[:3]), atol=1e-6)
    assert chosen.identity == {"name": "keras"}
    assert "largest probability difference" in chosen.made_by["because"]
    assert f"engine auto: Keras, because {chosen.made_by['because']}" in caplog.messages


def test_features_are_compared_relative_to_the_largest(shifted: Callable[[float], None]) -> None:
    inputs = keras.Input((3,))
    network = keras.Model(inputs, inputs * 1000.0)
    sample = np.array([[0.0, 1.0, 0.5]], np.float32)
    shifted(0.5)
    assert choose_engine(network, "openvino", 2, lambda: sample, "features").made_by["largest_difference"] > 4e-4
    with pytest.raises(UserError, match="largest probability difference 0.5"):
        choose_engine(network, "openvino", 2, lambda: sample, "probabilities")
    shifted(1.0)
    with pytest.raises(UserError, match="largest relative feature difference"):
        choose_engine(network, "openvino", 2, lambda: sample, "features")


def test_outputs_that_are_no_numbers_do_not_pass(shifted: Callable[[float], None]) -> None:
    shifted(float("nan"))
    with pytest.raises(UserError, match="largest probability difference nan"):
        choose_engine(tiny(), "openvino", 4, lambda: IMAGES, "probabilities")


def test_a_network_that_openvino_cannot_express_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")

    def refuse(network: keras.Model) -> None:
        raise RuntimeError("no such\noperation")

    monkeypatch.setattr(engine, "openvino_model", refuse)
    reason = r"engine openvino cannot express the network \(no such operation\)"
    with pytest.raises(UserError, match=f"^{reason}; set engine to keras$"):
        choose_engine(tiny(), "openvino", 4, lambda: IMAGES, "probabilities")
    because = choose_engine(tiny(), "auto", 4, lambda: IMAGES, "probabilities").made_by["because"]
    assert because == "engine openvino cannot express the network (no such operation)"


def test_without_the_package_openvino_stops_with_the_extras_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(packages.sys, "modules", sys.modules)
    way_out = r"requirements-export\.txt\) in the project's folder; or set engine to keras$"
    with pytest.raises(UserError, match=rf"^engine openvino needs the package openvino, .*{way_out}"):
        choose_engine(tiny(), "openvino", 4, lambda: IMAGES, "probabilities")
    because = choose_engine(tiny(), "auto", 4, lambda: IMAGES, "probabilities").made_by["because"]
    assert because.endswith("in the project's folder")


def test_auto_leaves_a_gpu_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_gpus", lambda: (Gpu("A card", (8, 0)),))
    made_by = choose_engine(tiny(), "auto", 4, lambda: IMAGES, "probabilities").made_by
    assert made_by == {"name": "keras", "because": "A card computes"}


def test_threads_are_those_that_tensorflow_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    openvino = pytest.importorskip("openvino")
    settings: list[dict[str, Any]] = []
    compile_model = openvino.Core.compile_model

    def remember(self: Any, model: Any, device: str, config: dict[str, Any]) -> Any:
        settings.append(config)
        return compile_model(self, model, device, config)

    monkeypatch.setattr(openvino.Core, "compile_model", remember)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    choose_engine(tiny(), "openvino", 4, lambda: IMAGES, "probabilities")
    assert settings[0]["INFERENCE_NUM_THREADS"] == "1"


def test_images_to_compare_are_spread_over_all() -> None:
    names = [f"{number:02}" for number in range(31)]
    assert spread(names, 4) == ["00", "10", "20", "30"]
    assert spread(names[:3], 4) == names[:3]


def test_an_identity_tells_whether_openvino_may_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "installed_versions", lambda _: {"openvino": "1.2"})
    assert (engine_identity("keras"), engine_identity("auto")) == ("keras", "auto 1.2")
    monkeypatch.setattr(engine, "installed_versions", lambda _: {})
    assert engine_identity("auto") == "auto"
