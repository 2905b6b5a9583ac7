import hashlib
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
FIGURES = CURVES | {
    "corruptions",
    "explanation_sanity",
    "explanations",
    "predictions",
    "sanity",
    "subgroups",
    "uncertainty",
}


def digests() -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path("plots/model").iterdir())}


def test_main_writes_tables_figures_and_a_report_that_repeat(workspace: Path, run_info: RunInfo) -> None:
    main()
    first = digests()
    expected = {f"{name}.csv" for name in CURVES | {"risk_coverage"}} | {f"{name}.png" for name in FIGURES}
    assert set(first) == expected | {"classification_report.txt", "sanity.txt"}
    main()
    assert digests() == first
    for path in Path("plots/model").glob("*.png"):
        assert path.stat().st_size < LARGEST
        with Image.open(path) as image:
            assert image.width == 832
            assert not image.info.get("Software")
    confusion = pd.read_csv("plots/model/confusion.csv")
    assert len(confusion) == 120
    assert (confusion["actual"] == confusion["predicted"]).mean() == run_info.metrics["image"]["accuracy"]
    assert list(pd.read_csv("plots/model/roc.csv").columns) == ["fpr", "tpr", "threshold"]
    assert {"epoch", "loss", "val_loss", "val_auc"} <= set(pd.read_csv("plots/model/learning_curves.csv").columns)


def test_the_users_matplotlib_settings_change_nothing(workspace: Path) -> None:
    import matplotlib as mpl

    main()
    first = digests()
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.dpi": 50, "figure.facecolor": "red"}):
        main()
    assert digests() == first


def test_the_summary_is_printed(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary()
    assert "120 test images of 12 patients" in capsys.readouterr().out


@pytest.mark.parametrize(
    "path",
    [
        "data/predictions/test.csv",
        "data/predictions/val.csv",
        "data/explain/artifacts.npz",
        "metrics/explain.json",
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
    assert not Path("plots").exists()
