"""A published run made again, on few generated images."""

import shutil

import pytest

from tests.pipeline.conftest import ROOT, SMALL, Project


@pytest.mark.slow
def test_parameters_of_an_older_version_run_as_they_are(fresh: Project) -> None:
    path = fresh.folder / "params.yaml"
    shutil.copyfile(ROOT / "results/breakhis-partial-by-image-seed-7/params.yaml", path)
    older = ("datasets", "embed", "evaluate", "leakage", "train", "zoo")
    fresh.set_params(**{key: value for key, value in SMALL.items() if key.startswith(older)}, dataset="phantom")
    assert "uncertainty" not in path.read_text(encoding="utf-8")
    done = fresh.dvc("repro", "uncertainty")
    said = [line for line in done.stderr.splitlines() if "params.yaml is of an older version" in line]
    assert len(said) == 1
    assert "added split.held_out_magnification, uncertainty, robustness, explain" in said[0]
    assert (fresh.folder / "metrics/metrics.json").is_file()
    assert "params.yaml" not in fresh.dvc("status", "check").stdout
