from pathlib import Path

import pandas as pd
import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.core.params import Params
from bycase.studies.tune.outcome.gather import METRICS, PLOTS, TRIALS, gather
from bycase.studies.tune.place import BEST, SEARCHES
from bycase.tables.manifest import MANIFEST
from bycase.tables.results import read_results
from tests.conftest import MakeParams
from tests.fixtures.tune_outcome import PATIENTS, make_manifest, make_tuning, write_searches


@pytest.fixture
def params(make_params: MakeParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    monkeypatch.chdir(tmp_path)
    write_csv(MANIFEST, make_manifest())
    return make_params({"model": "efficientnetlite", "evaluate.resamples": 100})


def read_outputs() -> dict[str, bytes]:
    paths = [METRICS, TRIALS, BEST, *PLOTS.iterdir()]
    return {str(path): path.read_bytes() for path in paths}


def test_all_outputs_and_none_of_the_test_part(params: Params, caplog: pytest.LogCaptureFixture) -> None:
    write_searches(SEARCHES, trials=6)
    (PLOTS / "schedule.png").parent.mkdir(parents=True)
    (PLOTS / "schedule.png").touch()  # of an earlier algorithm
    caplog.set_level("INFO")
    gather(params, make_tuning())
    assert sorted(path.name for path in PLOTS.iterdir()) == [
        "history.png",
        "importance.png",
        "optimism.png",
        "parallel.png",
    ]
    trials = pd.read_csv(TRIALS)
    assert trials.columns[0] == "outer"
    assert trials["outer"].value_counts().to_dict() == {"final": 6, "0": 6, "1": 6, "2": 6}
    assert yaml.safe_load(BEST.read_text(encoding="utf-8"))["model"] == "efficientnetlite"
    assert read_results(METRICS, "")["n_patients"] == PATIENTS
    assert "no gain shown" in caplog.text

    before, manifest = read_outputs(), make_manifest()
    poisoned = manifest.index >= PATIENTS * 3
    manifest.loc[poisoned, "label"] = "Benign"
    manifest.loc[poisoned, "group"] = manifest["group"].iloc[0]
    write_csv(MANIFEST, manifest)
    gather(params, make_tuning())
    assert read_outputs() == before


def test_without_outer_folds_it_needs_no_manifest(params: Params) -> None:
    MANIFEST.unlink()
    write_searches(SEARCHES, 0, algorithm="pbt", trials=4)
    gather(params, make_tuning("pbt", 0))
    assert sorted(path.stem for path in PLOTS.iterdir()) == ["history", "importance", "parallel", "schedule"]
    assert "outer" not in read_results(METRICS, "")


def test_searches_of_another_network_are_refused(params: Params, make_params: MakeParams) -> None:
    write_searches(SEARCHES, 0)
    with pytest.raises(UserError, match="of model efficientnetlite, not resnet50v2; run 'dvc repro tuning/dvc.yaml'"):
        gather(make_params({"model": "resnet50v2"}), make_tuning(outer=0))
