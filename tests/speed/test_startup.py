"""The benchmark of start-up, on stages without networks."""

import time
from pathlib import Path

import pandas as pd
import pytest

from speed.stages import pipeline_modules
from speed.startup import NUMBERS, Stopwatch, main


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_call_within_a_call_counts_once() -> None:
    watch = Stopwatch()
    inner = watch.wrap("imports", burn)
    watch.wrap("imports", lambda: (inner(0.02), burn(0.01)))()
    assert 0.03 <= watch.seconds["imports"] < 0.05


def test_stages_stand_in_the_order_of_the_pipeline() -> None:
    modules = pipeline_modules()
    assert next(iter(modules.items())) == ("check", "stages.check")
    assert list(modules).index("train") < list(modules).index("report")


@pytest.mark.slow
def test_imports_of_a_stage_are_told_beside_all_it_takes(tmp_path: Path) -> None:
    main(["--stages", "check", "download", "--folder", str(tmp_path / "work"), "--csv", str(tmp_path / "table.csv")])
    table = pd.read_csv(tmp_path / "table.csv")
    assert table.columns.tolist() == ["stage", *NUMBERS]
    assert table["stage"].tolist() == ["check", "download"]
    assert (table["imports"] > 0.1).all()
    assert (table["imports"] <= table["all"]).all()
    assert (table[["tensorflow", "tracing"]] == 0).all(axis=None)
