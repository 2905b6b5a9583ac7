"""What a runtime that cannot be had, or a file that cannot be read, says."""

import importlib
import sys
from pathlib import Path

import pytest

from bycase.apps.runtimes import RUNTIMES, load_runtime
from bycase.core.packages import need
from bycase.core.errors import UserError

FILES = {"keras": "m.keras", "onnx": "m.onnx", "openvino": "m.xml", "int8": "m.xml", "litert": "m.tflite", "tf": "m"}


def test_a_missing_package_is_named_with_what_does_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError) as error:
        need("onnxruntime", "the runtime onnx", "--runtime keras")
    assert str(error.value) == (
        "the runtime onnx needs the package onnxruntime, which is not installed: "
        "pip install -c requirements-dev.txt onnxruntime; or choose --runtime keras"
    )


def test_a_package_that_does_not_start_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halfinstalled.py").write_text("import no_such_package_of_ours\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"does not start \(No module named 'no_such_package_of_ours'\)"):
        need("halfinstalled", "this", "that")


def test_no_package_of_ours_can_send_reports_of_its_use() -> None:
    need("json", "this", "that")
    with pytest.raises(ImportError):
        importlib.import_module("openvino_telemetry")
    if importlib.util.find_spec("openvino"):
        from openvino.tools.ovc import telemetry_utils

        need("openvino", "this", "that")
        assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"


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
