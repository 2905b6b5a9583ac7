import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.figures.run_info import RunInfo
from bycase.figures.style import LARGEST
from bycase.report.summary import main as print_summary
from stages.plot import main

CURVES = {"roc", "precision_recall", "confusion", "calibration", "learning_curves", "robustness", "deletion"}
FIGURES = CURVES | {"corruptions", "explanation_sanity", "explanations", "predictions", "sanity", "subgroups"}
FIGURES |= {"uncertainty"}


def digests() -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path("plots/model").iterdir())}


def test_main_writes_the_same_files_with_the_columns_that_dvc_draws(
    any_workspace: Path, any_run_info: RunInfo, caplog: pytest.LogCaptureFixture
) -> None:
    main()
    decided = {"decisions"} if any_run_info.positive else set()
    expected = {f"{name}.csv" for name in CURVES | {"risk_coverage"} | decided}
    expected |= {f"{name}.png" for name in FIGURES | decided}
    assert set(digests()) == expected | {"classification_report.txt", "sanity.txt"}
    for path in Path("plots/model").glob("*.png"):
        assert path.stat().st_size < LARGEST
        with Image.open(path) as image:
            assert image.width == 832
            assert not image.info.get("Software")
    last = "class" if any_run_info.positive is None else "threshold"
    columns = {"roc": ["fpr", "tpr", last], "precision_recall": ["recall", "precision", last]}
    columns |= {"confusion": ["actual", "predicted"], "calibration": ["predicted", "observed", "low", "high", "images"]}
    for name, expected_columns in columns.items():
        assert list(pd.read_csv(f"plots/model/{name}.csv").columns) == expected_columns
    assert {"epoch", "loss", "val_loss", "val_auc"} <= set(pd.read_csv("plots/model/learning_curves.csv").columns)
    confusion = pd.read_csv("plots/model/confusion.csv")
    assert len(confusion) == any_run_info.metrics["image"]["n"]
    accuracy = (confusion["actual"] == confusion["predicted"]).mean()
    assert accuracy == pytest.approx(any_run_info.metrics["image"]["accuracy"])
    report = Path("plots/model/classification_report.txt").read_text().splitlines()
    accuracies = [line.split()[1] for line in report if line.startswith(" ") and line.split()[0] == "accuracy"]
    assert accuracies == [f"{any_run_info.metrics[level]['accuracy']:.3f}" for level in ("image", "patient")]
    text = Path("plots/model/sanity.txt").read_text()
    warned = [line.removeprefix("WARNED: ") for line in text.splitlines() if line.startswith("WARNED: ")]
    logged = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert logged == [f"WARNING: {words}" for words in warned]
    assert bool(logged) == (any_run_info.positive is None)  # the top share is far above that of three or more classes


def test_a_second_run_gives_the_same_bytes_whatever_the_users_matplotlib_settings(workspace: Path) -> None:
    import matplotlib as mpl

    main()
    first = digests()
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.dpi": 50, "figure.facecolor": "red"}):
        main()
    assert digests() == first


def test_the_summary_is_printed(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary()
    assert "120 test images of 12 patients" in capsys.readouterr().out


def test_the_summary_of_an_up_to_date_run_warns_of_other_versions(
    workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path("models/model.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | {"versions": {"numpy": "1.0.0"}}), encoding="utf-8")
    print_summary()
    assert "models/model.keras was made with numpy 1.0.0" in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "data/predictions/test.csv",
        "data/predictions/val.csv",
        "data/explain/artifacts.npz",
        "metrics/explain.json",
        "metrics/external.json",
        "metrics/metrics.json",
        "metrics/robustness.json",
        "metrics/uncertainty.json",
        "data/uncertainty/test.csv",
        "models/history.csv",
        "data/splits.json",
    ],
)
def test_a_missing_input_is_named_and_nothing_is_written(workspace: Path, path: str) -> None:
    Path(path).unlink()
    with pytest.raises(UserError, match=f"{path} not found: run 'dvc repro"):
        main()
    assert not Path("plots/model").exists()
