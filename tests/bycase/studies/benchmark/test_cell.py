from pathlib import Path
from typing import Any

import pytest

from bycase.core.params import Params
from bycase.studies.benchmark.cell import Cell, relocate, split_settings, training_seed, training_settings
from bycase.studies.benchmark.params import BudgetParams

BUDGET = BudgetParams(epochs=7, trials=3, learning_rate=10.0, weight_decay=4.0)


def test_places_tell_all_cells_apart() -> None:
    cells = [Cell("a", repeat, fold) for repeat in (0, 1) for fold in (0, 1)]
    cells += [Cell("b", 0, 0), Cell("a", 0, 0, 200), Cell("a", 0, 0, 400), Cell("a", 0, 1, 200)]
    assert len({cell.place for cell in cells}) == len(cells)


@pytest.fixture
def project_params(default_params: dict[str, Any]) -> Params:
    return Params.model_validate(default_params)


def test_a_cell_splits_by_its_fold_with_the_projects_seed(project_params: Params) -> None:
    settings = split_settings(project_params, Cell("vgg16", 2, 3, 200), 5)
    params = Params.model_validate(settings)
    assert (params.model, params.split.protocol, params.split.folds) == ("vgg16", "kfold", 5)
    assert (params.split.fold, params.split.repeat, params.split.held_out_magnification) == (3, 2, 200)
    assert params.seed == project_params.seed


def test_every_network_gets_the_same_epochs_and_the_same_factors(project_params: Params) -> None:
    factors = []
    for model in ("resnet50v2", "focal_cnn"):
        settings = split_settings(project_params, Cell(model, 0, 1), 5)
        entries = [training_settings(settings, Cell(model, 0, 1), BUDGET, t)["zoo"][model] for t in range(3)]
        assert {entry["epochs"] for entry in entries} == {7}
        assert entries[0]["learning_rate"] == project_params.zoo[model].learning_rate
        rates = [entry["learning_rate"] / entries[0]["learning_rate"] for entry in entries[1:]]
        decays = [entry["weight_decay"] / entries[0]["weight_decay"] for entry in entries[1:]]
        assert all(0.1 <= rate <= 10 for rate in rates)
        assert all(0.25 <= decay <= 4 for decay in decays)
        assert rates[0] != rates[1]
        factors.append(rates + decays)
    assert factors[0] == pytest.approx(factors[1], rel=1e-3)


def test_repeats_train_with_other_seeds_and_the_first_with_the_projects_own() -> None:
    seeds = [training_seed(7, repeat) for repeat in range(4)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 4


def test_a_weights_file_is_found_from_the_cells_folder(
    project_params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, folder = tmp_path / "project", tmp_path / "project/data/work/a"
    folder.mkdir(parents=True)
    (tmp_path / "w.h5").write_text("w")
    settings = split_settings(project_params, Cell("vgg16", 0, 0), 5)
    settings["zoo"]["vgg16"]["weights"] = "../w.h5"
    monkeypatch.chdir(project)
    moved = relocate(settings, folder)
    monkeypatch.chdir(folder)
    assert Path(moved["zoo"]["vgg16"]["weights"]).read_text() == "w"
    assert not Path(moved["zoo"]["vgg16"]["weights"]).is_absolute()
    assert moved["zoo"]["resnet50v2"]["weights"] == "by_dataset"
    assert settings["zoo"]["vgg16"]["weights"] == "../w.h5"
