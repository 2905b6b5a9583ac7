"""What a package of an extra that cannot be had says."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from bycase.core import packages
from bycase.core.errors import UserError
from bycase.core.packages import need


def test_a_missing_package_is_named_with_its_extra_and_what_does_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError) as error:
        need("onnxruntime", "the runtime onnx", "choose --runtime keras")
    assert str(error.value) == (
        "the runtime onnx needs the package onnxruntime, which is not installed: "
        "make extras (or pip install -r requirements-export.txt) in the project's folder; or choose --runtime keras"
    )


def test_a_package_that_does_not_start_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halfinstalled.py").write_text("import no_such_package_of_ours\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(packages.EXTRAS, "halfinstalled", "tune")
    with pytest.raises(UserError, match=r"does not start \(No module named 'no_such_package_of_ours'\): make extras"):
        need("halfinstalled", "this")


def test_no_package_of_ours_can_send_reports_of_its_use() -> None:
    """In a process of its own: another test may have imported OpenVINO first."""
    code = """
import importlib
import importlib.util
from bycase.core.packages import need

need("json", "this")
try:
    importlib.import_module("openvino_telemetry")
except ImportError:
    print("kept out")
if importlib.util.find_spec("openvino"):
    from openvino.tools.ovc import telemetry_utils

    need("openvino", "this")
    print(telemetry_utils.tm.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = ["kept out", "openvino.tools.ovc.telemetry_stub"]
    assert done.stdout.split("\n")[:-1] == expected[: 1 + bool(importlib.util.find_spec("openvino"))]
