import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.studies.benchmark.params import CompareParams
from bycase.studies.compare.command import main
from bycase.studies.compare.comparison import compare
from bycase.studies.compare.runs import read_runs

RESULTS = Path(__file__).parents[4] / "results"
STRIDE, TUNED = RESULTS / "breakhis-partial-stride", RESULTS / "breakhis-partial-fine-tuned"
SETTINGS = CompareParams(metric="auc", level="image", margin=0.03, alpha=0.05, resamples=200)


def test_networks_of_two_runs_score_as_in_their_own_leaderboards() -> None:
    inputs = read_runs([str(STRIDE), str(TUNED)], ["efficientnetlite", "efficientnetlite-16-dense"])
    comparison = compare(inputs, SETTINGS)
    assert list(comparison.board) == [
        "breakhis-partial-stride:efficientnetlite-16-dense",
        "breakhis-partial-fine-tuned:efficientnetlite",
        "breakhis-partial-stride:efficientnetlite",
    ]
    for name, row in comparison.board.items():
        run, network = name.split(":")
        published = json.loads((RESULTS / run / "leaderboard.json").read_text())[network]
        for level, metric in (("image", "auc"), ("image", "accuracy"), ("patient", "auc")):
            assert row[level][metric] == pytest.approx(published[level][metric], abs=1e-12)
    # The same folds, so the paired difference is that of two networks of one run.
    [pair] = [pair for pair in comparison.verdicts["pairs"] if "fine-tuned" not in pair["first"] + pair["second"]]
    [own] = [
        pair
        for pair in json.loads((STRIDE / "comparisons.json").read_text())["pairs"]
        if {pair["first"], pair["second"]} == {"efficientnetlite", "efficientnetlite-16-dense"}
    ]
    assert abs(pair["difference"]) == pytest.approx(abs(own["difference"]), abs=1e-12)


def change_about(key: str, value: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        about = json.loads((folder / "about.json").read_text())
        (folder / "about.json").write_text(json.dumps(about | {key: value}))

    return change


def change_fold(folder: Path) -> None:
    table = pd.read_csv(folder / "predictions.csv.gz", dtype={"patient": str})
    moved = table["patient"] == table["patient"].iloc[0]
    table.loc[moved, "fold"] = (table.loc[moved, "fold"] + 1) % 5
    table.to_csv(folder / "predictions.csv.gz", index=False)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (change_about("group", "image"), "group is case in one, image in the other"),
        (change_about("magnifications", [200]), "magnifications is all in one, 200 in the other"),
        (change_fold, r"they do not test image .+\.png alike .+ run both with the same images, seed and split"),
        (lambda folder: (folder / "histories.csv").unlink(), "histories.csv not found"),
    ],
)
def test_runs_of_other_tests_are_refused(tmp_path: Path, change: Callable[[Path], None], says: str) -> None:
    copy = tmp_path / "other"
    shutil.copytree(STRIDE, copy)
    change(copy)
    with pytest.raises(UserError, match=says):
        read_runs([str(STRIDE), str(copy)])


def test_runs_need_names_of_their_own_a_seed_and_the_networks_asked_for(tmp_path: Path) -> None:
    copy = tmp_path / STRIDE.name
    shutil.copytree(STRIDE, copy)
    with pytest.raises(UserError, match="two folders have one name, by which runs are told apart; rename one"):
        read_runs([str(STRIDE), str(copy)])
    with pytest.raises(UserError, match="--models vgg16: none of the runs has this network"):
        read_runs([str(STRIDE), str(TUNED)], ["vgg16"])
    with pytest.raises(UserError, match="--models efficientnetlite-whole: .*:efficientnetlite-whole alone is no"):
        read_runs([str(STRIDE), str(TUNED)], ["efficientnetlite-whole"])
    (copy / "params.yaml").unlink()
    with pytest.raises(UserError, match=re.escape("params.yaml: not found, or without seed")):
        read_runs([str(copy), str(TUNED)])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([str(STRIDE), "main"], "is a folder and main is none: give folders of benchmark runs, or revisions"),
        (["main", "other", "--models", "vgg16"], "--models chooses among the networks of benchmark runs"),
        ([str(STRIDE)], "two revisions or folders of benchmark runs, or more"),
    ],
)
def test_folders_and_revisions_are_not_mixed(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
