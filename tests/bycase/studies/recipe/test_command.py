"""`bycase recipe run` in a project whose stages are quick stand-ins: Git, DVC and the files are real."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from bycase.studies.recipe.workspace import WAY_BACK
from tests.fixtures.recipe import Recipes, environment


def output(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return done.stdout


def test_a_recipe_becomes_a_named_experiment_and_a_result(stand_in: Path, recipe_command: Recipes) -> None:
    place = stand_in / "elsewhere/images"
    own = ["zoo.vgg16.epochs=2", "zoo.vgg16.patience=30", "datasets.busi.source=local", f"datasets.busi.path={place}"]
    done = recipe_command("run", "c-vgg16", "--set", *own)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"back to what is committed: {WAY_BACK}")

    path = stand_in / "results/recipes/c-vgg16/as-published.json"
    text = path.read_text(encoding="utf-8")
    assert str(stand_in) not in text
    assert "elsewhere" not in text
    result = json.loads(text)
    assert result["changed"] == {
        "zoo.vgg16.epochs": {"recipe": 26, "here": 2},
        "zoo.vgg16.patience": {"recipe": 26, "here": 30},
        "datasets.busi.source": {"recipe": "kaggle", "here": "local"},
        "datasets.busi.path": {"recipe": None, "here": "<images>"},
    }
    assert result["command"].startswith("bycase recipe run c-vgg16 --set ")
    assert result["data"]["source"] == "local"
    assert not result["data"]["phantom"]
    assert result["metrics"]["image"]["ci"]["accuracy"] == {"low": 0.6, "high": 0.9}
    assert "by_class" not in result["metrics"]["patient"]
    assert result["training"]["best"]["val_loss"] == 0.625
    assert result["training"]["prior_loss"] == 0.6931
    assert result["git"] == {"commit": output(stand_in, "git", "rev-parse", "HEAD").strip(), "code_as_committed": True}

    # One picture under two labels does not stop it, nor do duplicates on both sides; they are named and counted.
    assert "let pass: 1 pairs under two labels" in done.stderr
    assert result["data"]["pairs_under_two_labels"] == 1
    assert result["data"]["duplicates_on_both_sides"] > 0
    assert result["data"]["cases_on_both_sides"] > 0
    assert len(yaml.safe_load((stand_in / "params.yaml").read_text())["audit"]["waive"]["busi"]) > 1

    assert "c-vgg16" in output(stand_in, "dvc", "exp", "list", "--name-only")
    assert output(stand_in, "git", "branch", "--show-current").strip() == "main"

    # What it has left is its own to write over; honest merges the duplicates.
    assert recipe_command("run", "d-vgg16", "--honest", "--set", "zoo.vgg16.epochs=1").returncode == 0
    honest = json.loads((stand_in / "results/recipes/d-vgg16/honest.json").read_text(encoding="utf-8"))
    assert (honest["data"]["cases_on_both_sides"], honest["data"]["duplicates_on_both_sides"]) == (0, 0)
    assert honest["metrics"]["image"]["n"] > 0
    assert yaml.safe_load((stand_in / "params.yaml").read_text())["audit"]["waive"]["breakhis"] == []
    assert "d-vgg16-honest" in output(stand_in, "dvc", "exp", "list", "--name-only")

    output(stand_in, "bash", "-c", WAY_BACK)
    assert output(stand_in, "git", "status", "--porcelain") == ""
    assert json.loads((stand_in / "data/splits.json").read_text())["dataset"] == "phantom"


def test_a_brief_run_gives_the_result_and_no_experiment(stand_in: Path, recipe_command: Recipes) -> None:
    done = recipe_command("run", "d-vgg16", "--brief", "--network", "resnet50", "--set", "zoo.resnet50.epochs=2")
    assert done.returncode == 0, done.stderr
    result = json.loads((stand_in / "results/recipes/d-vgg16/resnet50/as-published.json").read_text(encoding="utf-8"))
    assert result["command"] == "bycase recipe run d-vgg16 --network resnet50 --set zoo.resnet50.epochs=2"
    assert result["changed"] == {"zoo.resnet50.epochs": {"recipe": 30, "here": 2}}
    assert "d-vgg16" not in output(stand_in, "dvc", "exp", "list", "--name-only")


def test_own_changes_of_params_are_never_written_over(stand_in: Path, recipe_command: Recipes) -> None:
    path = stand_in / "params.yaml"
    changed = path.read_text().replace("seed: 7", "seed: 8", 1)
    path.write_text(changed)
    done = recipe_command("run", "d-vgg16")
    assert done.returncode == 1
    assert [
        line for line in done.stderr.splitlines() if "changes that are not committed" in line
    ] == done.stderr.splitlines()
    assert path.read_text() == changed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "vgg"], "recipe: error: unknown recipe 'vgg'; choose one of: a-efficientnetv2, "),
        (
            ["run", "d-vgg16", "--set", "zoo.vgg16.epoch=1"],
            "unknown key 'zoo.vgg16.epoch'; valid keys there: batch_size",
        ),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    stand_in: Path, recipe_command: Recipes, arguments: list[str], says: str
) -> None:
    done = recipe_command(*arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr
    assert output(stand_in, "git", "status", "--porcelain") == ""


def test_without_an_identity_nothing_begins(
    stand_in: Path, recipe_command: Recipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    output(stand_in, "git", "config", "--unset", "user.email")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    done = recipe_command("run", "d-vgg16")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "git config --global user.name" in done.stderr
    assert output(stand_in, "git", "status", "--porcelain") == ""


def test_a_stage_that_fails_is_heard(stand_in: Path, recipe_command: Recipes) -> None:
    done = recipe_command("run", "d-vgg16", "--set", "zoo.vgg16.learning_rate=2")
    assert done.returncode == 1
    assert "train: error: training diverged" in done.stderr
    assert "d-vgg16 did not finish, for the reason given above" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stdout + done.stderr
    assert not (stand_in / "results").exists()


def test_what_a_killed_save_left_staged_does_not_stop_the_next_run(stand_in: Path, recipe_command: Recipes) -> None:
    left = stand_in / ".dvc/tmp/repro.dat"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    kept = stand_in / "metrics/train/metrics.json"
    subprocess.run(["git", "add", "--force", str(left), str(kept)], cwd=stand_in, check=True)
    done = recipe_command(
        "run", "c-vgg16", "--set", "zoo.vgg16.epochs=2", "datasets.busi.source=local", "datasets.busi.path=x"
    )
    assert done.returncode == 0, done.stderr
    assert output(stand_in, "git", "diff", "--cached", "--name-only") == ""


@pytest.mark.slow
def test_killed_and_given_again_it_goes_on(stand_in: Path, recipe_command: Recipes) -> None:
    arguments = ["run", "d-vgg16", "--set", "zoo.vgg16.epochs=80"]
    with (stand_in / "killed.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bycase", "recipe", *arguments],
            cwd=stand_in,
            env=environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        left = stand_in / "data/checkpoints/epoch.txt"
        deadline = time.monotonic() + 300
        while not left.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert left.exists()
    assert output(stand_in, "git", "branch", "--show-current").strip() == "main"

    done = recipe_command(*arguments)
    assert done.returncode == 0, done.stderr
    assert "continuing after epoch" in done.stderr
    assert "Running stage 'audit'" not in done.stdout
    assert (stand_in / "results/recipes/d-vgg16/as-published.json").is_file()
