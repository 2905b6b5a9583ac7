"""Every format on a tiny network: the same answers, and nothing written where they are not."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from bycase.apps.export import write
from bycase.apps.export.convert import convert_onnx, fix_inputs, refuse_other_backends
from bycase.apps.export.quantise import choose_calibration, quantise
from bycase.apps.export.write import Validation, write_export
from bycase.apps.runtimes import FILES, FORMATS, REPORT, load_runtime
from bycase.core.errors import UserError
from bycase.images.pixels import read_pixels
from bycase.networks.graph import save_graph

NEEDS = {"onnx": ["onnx", "tf2onnx", "onnxruntime"], "openvino": ["openvino"], "int8": ["openvino", "nncf"]}
OUT = Path("out")


def export(kind: str, network: keras.Model, validation: Validation, calibration: tuple[str, ...] = ()) -> Path:
    for package in NEEDS.get(kind, []):
        pytest.importorskip(package)
    write_export(network, kind, OUT, validation, calibration, {"model_sha256": "x"})
    return OUT / kind / FILES[kind]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "int8"])
def test_an_export_gives_keras_features_and_probabilities(
    workspace: Path, tiny: keras.Model, validation: Validation, pixels: np.ndarray, expected: np.ndarray, kind: str
) -> None:
    path = export(kind, tiny, validation)
    forward = load_runtime(path, kind, 8)
    for part in (slice(0, 8), slice(8, 11), slice(11, 12)):
        outputs = forward(pixels[part].astype(np.float32))
        assert outputs.dtype == np.float32
        np.testing.assert_allclose(outputs, expected[part], rtol=1e-4, atol=1e-5)
    report = json.loads((OUT / kind / REPORT).read_text(encoding="utf-8"))
    assert report["format"] == kind
    assert report["parity"]["n_images"] == 12
    assert report["parity"]["largest_difference"] < 1e-5
    assert report["parity"]["changed_decisions"] == []
    assert report["bytes"] == sum(f.stat().st_size for f in (OUT / kind).rglob("*") if f.is_file() and f.name != REPORT)
    assert report["versions"]["keras"] == keras.__version__


def test_int8_is_calibrated_on_training_images_and_lists_what_changes(
    workspace: Path,
    tiny: keras.Model,
    validation: Validation,
    pixels: np.ndarray,
    expected: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    splits = pd.read_csv("data/splits.csv")
    calibration = choose_calibration(splits, 7)
    assert set(calibration) == set(splits["image"][splits["part"] == "train"])
    monkeypatch.setattr("bycase.apps.export.quantise.CALIBRATION", 5)
    assert set(choose_calibration(splits, 7)) < set(calibration)
    assert len(choose_calibration(splits, 7)) == 5

    seen: list[str] = []

    def read(images: Sequence[str]) -> np.ndarray:
        seen.extend(images)
        return read_pixels(images)

    monkeypatch.setattr(write, "quantise", partial(quantise, read=read))
    path = export("int8", tiny, validation, tuple(calibration))
    assert set(seen) == set(calibration)
    outputs = load_runtime(path, "int8", 36)(pixels.astype(np.float32))
    assert np.abs(outputs - expected).max() > 0
    assert np.abs(outputs[:, -1] - expected[:, -1]).max() < 0.2
    parity = json.loads((OUT / "int8" / REPORT).read_text(encoding="utf-8"))["parity"]
    assert abs(parity["auc_keras"] - parity["auc_export"]) <= 0.005


def test_a_constant_that_a_layer_holds_is_no_input_of_the_onnx_graph(workspace: Path, tiny: keras.Model) -> None:
    onnx, tf2onnx = pytest.importorskip("onnx"), pytest.importorskip("tf2onnx")
    from bycase.apps.export.convert import _captured_constants
    from bycase.networks.graph import trace

    function = trace(tiny)
    graph, _ = tf2onnx.convert.from_function(function, input_signature=function.input_signature)
    assert len(graph.graph.input) > 1, "the trap is gone: fix_inputs can go too"
    with pytest.raises(ValueError, match="has no value"):
        fix_inputs(graph, {})
    assert set(_captured_constants(function)) == {each.name for each in graph.graph.input} - {"image"}
    convert_onnx(tiny, Path("m.onnx"))
    assert [each.name for each in onnx.load("m.onnx").graph.input] == ["image"]


def test_a_wrong_export_is_not_written_and_the_one_before_stays(
    workspace: Path, tiny: keras.Model, validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (export("tf", tiny, validation).parent / REPORT).read_bytes()

    def shifted(network: keras.Model, path: Path) -> None:
        outputs = keras.layers.Rescaling(1.0, 0.002)(network.output)
        save_graph(keras.Model(network.input, outputs), path)

    monkeypatch.setattr(write, "save_graph", shifted)
    with pytest.raises(UserError, match=r"largest probability difference 0\.002 \(limit 0\.0001\).*nothing is written"):
        export("tf", tiny, validation)
    assert (OUT / "tf" / REPORT).read_bytes() == before
    with pytest.raises(UserError):
        write_export(tiny, "tf", Path("elsewhere"), validation, (), {})
    assert not list(Path("elsewhere").iterdir())


def test_int8_that_loses_auc_is_not_written(
    workspace: Path, tiny: keras.Model, validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")

    def upside_down(network: keras.Model, path: Path, calibration: object) -> None:
        outputs = keras.layers.Rescaling(-1.0, 1.0)(network.output)
        write.convert_openvino(keras.Model(network.input, outputs), path)

    monkeypatch.setattr(write, "quantise", upside_down)
    with pytest.raises(UserError, match=r"AUC difference .* \(limit 0\.005\).*nothing is written"):
        write_export(tiny, "int8", OUT, validation, (), {})
    assert not (OUT / "int8").exists()


def test_a_converter_that_fails_is_one_line(
    workspace: Path, tiny: keras.Model, validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(network: keras.Model, path: Path) -> None:
        raise RuntimeError("no kernel")

    monkeypatch.setattr(write, "convert_litert", fail)
    with pytest.raises(UserError, match=r"litert cannot express the network \(no kernel\); choose another --format"):
        export("litert", tiny, validation)


def test_another_backend_than_tensorflow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UserError, match="an export needs TensorFlow, and KERAS_BACKEND is jax: unset it"):
        refuse_other_backends()


def test_predictions_of_another_network_are_refused(workspace: Path, tiny: keras.Model, validation: Validation) -> None:
    table = validation.predictions.assign(Benign=0.5, Malignant=0.5)
    with pytest.raises(UserError, match="not the one of data/predictions/val.csv"):
        export("tf", tiny, Validation(table, validation.classes, 0.5, 8))
    assert not (OUT / "tf").exists()


def test_a_folder_of_something_else_is_left_alone(workspace: Path, tiny: keras.Model, validation: Validation) -> None:
    (OUT / "tf").mkdir(parents=True)
    (OUT / "tf" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        export("tf", tiny, validation)
    assert (OUT / "tf" / "thesis.txt").read_text() == "mine"
