"""Nested sets of training patients: what a cell sees, what is done again, what is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json
from bycase.figures.comparison.label_efficiency import draw_label_efficiency
from bycase.studies.benchmark import label_efficiency
from bycase.studies.benchmark.cell import Cell, split_settings
from bycase.studies.benchmark.command import main
from bycase.studies.benchmark.label_efficiency import find_stale, last_step_words, run_patients_cell, write_words
from bycase.studies.benchmark.params import load_benchmark_params
from bycase.studies.benchmark.run import keep_patients
from bycase.tables.splits import read_protocol, read_splits
from tests.fixtures.layout import check_layout, figure_words

CASES = 30


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty cases of two images, of a split with six of validation and six of test; and three cells' folders of it."""
    monkeypatch.chdir(tmp_path)
    case = np.repeat(np.arange(CASES), 2)
    images = [f"{number}.png" for number in range(len(case))]
    label = np.where(case % 3, "Malignant", "Benign")
    manifest = pd.DataFrame({"image": images, "case": case.astype(str), "label": label, "subtype": label})
    manifest = manifest.assign(magnification=0, folder=manifest["case"], supplied_part="")
    part = np.where(case < 6, "test", np.where(case < 12, "val", "train"))
    splits = pd.DataFrame({"image": images, "part": part, "fold": 0, "group": manifest["case"]}).sort_values("image")
    monkeypatch.setattr("bycase.studies.benchmark.run.read_manifest", lambda: manifest)
    for name in ("one", "other", "third"):
        write_csv(tmp_path / name / "data/splits.csv", splits)
        write_json(
            tmp_path / name / "data/splits.json", {"group": "case", "counts": {"train": {}, "val": {"images": 12}}}
        )
    return tmp_path


def training_groups(folder: Path) -> set[str]:
    splits = read_splits(folder / "data/splits.csv")
    return set(splits.loc[splits["part"] == "train", "group"])


def test_every_network_of_a_fold_gets_the_same_nested_patients(project: Path) -> None:
    whole = read_splits(project / "one/data/splits.csv")
    keep_patients(project / "one", 12, 7, 0)
    keep_patients(project / "other", 12, 7, 0)
    twelve = training_groups(project / "one")
    assert len(twelve) == 12
    assert training_groups(project / "other") == twelve
    keep_patients(project / "third", 6, 7, 0)
    assert training_groups(project / "third") < twelve
    kept = read_splits(project / "one/data/splits.csv")
    for part in ("val", "test"):
        pd.testing.assert_frame_equal(
            kept[kept["part"] == part].reset_index(drop=True), whole[whole["part"] == part].reset_index(drop=True)
        )
    counts = read_protocol(project / "one/data/splits.json")["counts"]
    assert (counts["train"]["images"], counts["train"]["cases"]) == (24, 12)
    assert counts["train"]["by_class"] == {"Benign": 8, "Malignant": 16}
    assert counts["val"] == {"images": 12}


def test_another_fold_draws_others(project: Path) -> None:
    keep_patients(project / "one", 6, 7, 0)
    keep_patients(project / "other", 6, 7, 1)
    assert training_groups(project / "one") != training_groups(project / "other")


def test_a_cell_has_its_own_place_and_name(make_params: Any) -> None:
    cell = Cell("vgg16", 0, 2, patients=20)
    assert cell.place == Path("patients/vgg16/n20f2")
    assert str(cell) == "vgg16, repeat 0, fold 2, 20 training patients"
    params = make_params({})
    assert split_settings(params, cell, 5)["evaluate"]["resamples"] == 100
    assert split_settings(params, Cell("vgg16", 0, 2), 5)["evaluate"]["resamples"] == params.evaluate.resamples


def test_what_is_done_is_left_and_what_has_changed_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_params: Any
) -> None:
    benchmark, params, cell = load_benchmark_params(make_params({})), make_params({}), Cell("vgg16", 0, 0, patients=5)
    monkeypatch.chdir(tmp_path)
    calls: list[Cell] = []
    identity = ["first"]
    monkeypatch.setattr(label_efficiency, "cell_fingerprint", lambda *_: identity[0])
    monkeypatch.setattr(label_efficiency, "run_cell", lambda *given: calls.append(given[3]))
    run_patients_cell(params, benchmark, cell)
    run_patients_cell(params, benchmark, cell)
    assert calls == [cell]
    monkeypatch.setattr(label_efficiency, "TABLE", tmp_path / "table.csv")
    write_csv(tmp_path / "table.csv", pd.DataFrame({"model": ["vgg16"], "patients": [5]}))
    whole = benchmark.model_copy(update={"models": ["vgg16"], "fold": [0]})
    assert find_stale(params, whole) is None
    assert find_stale(params, whole.model_copy(update={"fold": [0, 1]})) == Cell("vgg16", 0, 1, patients=5)
    assert find_stale(params, whole.model_copy(update={"models": ["vgg"]})) == cell
    identity[0] = "second"
    assert find_stale(params, whole) == cell
    run_patients_cell(params, benchmark, cell)
    assert calls == [cell, cell]


def make_table(gain: tuple[float, float, float] = (0.05, 0.01, 0.09)) -> pd.DataFrame:
    rows = []
    for model in ("lite", "vgg16"):
        rows.append(("phantom", model, "auc", "image", 50.0, 10, 0.8, 0.7, 0.88, None, None, None, None))
        rows.append(("phantom", model, "auc", "image", 99.5, 20, 0.85, 0.77, 0.9, 10, *gain))
    names = "dataset model metric level images patients value low high from_patients gain gain_low gain_high"
    return pd.DataFrame(rows, columns=names.split()).astype({"from_patients": "Int64"})


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (
            (0.05, 0.01, 0.09),
            "from 10 to 20 +0.050 (95 % CI +0.010 to +0.090): more patients helped, so that still more may.",
        ),
        ((0.05, -0.01, 0.11), "that more patients help is not shown here."),
        ((-0.05, -0.09, -0.01), "the larger set did worse on these test patients."),
    ],
)
def test_the_last_step_is_put_into_words(gain: tuple[float, float, float], words: str) -> None:
    sentence = last_step_words(make_table(gain).iloc[1], "auc", "patients")
    assert sentence.startswith("lite: AUC 0.850 with 20 training patients; ")
    assert words in sentence
    assert "says nothing of more" in last_step_words(make_table().iloc[0], "auc", "patients")


def test_the_text_has_every_network_and_number() -> None:
    text = write_words(make_table(), "auc", "patients", ["phantom; 60 images of 30 patients", "validation: the same 6"])
    assert text.startswith("# AUC by number of training patients\n")
    assert "| lite | 0.800 (0.700 to 0.880) | 0.850 (0.770 to 0.900) |" in text
    assert "validation: the same 6." in text
    assert "is in no interval" in text
    assert text.count("so that still more may") == 2


def test_the_figure_names_what_it_shows() -> None:
    figure = draw_label_efficiency(make_table(), "auc", "patients", ["phantom", "validation: the same"])
    words = figure_words(figure)
    assert "AUC by number of training patients: 0.850 with 20, lite" in words
    assert "vgg16: 0.850, +0.050 by the last step" in words
    check_layout(figure)
    draw_label_efficiency(make_table().query("patients == 10"), "auc", "patients", ["phantom"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give either run, or --patients"),
        (["--patients", "5", "--jobs", "2", "run"], "give either run, or --patients"),
        (["--models", "vgg16", "run"], "--models goes with --patients"),
        (["--patients", "0"], "0: at least one"),
    ],
)
def test_a_command_line_that_says_two_things_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "models", "words"),
    [
        ({}, ["vgg17"], "--models: vgg17 is none of benchmark/params.yaml: "),
        ({"split.group": "folder"}, [], "split.group is folder, whose sets are not of patients; set it to case"),
    ],
)
def test_what_cannot_be_is_one_line(changes: dict[str, Any], models: list[str], words: str, make_params: Any) -> None:
    params = make_params(changes)
    with pytest.raises(UserError, match=words):
        label_efficiency.run_label_efficiency(params, load_benchmark_params(params), [5], models, 1)
