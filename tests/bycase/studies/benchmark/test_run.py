import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.params import Params, load_params
from bycase.studies.benchmark.cell import Cell
from bycase.studies.benchmark.params import BudgetParams, ExtrasParams
from bycase.studies.benchmark.run import best_epoch, choose_trial, embed_model, run_cell

REPOSITORY = Path(__file__).parents[4]
BUDGET = BudgetParams(epochs=5, trials=3, learning_rate=10.0, weight_decay=10.0)
CELL = Cell("vgg16", 0, 1)
NOTHING, ALL = ExtrasParams(uncertainty=False, robustness=False), ExtrasParams(uncertainty=True, robustness=True)

WRITE = "def write(name, text): p = Path(name); p.parent.mkdir(parents=True, exist_ok=True); p.write_text(text)"
# The score of a trial is its learning rate, so that the largest must be chosen.
TRAIN = [
    WRITE,
    "import yaml; p = yaml.safe_load(Path('params.yaml').read_text()); rate = p['zoo'][p['model']]['learning_rate']",
    "write('models/history.csv', f'epoch,val_auc\\n1,0\\n2,{rate}\\n3,0.0\\n')",
    "write('models/model.json', str(rate)); write('models/model.keras', 'weights')",
    "write('trained.txt', str(p['seed']))",
    "log = Path('../log.txt'); log.write_text((log.read_text() if log.exists() else '') + 'train ')",
]
SPLIT = [
    WRITE,
    "import yaml; split = yaml.safe_load(Path('params.yaml').read_text())['split']",
    "write('data/splits.csv', str(split['fold'])); write('data/splits.json', Path('data/manifest.csv').read_text())",
]
EVALUATE = [
    WRITE,
    "[write(f'data/predictions/{part}.csv', Path('models/model.json').read_text()) for part in ('val', 'test')]",
    "write('metrics/metrics.json', '{}'); write('metrics/cost.json', '{}')",
]


@pytest.fixture
def params(fake_stages) -> Params:
    shutil.copy(REPOSITORY / "params.yaml", "params.yaml")
    for name in ("manifest.csv", "duplicates.csv", "preprocess.json"):
        Path("data").mkdir(exist_ok=True)
        (Path("data") / name).write_text(name, encoding="utf-8")
    for name in (
        "restructured",
        "preprocessed",
        "raw/phantom",
        "benchmark/features/vgg16/r0",
        "benchmark/features/vgg16/r1",
    ):
        (Path("data") / name).mkdir(parents=True)
    fake_stages(
        split=SPLIT,
        train=TRAIN,
        evaluate=EVALUATE,
        embed=[WRITE, "write('data/features/features.npy', Path('data/manifest.csv').read_text())"],
        preprocess=[WRITE, "write('data/preprocessed/own.txt', 'own')"],
        uncertainty=[WRITE, "write('data/uncertainty/test.csv', 'u')"],
        robustness=[WRITE, "write('data/robustness/test.csv', 'r')"],
    )
    return load_params()


def run(params: Params, cell: Cell = CELL, extras: ExtrasParams = NOTHING) -> Path:
    return run_cell(params, BUDGET, extras, 5, cell, Path())


def test_a_cell_keeps_the_trial_that_validation_prefers(params: Params) -> None:
    folder = run(params)
    trials = pd.read_csv(folder / "trials.csv")
    assert len(trials) == 3
    best = trials["learning_rate"].max()
    assert trials["learning_rate"][trials["chosen"]].tolist() == [best]
    assert float((folder / "model.json").read_text()) == best
    assert float((folder / "test.csv").read_text()) == best
    kept = yaml.safe_load((folder / "params.yaml").read_text())
    assert kept["zoo"]["vgg16"]["learning_rate"] == best
    assert kept["zoo"]["vgg16"]["epochs"] == 5
    assert (folder / "splits.csv").read_text() == "1"
    assert not (folder / "uncertainty.csv").exists()
    assert not Path("data/benchmark/work/cells/vgg16/r0f1").exists()


def test_extras_are_of_the_first_repeat_and_of_all_magnifications(params: Params) -> None:
    first, again, shifted = (
        run(params, cell, ALL) for cell in (Cell("vgg16", 0, 1), Cell("vgg16", 1, 1), Cell("vgg16", 0, 1, 200))
    )
    assert (first / "robustness.csv").read_text() == "r"
    assert (first / "uncertainty.csv").read_text() == "u"
    assert not (again / "robustness.csv").exists()
    assert not (shifted / "uncertainty.csv").exists()


def test_what_is_trained_is_not_trained_again_after_a_failure(params: Params, fake_stages) -> None:
    log = Path("data/benchmark/work/cells/vgg16/log.txt")
    fake_stages(evaluate="raise SystemExit(1)")
    with pytest.raises(UserError, match="vgg16, repeat 0, fold 1: evaluate failed"):
        run(params)
    assert not Path("data/benchmark/cells").exists()
    assert log.read_text() == "train train train "
    # Evaluation is mended by data here, since other code would rightly begin anew.
    fake_stages(evaluate=EVALUATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bycase.studies.benchmark.run.code_files", lambda project: [])
        fake_stages(evaluate="raise SystemExit(1)")
        with pytest.raises(UserError):
            run(params)
        fake_stages(evaluate=EVALUATE)
        run(params)
    assert log.read_text() == "train train train " * 2


def test_other_budget_or_data_begins_anew(params: Params, fake_stages) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bycase.studies.benchmark.run.code_files", lambda project: [])
        fake_stages(evaluate="raise SystemExit(1)")
        for text in ("one", "two"):
            Path("data/manifest.csv").write_text(text, encoding="utf-8")
            with pytest.raises(UserError):
                run(params)
        fake_stages(evaluate=EVALUATE)
        folder = run(params)
    assert (folder / "splits.json").read_text() == "two"


def test_features_are_shared_by_the_folds_but_where_stains_are_fitted(params: Params) -> None:
    shared = embed_model(params, "vgg16", 1, Path())
    assert (shared / "features.npy").read_text() == "manifest.csv"
    content: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text())
    content["preprocess"]["stain"] = "macenko"
    Path("params.yaml").write_text(yaml.safe_dump(content))
    own = load_params()
    assert list(embed_model(own, "vgg16", 1, Path()).iterdir()) == []
    run(own)
    assert not (Path("data/preprocessed") / "own.txt").exists()


def test_repeats_train_with_another_seed(params: Params, fake_stages) -> None:
    fake_stages(evaluate=[*EVALUATE, "write('metrics/cost.json', Path('trained.txt').read_text())"])
    seeds = [(run(params, Cell("vgg16", repeat, 0)) / "cost.json").read_text() for repeat in (0, 1)]
    assert seeds[0] == str(params.seed)
    assert seeds[0] != seeds[1]


def test_of_the_loss_the_lowest_is_best() -> None:
    history = pd.DataFrame({"val_loss": [0.7, 0.4, 0.5], "val_auc": [0.6, 0.7, 0.9]})
    assert best_epoch(history, "loss") == {"val_loss": 0.4, "epochs": 3}
    assert best_epoch(history, "auc") == {"val_auc": 0.9, "epochs": 3}
    trials = pd.DataFrame({"trial": [0, 1, 2], "val_loss": [0.5, 0.4, 0.4], "val_auc": [0.8, 0.8, 0.7]})
    assert choose_trial(trials, "loss") == 1
    assert choose_trial(trials, "auc") == 0
