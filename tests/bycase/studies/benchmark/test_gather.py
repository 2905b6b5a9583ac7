import json
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json
from bycase.studies.benchmark.cell import BENCHMARK, Cell
from bycase.studies.benchmark.gather import (
    describe,
    gather_costs,
    gather_predictions,
    gather_tables,
    join_settings,
)

CLASSES = ["Benign", "Malignant"]
CELLS = [Cell(model, 0, fold) for model in ("b", "a") for fold in (0, 1)]
IMAGES = [f"{number}.png" for number in range(6)]


@pytest.fixture
def folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The layout of two folds, and the folders of both networks' cells."""
    monkeypatch.chdir(tmp_path)
    tables = []
    for fold in (0, 1):
        part = ["test" if number % 2 == fold else "train" for number in range(6)]
        tables.append(pd.DataFrame({"image": IMAGES, "repeat": 0, "fold": fold, "part": part, "group": IMAGES}))
    layout = pd.concat(tables, ignore_index=True)
    for cell in CELLS:
        folder = BENCHMARK / cell.place
        tested = layout[(layout["fold"] == cell.fold) & (layout["part"] == "test")]
        scores = 0.1 * cell.fold + 0.05 * (cell.model == "a")
        write_csv(
            folder / "test.csv",
            pd.DataFrame({"image": tested["image"], "group": "g", "label": "Benign"}).assign(
                Benign=1 - scores, Malignant=scores
            ),
        )
        levels = {"image": {"threshold": 0.1 + cell.fold}, "patient": {"threshold": 0.2 + cell.fold}}
        write_json(folder / "metrics.json", {**levels, "calibration": {"temperature": 1.5 + cell.fold}})
        write_json(folder / "cost.json", {"parameters": 10} | ({"energy_joules": 5.0} if cell.model == "a" else {}))
        write_csv(folder / "history.csv", pd.DataFrame({"epoch": [1, 2], "val_auc": [0.5, 0.6]}))
        write_json(folder / "splits.json", {"group": "case", "magnifications": [], "patients_known": True})
        card = {"dataset": "x", "phantom": True, "classes": CLASSES, "positive": "Malignant", "image_size": 32}
        write_json(folder / "model.json", card | {"model": cell.model, "weights": "random"})
    return layout


PATIENTS = pd.Series(["p0", "p0", "p1", "p1", "p2", "p2"], index=IMAGES)


def test_every_image_stands_once_a_network_with_its_own_folds_threshold(folds: pd.DataFrame) -> None:
    table = gather_predictions(CELLS, PATIENTS, folds, CLASSES)
    assert table.groupby("model")["image"].apply(sorted).tolist() == [IMAGES, IMAGES]
    assert (table["threshold"] == 0.1 + table["fold"]).all()
    assert (table["patient_threshold"] == 0.2 + table["fold"]).all()
    assert (table["temperature"] == 1.5 + table["fold"]).all()
    assert (table["patient"] == table["image"].map(PATIENTS)).all()
    assert table["model"].tolist() == ["a"] * 6 + ["b"] * 6


def test_a_cells_rules_for_patients_go_along(folds: pd.DataFrame) -> None:
    for cell in CELLS:
        path = BENCHMARK / cell.place / "metrics.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        rules = {
            "rule": f"attention {cell.fold} 1",
            "rules": {"median": "median", "attention": f"attention {cell.fold} 1"},
        }
        write_json(path, content | {"aggregation": rules})
    table = gather_predictions(CELLS, PATIENTS, folds, CLASSES)
    assert (table["aggregation"] == "attention " + table["fold"].astype(str) + " 1").all()
    assert (table["rules"] == "median; attention " + table["fold"].astype(str) + " 1").all()


def test_a_cell_that_tested_other_images_is_refused(folds: pd.DataFrame) -> None:
    path = BENCHMARK / CELLS[1].place / "test.csv"
    whole = pd.read_csv(path)
    write_csv(path, whole.iloc[1:])
    with pytest.raises(UserError, match=r"b, repeat 0, fold 1 and its fold differ by 1 test images, 1.png"):
        gather_predictions(CELLS, PATIENTS, folds, CLASSES)
    write_csv(path, whole.assign(image=["0.png", *whole["image"][1:]]))
    with pytest.raises(UserError, match="differ by 2 test images"):
        gather_predictions(CELLS, PATIENTS, folds, CLASSES)


def test_without_a_magnification_only_part_of_the_fold_is_tested_and_nothing_else(folds: pd.DataFrame) -> None:
    cell = Cell("a", 0, 0, 200)
    (BENCHMARK / cell.place).parent.mkdir(parents=True)
    (BENCHMARK / CELLS[2].place).rename(BENCHMARK / cell.place)
    path = BENCHMARK / cell.place / "test.csv"
    write_csv(path, pd.read_csv(path).iloc[:2])
    table = gather_predictions([cell], PATIENTS, folds, CLASSES)
    assert table["image"].tolist() == ["0.png", "2.png"]
    assert (table["held_out"] == 200).all()
    write_csv(path, pd.read_csv(path).assign(image=["0.png", "1.png"]))
    with pytest.raises(UserError, match="a, repeat 0, fold 0, without 200X"):
        gather_predictions([cell], PATIENTS, folds, CLASSES)


def test_costs_that_could_not_be_measured_are_empty(folds: pd.DataFrame) -> None:
    costs = gather_costs(CELLS)
    assert costs["parameters"].tolist() == [10] * 4
    assert costs["energy_joules"].isna().tolist() == [True, True, False, False]


def test_histories_bear_the_cells_keys(folds: pd.DataFrame) -> None:
    histories = gather_tables(CELLS, "history.csv")
    assert list(histories) == ["model", "repeat", "fold", "epoch", "val_auc"]
    assert len(histories) == 8
    with pytest.raises(UserError, match=r"robustness.csv not found: run 'bycase benchmark run'"):
        gather_tables(CELLS, "robustness.csv")


def test_what_the_tables_are_of(folds: pd.DataFrame) -> None:
    about = describe(CELLS, folds, PATIENTS)
    assert (about["folds"], about["repeats"], about["n_images"], about["n_patients"]) == (2, 1, 6, 3)
    assert about["networks"] == {"b": "b, random weights", "a": "a, random weights"}
    assert about["phantom"] is True


def test_what_validation_chose_in_each_training_is_counted() -> None:
    chosen = [{"head_setting": f"C = {c}"} for c in (0.1, 0.01, 0.01)]
    assert join_settings(chosen) == {"head_setting": "C = 0.01 in 2 of 3 trainings; C = 0.1 in 1"}
    assert join_settings(chosen[1:]) == {"head_setting": "C = 0.01"}
    assert join_settings([{}, {}]) == {}
