import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.images.corruptions import corrupt
from bycase.images.preprocess import apply_steps, read_steps
from bycase.statistics.robustness import table as table_module
from bycase.statistics.robustness.table import PARTIAL, ROBUSTNESS, check_untouched, write_robustness
from bycase.tables.manifest import PREPROCESSED, RESTRUCTURED
from stages import robustness as command

CLASSES = ["Benign", "Malignant"]


def change(section: str, **values: Any) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content[section] |= values
    Path("params.yaml").write_text(yaml.safe_dump(content))


def test_the_stage_writes_all_it_promises_and_goes_on_after_an_interruption(
    tested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    whole = command.corrupt

    def interrupted(images: np.ndarray, names: list[str], name: str, severity: int, seed: int) -> np.ndarray:
        calls.append(f"{name} {severity}")
        if name == "noise" and not resumed:
            raise KeyboardInterrupt
        return whole(images, names, name, severity, seed)

    resumed = False
    monkeypatch.setattr(command, "corrupt", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command.main()
    assert not ROBUSTNESS.exists()
    assert len(list(PARTIAL.rglob("*.csv"))) == 5
    calls.clear()
    resumed = True
    command.main()
    assert set(calls) == {"noise 1", "noise 5"}
    assert json.loads(ROBUSTNESS.with_name("made_by.json").read_text()) == {"engine": {"name": "keras"}}
    assert not PARTIAL.exists()

    table = pd.read_csv(ROBUSTNESS)
    conditions = ["none 0", "stain 1", "stain 5", "brightness 1", "brightness 5", "noise 1", "noise 5"]
    assert list(dict.fromkeys(table["corruption"] + " " + table["severity"].astype(str))) == conditions
    predictions = pd.read_csv("data/predictions/test.csv")
    clean = table[table["corruption"] == "none"]
    assert clean["image"].tolist() == predictions["image"].tolist()
    assert clean["Malignant"].to_numpy() == pytest.approx(predictions["Malignant"].to_numpy(), abs=1e-5)

    # The network sees redness alone, so that its output for the damaged image can be calculated.
    row = table[(table["corruption"] == "noise") & (table["severity"] == 5)].iloc[4]
    image = command.read_pixels([row["image"]])
    red = corrupt(image, [row["image"]], "noise", 5, 7)[0, ..., 0].mean()
    assert row["Malignant"] == pytest.approx(1 / (1 + np.exp(10 - red / 10)), abs=1e-4)

    metrics = json.loads(Path("metrics/robustness.json").read_text())
    assert list(metrics["corruptions"]) == ["stain", "brightness", "noise"]
    assert metrics["n_patients"] == 12
    headlines = json.loads(Path("metrics/headlines/robustness.json").read_text())["mean"]
    assert headlines == {name: metrics["mean"][name] for name in ("auc", "auc_drop", "accuracy", "accuracy_drop")}
    right = (clean["Malignant"] >= 0.4) == (clean["label"] == "Malignant")
    assert metrics["clean"]["accuracy"] == pytest.approx(right.mean())


def test_damage_comes_before_preprocessing(tested: Path) -> None:
    change("robustness", corruptions=["noise"], severities=[5])
    write_json(Path("data/preprocess.json"), {"stain": "none", "clip_limit": 4.0, "denoise": 0.0, "target": None})
    steps = read_steps()
    PREPROCESSED.rename(RESTRUCTURED)
    predictions = pd.read_csv("data/predictions/test.csv")
    for row, image in enumerate(predictions["image"]):
        seen = apply_steps(command.read_pixels([image], RESTRUCTURED)[0], steps)[0]
        predictions.loc[row, "Malignant"] = 1 / (1 + np.exp(10 - seen[..., 0].mean() / 10))
    predictions["Benign"] = 1 - predictions["Malignant"]
    predictions.to_csv("data/predictions/test.csv", index=False)
    command.main()
    table = pd.read_csv(ROBUSTNESS)
    row = table[table["corruption"] == "noise"].iloc[4]
    damaged = corrupt(command.read_pixels([row["image"]], RESTRUCTURED), [row["image"]], "noise", 5, 7)
    seen = apply_steps(damaged[0], steps)[0]
    assert row["Malignant"] == pytest.approx(1 / (1 + np.exp(10 - seen[..., 0].mean() / 10)), abs=1e-4)


def test_another_model_does_not_go_on_from_this_ones_files(tested: Path) -> None:
    change("robustness", corruptions=["blur"], severities=[1])
    stale = PARTIAL / "of-another-model" / "blur-1.csv"
    stale.parent.mkdir(parents=True)
    stale.write_text("no table")
    command.main()
    assert set(pd.read_csv(ROBUSTNESS)["corruption"]) == {"none", "blur"}
    assert not stale.exists()


def test_a_network_that_did_not_make_the_predictions_is_refused(tested: Path) -> None:
    predictions = pd.read_csv("data/predictions/test.csv")
    table = predictions.assign(corruption="none", severity=0)
    check_untouched(table, predictions.sample(frac=1, random_state=0), CLASSES)
    other = table.assign(Malignant=table["Malignant"] + 0.002)
    for wrong in (other, table.iloc[1:]):
        with pytest.raises(UserError, match="dvc repro -f evaluate"):
            check_untouched(wrong, predictions, CLASSES)


def test_stain_is_left_out_where_nothing_is_stained(
    tested: Path, make_params: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    params = {"dataset": "busi_phantom", "robustness.severities": [1]}
    chosen = command._choose(make_params(params))
    assert "stain" not in chosen
    assert len(chosen) == 7
    assert "stain left out: busi_phantom images are not known to be of stained tissue" in caplog.text
    with pytest.raises(UserError, match="stain alone is nothing to do"):
        command._choose(make_params(params | {"robustness.corruptions": ["stain"]}))


def test_a_damaged_table_is_refused(tested: Path) -> None:
    rows = pd.read_csv("data/predictions/test.csv")
    table = pd.concat([rows.assign(corruption=name, severity=at) for name, at in (("none", 0), ("blur", 2))])
    write_robustness(ROBUSTNESS, table, CLASSES)
    pd.testing.assert_frame_equal(pd.read_csv(ROBUSTNESS), table.reset_index(drop=True), check_dtype=False)
    with pytest.raises(UserError, match="stands twice"):
        write_robustness(ROBUSTNESS, pd.concat([table, table.tail(1)]), CLASSES)
    with pytest.raises(UserError, match="column severity missing"):
        write_robustness(ROBUSTNESS, table.drop(columns="severity"), CLASSES)
    assert table_module.list_conditions(["blur"], [3, 1, 3]) == [("none", 0), ("blur", 1), ("blur", 3)]


def test_a_model_of_another_version_warns(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = Path("models/model.json")
    write_json(path, json.loads(path.read_text()) | {"versions": {"numpy": "1.0.0"}})
    Path("data/predictions/test.csv").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"test\.csv not found"):
        command.main()
    assert "models/model.keras was made with numpy 1.0.0" in caplog.text
