"""`bycase inspect`: what it prints, what it writes, and when it ends with 1."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from bycase.core.params import load_params
from docs import example_images
from tests.conftest import REPOSITORY


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with params.yaml, and one with images of twelve patients in two classes."""
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    random = np.random.default_rng(0)
    for patient in range(12):
        for place in range(3):
            path = tmp_path / "mine" / ("malignant" if patient > 5 else "benign") / f"P{patient:02}_{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
    return tmp_path


def inspect(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bycase", "inspect", *words],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_report_the_entry_and_the_commands(project: Path) -> None:
    before = (project / "params.yaml").read_bytes()
    ended = inspect(project, "mine")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "classes     benign 18, malignant 18 (folder level 1)" in ended.stdout
    assert "12, 3 images each, such as P00, P01, P02" in ended.stdout
    assert (
        "    bycase inspect mine --write mine\n    dvc exp run -S dataset=mine -S model=efficientnetlite"
        in ended.stdout
    )
    assert (project / "params.yaml").read_bytes() == before


def test_written_entries_are_read_and_comments_stay(project: Path) -> None:
    before = (project / "params.yaml").read_text(encoding="utf-8")
    ended = inspect(project, "mine", "--write", "ours-1")
    assert (ended.returncode, ended.stderr) == (0, "")
    after = (project / "params.yaml").read_text(encoding="utf-8")
    assert set(before.splitlines()) <= set(after.splitlines())
    assert len(after.splitlines()) == len(before.splitlines()) + 2
    params = load_params(project / "params.yaml")
    entry = params.datasets["ours-1"]
    assert (entry.layout, entry.path, entry.classes, entry.positive) == (
        "folders",
        "mine",
        ["benign", "malignant"],
        "malignant",
    )
    assert params.audit.waive["ours-1"] == []
    content = yaml.safe_load(after)["datasets"]
    assert set(content["ours-1"]) == set(content["phantom"])
    again = inspect(project, "mine", "--write", "ours-1")
    assert again.returncode == 1
    assert "params.yaml has that data set; take another name" in again.stderr


def test_the_entry_shown_can_be_written_by_hand(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    shown = inspect(project, "mine").stdout
    entry = yaml.safe_load(shown.partition("params.yaml:")[2].partition("Write it there")[0])["datasets"]
    path = project / "params.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(content | {"datasets": content["datasets"] | entry}), encoding="utf-8")
    with caplog.at_level("INFO"):
        load_params(path, rewrite=True)
    assert "lacks keys and is written as complete: added datasets.*.slug" in caplog.text
    # DVC wants every key that a stage names.
    completed = yaml.safe_load(path.read_text(encoding="utf-8"))["datasets"]
    assert set(completed["mine"]) == set(completed["phantom"])


def test_a_choice_is_asked_for_and_nothing_written(project: Path) -> None:
    for path in (project / "mine").rglob("*.png"):
        path.rename(path.with_name(path.name.replace("P0", "").replace("P1", "")))
    before = (project / "params.yaml").read_bytes()
    ended = inspect(project, "mine", "--write", "ours")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "which is the patient only you can say: give --patient" in ended.stderr
    assert ended.stderr.rstrip().endswith("or none; nothing was written")
    assert (project / "params.yaml").read_bytes() == before
    assert inspect(project, "mine", "--patient", "none", "--write", "ours").returncode == 0
    content = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    assert content["datasets"]["ours"]["folders"] == {"label": 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere not found"),
        (["mine", "--write", "../x"], "--write ../x: a name of letters"),
        (["mine", "--name", "benign"], "--name benign: write LABEL=CLASS"),
        (["mine/benign"], "nothing names a class"),
    ],
)
def test_mistakes_are_one_line(project: Path, words: list[str], message: str) -> None:
    ended = inspect(project, *words)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert message in ended.stderr


def test_the_tutorial_shows_what_is_printed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    example_images.main(["my_images"])
    ended = inspect(project, "my_images", "--write", "my_images")
    assert (ended.returncode, ended.stderr) == (0, "")
    page = (REPOSITORY / "docs/tutorials/your-images.md").read_text(encoding="utf-8")
    shown = page.partition("```text\n")[2].partition("\n```")[0].splitlines()
    assert len(shown) == 7
    printed = ended.stdout.splitlines()
    assert [line for line in shown if not any(each.startswith(line.removesuffix("...")) for each in printed)] == []
    expression = r"P(?P<patient>\d+)_\d+_(?P<magnification>\d+)x"
    assert f"--patient '{expression}'" in page
    ended = inspect(project, "my_images", "--patient", expression, "--write", "by_magnification")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "--patient '(?:^|/)(?P<patient>\\d+)_[^/]*$' or none; nothing was written" in page
