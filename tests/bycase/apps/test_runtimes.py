"""Where exports lie, that each belongs to one network, and what one that cannot be loaded says."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from bycase.apps.runtimes import RUNTIMES, find_model, load_runtime, network_digest
from bycase.core.errors import UserError

FILES = {"keras": "m.keras", "onnx": "m.onnx", "openvino": "m.xml", "int8": "m.xml", "litert": "m.tflite", "tf": "m"}


def write_keras(path: Path, weights: bytes, date: str = "monday") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"date_saved": date}))
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", weights)
    return path


@pytest.fixture
def exported(tmp_path: Path) -> tuple[Path, Path]:
    """A network's file, and a folder with one export of it."""
    model = write_keras(tmp_path / "a.keras", b"weights")
    folder = tmp_path / "exports" / "onnx"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"model_sha256": network_digest(model)}))
    return model, folder.parent


def test_the_same_network_saved_later_or_with_more_beside_it_is_the_same(exported: tuple[Path, Path]) -> None:
    model, exports = exported
    later = write_keras(model.with_name("b.keras"), b"weights", "tuesday")
    with zipfile.ZipFile(later, "a") as archive:
        archive.writestr("classifier.json", "{}")
    assert find_model("onnx", later, exports) == exports / "onnx" / "model.onnx"
    assert find_model("keras", later, exports) == later


def test_an_export_of_another_network_is_refused(exported: tuple[Path, Path]) -> None:
    model, exports = exported
    other = write_keras(model.with_name("b.keras"), b"other weights")
    with pytest.raises(UserError, match=r"an export of another network .*bycase export --format onnx --model"):
        find_model("onnx", other, exports)


def test_an_export_that_is_not_there_or_has_no_report(exported: tuple[Path, Path]) -> None:
    model, exports = exported
    with pytest.raises(UserError, match="not found: run 'bycase export --format openvino"):
        find_model("openvino", model, exports)
    (exports / "onnx" / "report.json").write_text("[]")
    with pytest.raises(UserError, match="is no export's report"):
        find_model("onnx", model, exports)
    with pytest.raises(UserError, match="no format 'torch'; there are keras, onnx"):
        find_model("torch", model, exports)


def test_a_damaged_or_missing_file_is_no_network(tmp_path: Path) -> None:
    whole = write_keras(tmp_path / "a.keras", b"w" * 1000)
    content = whole.read_bytes()
    half = tmp_path / "half.keras"
    half.write_bytes(content[: len(content) // 2])
    changed = tmp_path / "changed.keras"
    changed.write_bytes(content.replace(b"w" * 1000, b"w" * 999 + b"v"))
    for path in (half, changed):
        with pytest.raises(UserError, match=r"is no \.keras file, or a damaged one"):
            network_digest(path)
    shutil.rmtree(tmp_path / "gone", ignore_errors=True)
    with pytest.raises(UserError, match="not found"):
        network_digest(tmp_path / "gone")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_file_of_nonsense_is_one_line(tmp_path: Path, runtime: str) -> None:
    path = tmp_path / FILES[runtime]
    if runtime in ("onnx", "openvino", "int8"):
        pytest.importorskip("onnxruntime" if runtime == "onnx" else "openvino")
    with pytest.raises(UserError, match="not found"):
        load_runtime(path, runtime, 2)
    path.write_bytes(b"nonsense" * 20)
    with pytest.raises(UserError, match="m"):
        load_runtime(path, runtime, 2)


def test_an_unknown_runtime_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no format 'torch'; there are keras, onnx, openvino, litert, tf, int8"):
        load_runtime(tmp_path, "torch", 1)
