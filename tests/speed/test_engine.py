"""The benchmark of engines, on a small network."""

from pathlib import Path

import pandas as pd
import pytest

from speed import engine as benchmark


def test_every_network_is_measured_in_both_engines(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    table = tmp_path / "table.csv"
    words = ["--networks", "efficientnetlite/16", "--size", "32", "--batch", "2", "--batches", "1", "--turns", "2"]
    benchmark.main([*words, "--csv", str(table)])
    (row,) = pd.read_csv(table).to_dict("records")
    assert row["network"] == "efficientnetlite/16"
    assert 0 < row["lowest"] <= row["ratio"] <= row["highest"]
    assert min(row[key] for key in ("keras", "openvino", "work", "start_keras", "start_openvino")) > 0
    assert 0 < row["difference"] < 1e-3
