import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from bycase.core.errors import UserError
from bycase.core.nested import flatten
from bycase.statistics.thresholds import youden_threshold
from bycase.statistics.uncertainty.summary import tabulate_risk
from bycase.statistics.uncertainty.table import FOLDER, METHODS, read_uncertainty, scores_of
from bycase.tables.predictions import TEST, VALIDATION, read_predictions
from stages.uncertainty import main
from tests.fixtures.units import leaves

OUTPUTS = (
    *("data/uncertainty/val.csv", "data/uncertainty/test.csv"),
    *("metrics/uncertainty.json", "metrics/headlines/uncertainty.json"),
)


def test_main_writes_tables_and_metrics_that_repeat(make_workspace: Callable[..., Path]) -> None:
    make_workspace(2)
    main()
    first = [Path(path).read_bytes() for path in OUTPUTS]
    main()
    assert [Path(path).read_bytes() for path in OUTPUTS] == first

    made_by = json.loads((FOLDER / "made_by.json").read_text())
    assert made_by == {key: {"engine": {"name": "keras"}} for key in METHODS[1:]}
    validation, test = (read_uncertainty(FOLDER / name) for name in ("val.csv", "test.csv"))
    truth = (test["label"] == "Malignant").to_numpy()
    metrics = json.loads(Path("metrics/uncertainty.json").read_text())
    headlines = flatten(json.loads(Path("metrics/headlines/uncertainty.json").read_text()))
    assert headlines.items() <= flatten(metrics).items()
    assert {"tta.difference.auc", "conformal.image.coverage", "selective.plain.aurc"} <= set(headlines)
    for method in METHODS:
        scores, at = test[f"{method}_Malignant"], metrics[method]
        threshold = youden_threshold((validation["label"] == "Malignant").to_numpy(), validation[f"{method}_Malignant"])
        called = np.where(scores >= threshold, "Malignant", "Benign")
        assert (test[f"{method}_predicted"] == called).all()
        assert at["auc"] == pytest.approx(roc_auc_score(truth, scores))
        assert at["accuracy"] == pytest.approx(accuracy_score(test["label"], called))
        assert at["brier"] == pytest.approx(brier_score_loss(truth, scores))
        assert at["log_loss"] == pytest.approx(log_loss(truth, scores))
    for part, path in ((validation, VALIDATION), (test, TEST)):
        plain = read_predictions(path, ["Benign", "Malignant"])
        np.testing.assert_array_equal(scores_of(part, "plain", ["Benign", "Malignant"]), plain[["Benign", "Malignant"]])
        assert (part["mc_dropout_mutual_information"] > 0).mean() > 0.9
        assert (part["tta_mutual_information"] > 0).mean() > 0.9

    own = np.where(validation["label"] == "Malignant", validation["plain_Malignant"], validation["plain_Benign"])
    least = np.sort(own)[::-1][int(np.ceil(25 * 0.7)) - 1]
    assert metrics["conformal"]["image"]["conformal_threshold"] == least
    assert (test["set_Benign"] == (test["plain_Benign"] >= least)).all()
    assert metrics["conformal"]["patient"]["n_calibration"] == 6
    assert "set_Benign" not in validation
    patient = np.unique(test["group"], return_inverse=True)[1]
    curve = tabulate_risk(test, ["Benign", "Malignant"], patient, None, 7)
    last = curve[curve["coverage"] == 1]
    assert last["risk"].tolist() == pytest.approx([1 - metrics["plain"]["accuracy"]] * 3)


def test_three_classes_and_a_head_without_dropout(
    make_workspace: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    make_workspace(3, dropout=0.0)
    with caplog.at_level(logging.INFO):
        main()
    assert "no dropout" in caplog.text
    test = read_uncertainty(FOLDER / "test.csv")
    assert (test["mc_dropout_mutual_information"] == 0).all()
    assert (scores_of(test, "mc_dropout", "abc") == scores_of(test, "plain", "abc")).all()
    assert (test["tta_mutual_information"] > 0).any()
    for method in METHODS:
        called = np.array(list("abc"))[scores_of(test, method, "abc").argmax(axis=1)]
        assert (test[f"{method}_predicted"] == called).all()
    metrics = json.loads(Path("metrics/uncertainty.json").read_text())
    difference = metrics["mc_dropout"]["difference"]
    limits = difference.pop("ci")
    assert set(limits) == set(difference)
    assert leaves(difference) == [0] * len(leaves(difference))
    assert all(ends["low"] < 0 < ends["high"] for ends in limits.values())
    assert all(np.isfinite(leaves(metrics)))


def test_missing_predictions_are_named(make_workspace: Callable[..., Path]) -> None:
    make_workspace(2)
    TEST.unlink()
    with pytest.raises(UserError, match="run 'dvc repro evaluate' first"):
        main()
    with pytest.raises(UserError, match="run 'dvc repro uncertainty' first"):
        read_uncertainty(FOLDER / "test.csv")
