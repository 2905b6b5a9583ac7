"""The comparison of a benchmark, from the benchmark's files to its own."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from bycase.core.errors import UserError
from bycase.studies.compare import command
from bycase.studies.compare.benchmark import main

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def benchmark(project: Path) -> Path:
    """An empty project with both parameter files, few resamples."""
    Path("benchmark").mkdir()
    content = yaml.safe_load((REPOSITORY / "benchmark/params.yaml").read_text())
    content["compare"] |= {"resamples": 100, "margin": 0.1}
    Path("benchmark/params.yaml").write_text(yaml.safe_dump(content))
    return project


def leaves(content: Any) -> list[Any]:
    if isinstance(content, dict):
        return [leaf for value in content.values() for leaf in leaves(value)]
    return [content]


def paths(content: Any, at: str = "") -> set[str]:
    if not isinstance(content, dict):
        return {at}
    return set().union(*(paths(value, f"{at}.{key}") for key, value in content.items()))


def test_everything_is_written(benchmark: Path, two: Any) -> None:
    two.write(extras=True)
    main()
    board = json.loads(Path("metrics/benchmark/leaderboard.json").read_text())
    assert all(type(leaf) in (int, float) for leaf in leaves(board))
    assert len({frozenset(paths(at)) for at in board.values()}) == 1
    assert [at["rank"] for at in board.values()] == [1, 2, 3, 4]
    comparisons = json.loads(Path("metrics/benchmark/comparisons.json").read_text())
    # The better network of each pair comes first.
    assert comparisons["models"] == list(board)
    assert len(comparisons["pairs"]) == 6
    extras = json.loads(Path("metrics/benchmark/extras.json").read_text())
    assert all(type(leaf) in (int, float) for leaf in leaves(extras))
    assert list(extras["robustness"]) == list(extras["uncertainty"]) == list(board)
    assert list(extras["shift"]) == ["alexnet"]
    assert extras["robustness"]["alexnet"]["n"] == 200
    assert list(pd.read_csv("metrics/benchmark/leaderboard.csv")["model"]) == list(board)
    assert {path.name for path in Path("plots/benchmark").iterdir()} == {
        f"{name}.png"
        for name in (
            *("critical_difference", "pareto", "learning_curves", "roc", "calibration"),
            *("robustness", "uncertainty", "magnification_shift"),
        )
    }


def test_several_classes_one_repeat_and_no_extras(benchmark: Path, three: Any) -> None:
    three.write()
    shutil.rmtree("data/benchmark/extras")
    main()
    board = json.loads(Path("metrics/benchmark/leaderboard.json").read_text())
    first = next(iter(board.values()))
    assert set(first["image"]["per_class"]) == {"Benign", "Malignant", "Normal"}
    assert "repeat_sd" not in first["image"]
    assert "ensemble" not in first
    assert json.loads(Path("metrics/benchmark/extras.json").read_text()) == {
        "robustness": {},
        "shift": {},
        "uncertainty": {},
    }
    assert {path.name for path in Path("plots/benchmark").iterdir()} >= {"roc.png", "calibration.png"}


def test_what_the_benchmark_has_not_written_is_named(benchmark: Path, two: Any) -> None:
    with pytest.raises(UserError, match="about.json not found: run 'dvc repro benchmark/dvc.yaml"):
        command.main(["--benchmark"])
    two.write()
    Path("data/benchmark/cost.csv").unlink()
    with pytest.raises(UserError, match="cost.csv not found"):
        main()


def test_a_single_network_has_a_leaderboard_without_verdicts(
    benchmark: Path, make_synthetic: Callable[..., Any]
) -> None:
    make_synthetic(skill={"alexnet": (1.0, 1.0)}, repeats=1).write()
    main()
    text = Path("metrics/benchmark/leaderboard.md").read_text()
    assert "| 1 | alexnet, random weights | — |" in text
    assert "Verdicts" not in text
