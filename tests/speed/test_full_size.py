"""The benchmark of a run as large as BreakHis, on a small one."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from speed.full_size import HEIGHT, WIDTH, main


@pytest.mark.slow
def test_stages_are_measured_at_the_size_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--cases", "8", "--images", "32", "--size", "48", "--engine", "auto"]
    stages = ["--stages", "check", "download", "restructure"]
    main([*size, *stages, "--folder", str(tmp_path / "work"), "--csv", str(tmp_path / "table.csv")])
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["step"].tolist() == stages[1:]
    assert (table[["processor_seconds", "peak_mb"]] > 0).all(axis=None)
    params = yaml.safe_load((tmp_path / "work/params.yaml").read_text())
    assert params["engine"] == "auto"
    phantom = params["datasets"]["phantom"]
    assert (phantom["image_size"], phantom["layout"]) == (48, "breakhis")
    assert phantom["phantom"] | {"cases": 8, "images": 32, "width": WIDTH, "height": HEIGHT} == phantom["phantom"]
    assert len(list((tmp_path / "work/data/restructured").rglob("*.png"))) == 32
    assert capsys.readouterr().out.splitlines()[-1].startswith("all")
