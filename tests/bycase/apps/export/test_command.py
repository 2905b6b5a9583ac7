"""The command: what it says of bad input, in one line each."""

import json
from functools import partial
from pathlib import Path

import pytest

from bycase.apps.export.command import main
from bycase.apps.runtimes import find_model
from bycase.core.command import run_stage


def run(*arguments: str) -> str:
    """What the command exits with; empty where it succeeds."""
    try:
        run_stage("export", partial(main, list(arguments)))
    except SystemExit as stop:
        return str(stop.code)
    return ""


def test_an_export_is_found_again_for_its_network_alone(workspace: Path) -> None:
    assert run("--format", "tf") == ""
    report = json.loads(Path("exports/tf/report.json").read_text(encoding="utf-8"))
    assert report["threshold"] == 0.5
    assert report["classes"] == ["Benign", "Malignant"]
    assert find_model("tf", Path("models/model.keras")) == Path("exports/tf/saved_model")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "pickle"], "no format 'pickle'; there are onnx, openvino, litert, tf, int8"),
        (["--format", "tf", "--model", "none.keras"], "none.keras not found: run 'dvc repro train' first"),
        (["--format", "tf", "--model", "params.yaml"], "params.yaml is no .keras file"),
        (["--format", "tf", "--out", "params.yaml"], "params.yaml"),
    ],
)
def test_bad_input_is_one_line(workspace: Path, arguments: list[str], words: str) -> None:
    message = run(*arguments)
    assert message.startswith("export: error: ")
    assert words in message
    assert "\n" not in message


def test_a_folder_that_cannot_be_written_is_one_line(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", "exports")

    monkeypatch.setattr("bycase.core.files.tempfile.mkdtemp", refuse)
    assert run("--format", "tf") == "export: error: exports: Permission denied; free or unlock it and run again"
