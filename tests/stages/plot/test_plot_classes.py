from pathlib import Path

import pandas as pd
import pytest

from bycase.figures.run_info import RunInfo
from bycase.figures.style import LARGEST
from stages.plot import main


def test_main_writes_the_same_files_with_the_columns_that_dvc_draws(
    class_workspace: Path, class_run_info: RunInfo, caplog: pytest.LogCaptureFixture
) -> None:
    main()
    curves = {"roc", "precision_recall", "confusion", "calibration", "learning_curves", "robustness", "deletion"}
    figures = curves | {"corruptions", "explanation_sanity", "explanations"}
    figures |= {"predictions", "sanity", "subgroups", "uncertainty"}
    expected = {f"{name}.csv" for name in curves | {"risk_coverage"}} | {f"{name}.png" for name in figures}
    assert {path.name for path in Path("plots/model").iterdir()} == expected | {
        "classification_report.txt",
        "sanity.txt",
    }
    assert all(path.stat().st_size < LARGEST for path in Path("plots/model").glob("*.png"))
    first = {
        "roc": ["fpr", "tpr", "class"],
        "precision_recall": ["recall", "precision", "class"],
        "confusion": ["actual", "predicted"],
        "calibration": ["predicted", "observed", "low", "high", "images"],
    }
    for name, columns in first.items():
        assert list(pd.read_csv(f"plots/model/{name}.csv").columns) == columns
    confusion = pd.read_csv("plots/model/confusion.csv")
    accuracy = (confusion["actual"] == confusion["predicted"]).mean()
    assert accuracy == pytest.approx(class_run_info.metrics["image"]["accuracy"])
    text = Path("plots/model/sanity.txt").read_text()
    warned = [line.removeprefix("WARNED: ") for line in text.splitlines() if line.startswith("WARNED: ")]
    logged = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert logged == [f"WARNING: {words}" for words in warned] != []
