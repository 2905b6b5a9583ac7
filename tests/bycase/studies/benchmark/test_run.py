import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.params import Params, load_params
from bycase.studies.benchmark.cell import Cell
from bycase.studies.benchmark.params import BudgetParams, ExtrasParams
from bycase.studies.benchmark.run import best_epoch, choose_trial, count_trials, run_cell
from bycase.studies.benchmark.stages.cell import EXTRAS, choose_extras
from bycase.studies.benchmark.stages.embed import embed_model

REPOSITORY = Path(__file__).parents[4]
BUDGET = BudgetParams(epochs=5, trials=3, learning_rate=10.0, weight_decay=10.0)
CELL = Cell("vgg16", 0, 1)

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
    "[write(name, '{}') for name in ('metrics/metrics.json', 'metrics/cost.json', 'data/predictions/made_by.json')]",
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


def run(params: Params, cell: Cell = CELL, extras: Mapping[str, str] = MappingProxyType({})) -> Path:
    return run_cell(params, BUDGET, 5, cell, extras)


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


def test_extras_are_of_the_first_repeat(params: Params) -> None:
    folder = run(params, extras=EXTRAS)
    assert (folder / "robustness.csv").read_text() == "r"
    assert (folder / "uncertainty.csv").read_text() == "u"
    assert choose_extras(ExtrasParams(uncertainty=False, robustness=True), 0) == {
        "stages.robustness": EXTRAS["stages.robustness"]
    }
    assert choose_extras(ExtrasParams(uncertainty=True, robustness=True), 1) == {}


@pytest.fixture
def stopped(params: Params, fake_stages) -> Params:
    """A cell that has trained, and whose evaluation failed."""
    fake_stages(evaluate="raise SystemExit(1)")
    with pytest.raises(UserError, match="vgg16, repeat 0, fold 1: evaluate failed"):
        run(params)
    assert not Path("data/benchmark/cells").exists()
    fake_stages(evaluate=EVALUATE)
    return params


def trainings() -> int:
    return Path("data/benchmark/work/cells/vgg16/log.txt").read_text().count("train")


def test_what_is_trained_is_not_trained_again_after_a_failure(stopped: Params) -> None:
    run(stopped)
    assert trainings() == 3


def change(params: Params, section: str, **values: Any) -> Params:
    return params.model_copy(update={section: getattr(params, section).model_copy(update=values)})


def test_what_does_not_concern_a_cell_keeps_it(stopped: Params) -> None:
    unlike = change(change(stopped, "explain", images=3), "leakage", folds=3)
    zoo = {**stopped.zoo, "alexnet": stopped.zoo["alexnet"].model_copy(update={"epochs": 1})}
    run(unlike.model_copy(update={"zoo": zoo}))
    assert trainings() == 3


def test_another_setting_begins_anew(stopped: Params) -> None:
    run(change(stopped, "evaluate", resamples=123))
    assert trainings() == 6


def test_other_data_begin_anew(stopped: Params) -> None:
    Path("data/manifest.csv").write_text("two", encoding="utf-8")
    folder = run(stopped)
    assert trainings() == 6
    assert (folder / "splits.json").read_text() == "two"


@pytest.mark.parametrize(
    ("module", "expected"), [("bycase/statistics/metrics.py", 6), ("bycase/apps/serve/command.py", 3)]
)
def test_other_code_of_its_stages_begins_anew_and_no_other(
    stopped: Params, copied_code: Path, module: str, expected: int
) -> None:
    with (copied_code / module).open("a", encoding="utf-8") as file:
        file.write("\nCHANGED = True\n")
    run(stopped)
    assert trainings() == expected


def test_features_are_shared_by_the_folds_but_where_stains_are_fitted(params: Params) -> None:
    shared = embed_model(params, "vgg16", 1)
    assert (shared / "features.npy").read_text() == "manifest.csv"
    content: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text())
    content["preprocess"]["stain"] = "macenko"
    Path("params.yaml").write_text(yaml.safe_dump(content))
    own = load_params()
    assert list(embed_model(own, "vgg16", 1).iterdir()) == []
    run(own)
    assert not (Path("data/preprocessed") / "own.txt").exists()


def test_entries_of_one_backbone_share_its_features(params: Params, fake_stages) -> None:
    fake_stages(
        embed=[
            WRITE,
            "log = Path('../../embedded.txt'); log.write_text((log.read_text() if log.exists() else '') + 'x')",
            "write('data/features/features.npy', 'features')",
            "write('data/features/made_by.json', '{\"model\": \"vgg16\"}')",
        ]
    )
    entry = params.zoo["vgg16"]
    others = {
        "vgg16-logistic": entry.model_copy(update={"head": "logistic"}),
        "vgg16-max": entry.model_copy(update={"pooling": "max"}),
        "vgg16-16": entry.model_copy(update={"stride": 16}),
    }
    several = params.model_copy(update={"zoo": params.zoo | others})
    embed_model(several, "vgg16", 0)
    again = embed_model(several, "vgg16-logistic", 0)
    assert (again / "features.npy").read_text() == "features"
    assert json.loads((again / "made_by.json").read_text()) == {"model": "vgg16-logistic"}
    log = next(Path("data/benchmark").rglob("embedded.txt"))
    assert log.read_text() == "x"
    embed_model(several, "vgg16-max", 0)
    embed_model(several, "vgg16-16", 0)
    Path("data/manifest.csv").write_text("other", encoding="utf-8")
    embed_model(several, "vgg16", 0)
    assert log.read_text() == "xxxx"


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


def test_a_head_that_is_fitted_at_once_has_one_trial(params: Params, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    fitted = params.zoo["vgg16"].model_copy(update={"head": "neighbours"})
    folder = run(params.model_copy(update={"zoo": params.zoo | {"vgg16": fitted}}))
    assert len(pd.read_csv(folder / "trials.csv")) == 1
    assert "head neighbours chooses its own settings on validation: one trial is all there is" in caplog.text
    assert count_trials({"head": []}, BUDGET) == 3


def test_settings_of_a_head_are_no_epochs() -> None:
    history = pd.DataFrame({"setting": ["C = 0.1", "C = 1"], "val_auc": [0.7, 0.8]})
    assert best_epoch(history, "auc") == {"val_auc": 0.8, "epochs": 0}
