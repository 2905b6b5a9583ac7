"""Revisions and experiments of a small Git and DVC repository, made by hand: no pipeline is run."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc.repo import Repo

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json
from bycase.core.wording import capitalise
from bycase.statistics.external import METHOD, Locked, Sample, assess_external
from bycase.statistics.units import Units
from bycase.studies.compare.command import main
from bycase.studies.compare.external import NONE
from bycase.studies.compare.revisions import check_same_test, read_revision, read_revisions
from bycase.tables.manifest import PATIENTS_UNKNOWN

CLASSES = ["Benign", "Malignant"]
TRACKED = ["data/predictions", "data/manifest.csv", "data/splits.json", "models/model.json", "models/history.csv"]
METRICS = ("auc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "brier")


def write_run(model: str, noise: float, group: str = "case", patients: int = 24) -> None:
    """The files of one run, in the current folder; test images are those of the last half of the patients."""
    random = np.random.default_rng(5)
    patient = np.repeat(np.arange(patients), 3)
    truth = patient % 2
    names = [f"{CLASSES[t]}/{n:03}.png" for n, t in enumerate(truth)]
    manifest = pd.DataFrame({"image": names, "label": [CLASSES[t] for t in truth], "group": [f"c{p}" for p in patient]})
    manifest["sha256"] = [f"{number:064}" for number in range(len(names))]
    test = manifest[patient >= patients // 2] if group == "case" else manifest[np.arange(len(names)) % 2 == 0]
    logit = 2.0 * (test["label"] == "Malignant") - 1 + 0.5 * random.normal(size=len(test))
    scores = 1 / (1 + np.exp(-logit - noise * np.random.default_rng(9).normal(size=len(test))))
    predictions = test[["image", "label"]].assign(
        group=test["group"] if group == "case" else test["image"], Benign=1 - scores, Malignant=scores
    )
    accuracy = float(((scores >= 0.4) == (test["label"] == "Malignant")).mean())
    baseline = dict.fromkeys((*METRICS, "log_loss"), 0.5)
    level = {"n": len(test), "n_patients": 12, "accuracy": accuracy, "threshold": 0.4, "baseline": baseline}
    for place in ("data/predictions", "models", "metrics"):
        Path(place).mkdir(parents=True, exist_ok=True)
    write_csv(Path("data/manifest.csv"), manifest)
    write_csv(Path("data/predictions/test.csv"), predictions[["image", "group", "label", *CLASSES]])
    write_json(Path("data/splits.json"), {"protocol": "fractions", "group": group})
    card = {"model": model, "variant": None, "weights": "random", "dataset": "phantom", "phantom": True, "seed": 7}
    write_json(Path("models/model.json"), card | {"classes": CLASSES, "positive": "Malignant"})
    history = {"phase": "head", "epoch": [1, 2], "val_accuracy": [0.5, 0.6], "val_loss": [0.7, 0.6]}
    write_csv(Path("models/history.csv"), pd.DataFrame(history))
    write_json(Path("metrics/metrics.json"), {"image": level, "patient": level, "calibration": {"temperature": 1.2}})
    costs = {"training_seconds": 3.0 + noise, "embed_seconds": 1.0, "parameters": 10, "flops": 1e9}
    write_json(Path("metrics/cost.json"), costs)
    Path("params.yaml").write_text(yaml.safe_dump({"version": 2, "model": model, "seed": 7, "split": {"group": group}}))


def write_external(seed: int, **more: str) -> None:
    """The results of an external test set, and the parameter that names it, in the current folder."""

    def sample(seed: int, skill: float) -> Sample:
        random, patient = np.random.default_rng(seed), np.repeat(np.arange(20), 3)
        truth = patient % 2
        score = 1 / (1 + np.exp(-skill * (2 * truth - 1) - random.normal(size=len(truth))))
        scores = np.stack([1 - score, score], axis=1)
        images = Units(tuple(CLASSES), truth, scores, truth, patient, positive=1)
        return Sample(images, dict.fromkeys(("image", "patient"), scores > 0.3), patient < seed)

    levels = ("image", "patient")
    locked = Locked(dict.fromkeys(levels, 0.4), dict.fromkeys(levels, 1.2), {level: {} for level in levels}, 0.9)
    content = assess_external(sample(seed, 2.0), sample(seed + 1, 1.0), locked, 100, 7)
    about = {"dataset": "elsewhere", "phantom": True, "magnifications": [200], "method": METHOD, "left_out": {}}
    write_json(Path("metrics/external.json"), about | content | more)
    params = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump(params | {"evaluate": {"external": "elsewhere"}}))


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Commits: `first`, `by-image` (another split), `undone` (no run); an experiment `net` of the first."""
    folder = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        git("init", "--quiet", "--initial-branch=main")
        git("config", "user.email", "tests@example.invalid")
        git("config", "user.name", "tests")
        git("commit", "--quiet", "--allow-empty", "--message", "undone")
        git("tag", "undone")
        with Repo.init() as repo:
            write_run("resnet50v2", noise=3.0)
            repo.add(TRACKED)
            save("first")
            write_run("resnet50v2", noise=0.1)
            repo.add(TRACKED)
            repo.experiments.save(name="net")
            write_run("resnet50v2", noise=0.1, group="image")
            repo.add(TRACKED)
            save("by-image")
            for tag, noise, more in (("abroad", 0.1, {}), ("abroad-unknown", 1.0, {"note": PATIENTS_UNKNOWN})):
                write_run("mobilenetv2", noise=noise)
                write_external(3, **more)
                repo.add([*TRACKED, "metrics/external.json"])
                save(tag)
            # As in the first, but only in the workspace.
            write_run("alexnet", noise=1.0)
    return folder


def save(tag: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", tag)
    git("tag", tag)


@pytest.fixture
def inside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(repository)
    return repository


def test_a_tag_an_experiment_and_the_workspace_are_read(inside: Path) -> None:
    first, net, here = read_revisions(["first", "net", "workspace"])
    assert [each.run_info.model_info["model"] for each in (first, net, here)] == ["resnet50v2", "resnet50v2", "alexnet"]
    assert first.cost["training_seconds"] == 6.0
    assert net.cost["training_seconds"] == pytest.approx(3.1)
    assert (first.predictions["Malignant"] != net.predictions["Malignant"]).all()
    expected = {"version": 3, "model": "resnet50v2", "seed": 7, "split.group": "case"}
    assert expected.items() <= net.params.items()  # an older file, completed


def test_the_command_prints_leaderboard_and_verdicts_and_writes_files(
    inside: Path, tmp_path: Path, capsys: Any
) -> None:
    main(["first", "net", "workspace", "--margin", "0.05", "--resamples", "100", "--out", str(tmp_path / "out")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| rank | network | against the first | AUC, images |")
    # Two of the same network are told apart by their revision.
    assert lines[2].startswith("| 1 | net: resnet50v2, random weights | — | 1.000 (")
    assert {line.split(" | ")[1].split(":")[0] for line in lines[2:5]} == {"first", "net", "workspace"}
    assert "36 test images of 12 patients" in "\n".join(lines)
    assert sum(line.startswith("- net ") for line in lines) == 2

    names = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"leaderboard.json", "leaderboard.csv", "leaderboard.md", "comparisons.json", "pareto.png"} <= names


def test_external_test_sets_stand_beside_one_another(inside: Path, tmp_path: Path, capsys: Any) -> None:
    main(["abroad", "abroad-unknown", "first", "--resamples", "100", "--out", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert (tmp_path / "out/leaderboard.md").read_text(encoding="utf-8") == printed
    heading, table = printed.partition("External test sets, ")[2].split("\n\n")
    assert METHOD in heading
    assert heading.endswith(f"{capitalise(PATIENTS_UNKNOWN)}.")
    rows = {row[0]: row[1:] for row in (line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:])}
    assert rows["first"] == [NONE] * 9
    about = read_revision("abroad").external
    there, change = about["external"], about["change"]
    assert rows["abroad"][:2] == ["elsewhere phantom (generated images) at 200X", "20"]
    assert rows["abroad"][2].startswith(f"{there['image']['auc']:.3f} (")
    assert rows["abroad"][3].startswith(f"{change['image']['auc']:+.3f} (")
    assert rows["abroad"][-1] == "20 %"
    assert rows["abroad-unknown"][1] == "unknown"
    assert read_revision("first").external == {}


def test_it_works_from_a_subfolder(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(inside / "metrics")
    assert read_revision("net").run_info.model_info["model"] == "resnet50v2"
    assert read_revision("workspace").run_info.model_info["model"] == "alexnet"


def test_another_test_set_is_refused_and_why_is_said(inside: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_revisions(["first", "by-image"])
    # 36 images of the last twelve patients against every second of 72: 18 in both, 54 in either.
    assert str(caught.value).startswith(
        "first and by-image cannot be compared: their test sets differ: 36 of 54 test images are in one only, "
        "such as Benign/000.png in by-image"
    )
    assert str(caught.value).endswith("(params that differ: split.group case / image)")


Change = Callable[[Any], None]


def relabel(revision: Any) -> None:
    revision.predictions.loc[2, "label"] = "Malignant"


def move_patient(revision: Any) -> None:
    image = revision.predictions["image"][0]
    revision.manifest.loc[revision.manifest["image"] == image, "group"] = "c99"
    revision.predictions.loc[0, "group"] = "c99"


def replace_picture(revision: Any) -> None:
    revision.manifest.loc[revision.manifest["image"] == revision.predictions["image"][1], "sha256"] = "f" * 64


def rename_dataset(revision: Any) -> None:
    revision.run_info.model_info["dataset"] = "breakhis"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (relabel, "1 of 36 test images have another label, such as"),
        (move_patient, "3 of 36 test images are grouped with other images (by patient), such as"),
        (replace_picture, "1 of 36 test images are other pictures of the same name, such as"),
        (rename_dataset, "data set phantom / breakhis"),
    ],
)
def test_every_difference_is_found(inside: Path, change: Change, words: str) -> None:
    one, other = read_revision("first"), read_revision("net")
    check_same_test(one, other)
    change(other)
    with pytest.raises(UserError) as caught:
        check_same_test(one, other)
    assert words in str(caught.value)


def test_the_order_of_the_rows_does_not_matter(inside: Path) -> None:
    one, other = read_revision("first"), read_revision("net")
    for table in (other.predictions, other.manifest):
        table[:] = table.sample(frac=1, random_state=3).to_numpy()
    check_same_test(one, other)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["first", "nonsense"], "unknown revision 'nonsense'"),
        (["first", "undone"], "undone: no models/model.json"),
        (["first", "first"], "first is given twice"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(inside: Path, names: list[str], words: str) -> None:
    with pytest.raises(UserError) as caught:
        read_revisions(names)
    assert words in str(caught.value)


def test_what_the_cache_lost_is_said_with_the_way_out(repository: Path, tmp_path: Path, monkeypatch: Any) -> None:
    shutil.copytree(repository, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    shutil.rmtree(".dvc/cache")
    with pytest.raises(UserError, match="first: .* neither in DVC's cache nor in a remote: 'dvc pull'"):
        read_revision("first")


def test_metrics_of_another_run_are_refused(repository: Path, tmp_path: Path, monkeypatch: Any) -> None:
    shutil.copytree(repository, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    metrics = Path("metrics/metrics.json")
    metrics.write_text(metrics.read_text().replace('"threshold": 0.4', '"threshold": 0.9'))
    with pytest.raises(UserError, match="the two are of different runs"):
        read_revision("workspace")


def test_outside_a_project_it_says_so(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no DVC project"):
        read_revision("workspace")


@pytest.mark.parametrize(
    "arguments",
    [[], ["first"], ["first", "net", "--margin", "0.7"], ["a", "b", "--metric", "f1"], ["--benchmark", "first"]],
)
def test_wrong_arguments_end_with_the_usage(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "usage: bycase compare" in capsys.readouterr().err
