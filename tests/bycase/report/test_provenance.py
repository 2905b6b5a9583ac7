import subprocess
from pathlib import Path

import pytest

from bycase.report.provenance import describe_commit, hide_places, package_versions, read_hashes

LOCK = """
stages:
  download:
    outs:
    - {path: data/raw/phantom, md5: aa.dir, size: 10}
  plot:
    outs:
    - {path: plots/model/roc.png, md5: bb, size: 20}
  train:
    outs:
    - {path: models/model.keras, md5: cc, size: 30}
"""


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout


def test_the_commit_and_what_differs_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "no Git repository" in describe_commit()
    git("init", "-q")
    Path("params.yaml").write_text("a: 1\n")
    git("add", ".")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "HEAD").strip()
    assert describe_commit() == f"{commit}, code and parameters as committed"
    Path("notes.txt").write_text("not code")
    assert describe_commit().endswith("as committed")
    Path("params.yaml").write_text("a: 2\n")
    assert describe_commit() == f"{commit}, with uncommitted changes in params.yaml"


def test_hashes_are_those_of_data_and_network(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    lock.write_text(LOCK)
    hashes = read_hashes([lock, tmp_path / "none.lock"])
    assert hashes == [("data/raw/phantom", "aa.dir", 10), ("models/model.keras", "cc", 30)]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("    path: /home/someone/data/breakhis  # mine", "    path: breakhis  # mine"),
        ("    path: '../up/busi.zip'", "    path: 'busi.zip'"),
        ("    weights: /scratch/w.h5", "    weights: w.h5"),
        ("    slug: owner/name", "    slug: owner/name"),
        ("    path: null", "    path: null"),
    ],
)
def test_places_of_this_machine_are_not_told(line: str, shown: str) -> None:
    assert hide_places(f"a: 1\n{line}\n") == f"a: 1\n{shown}\n"


def test_versions_are_known() -> None:
    assert {"keras", "tensorflow", "numpy"} <= set(package_versions())
