import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bycase.statistics.multiclass.assessment import assess
from bycase.statistics.multiclass.units import ClassUnits
from sklearn.metrics import roc_auc_score

from bycase.core.errors import UserError
from bycase.core.params_training import EvaluateParams
from bycase.statistics.assessment import assess_predictions
from bycase.tables.predictions import TEST, make_predictions

Simulate = Callable[..., ClassUnits]

SHARES = {"image": np.array([0.2, 0.5, 0.3]), "patient": np.array([0.3, 0.4, 0.3])}
MEANS = {"auc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "macro_f1", "brier"}
SETTINGS = EvaluateParams(threshold="youden", fixed_threshold=0.5, resamples=100, batch_size=4)


def leaves(content: Any) -> Iterator[Any]:
    if isinstance(content, dict):
        for value in content.values():
            yield from leaves(value)
    else:
        yield content


def as_tables(units: ClassUnits, prefix: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions, and the manifest's rows of their images."""
    part = pd.DataFrame({"image": [f"{prefix}{number:03}" for number in range(len(units.truth))]})
    part["group"] = [f"{prefix}{patient}" for patient in units.patient]
    part["label"] = np.array(units.classes)[units.truth]
    return make_predictions(part, units.scores, units.classes, TEST), part


def test_both_levels_have_metrics_baseline_and_intervals_that_repeat(simulate_classes: Simulate) -> None:
    validation, test = simulate_classes(1), simulate_classes(2)
    metrics = assess(validation, test, SHARES, 100, 7)
    assert json.dumps(metrics) == json.dumps(assess(validation, test, SHARES, 100, 7))
    assert all(type(value) in (int, float) and np.isfinite(value) for value in leaves(metrics))
    assert (metrics["image"]["n"], metrics["patient"]["n"], metrics["image"]["n_patients"]) == (64, 16, 16)
    for level, more in (("image", set()), ("patient", {"recognition_rate"})):
        at = metrics[level]
        assert set(at["ci"]) == MEANS | more | {"log_loss", "per_class", "resamples"}
        assert set(at["baseline"]) == MEANS | more | {"log_loss"}
        assert set(at) == MEANS | more | {"log_loss", "per_class", "n", "n_patients", "baseline", "ci"}
        for name in MEANS | more:
            assert 0 <= at["ci"][name]["low"] <= at[name] <= at["ci"][name]["high"] <= 1
    assert metrics["patient"]["baseline"]["recognition_rate"] == 8 / 16
    for level, shares in SHARES.items():
        by_chance = -(np.array([5, 8, 3]) / 16 * np.log(shares)).sum()
        assert metrics[level]["baseline"]["log_loss"] == pytest.approx(by_chance)
        assert metrics[level]["sensitivity"] == metrics[level]["balanced_accuracy"]
        assert metrics[level]["ci"]["sensitivity"] == metrics[level]["ci"]["balanced_accuracy"]
    right = pd.Series(test.right).groupby(test.patient).mean().mean()
    assert metrics["patient"]["recognition_rate"] == pytest.approx(right)
    assert set(metrics["validation"]["patient"]) == {
        "auc",
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "log_loss",
        "n",
    }


def test_the_number_of_classes_chooses(simulate_classes: Simulate) -> None:
    parts = [as_tables(simulate_classes(seed), prefix) for seed, prefix in ((1, "v"), (2, "t"))]
    manifest = pd.concat([rows for _, rows in parts])
    training = manifest[manifest["image"].str.startswith("v")]

    def assessed(classes: list[str], positive: str | None) -> dict[str, Any]:
        tables = [
            table[table["label"].isin(classes)].assign(**{classes[0]: 1 - table[classes[1]]})
            if len(classes) == 2
            else table
            for table, _ in parts
        ]
        return assess_predictions(*tables, manifest, training, classes, positive, SETTINGS, 7)

    three, two = assessed(["a", "b", "c"], None), assessed(["a", "b"], "b")
    assert "threshold" not in three["image"]
    assert {"threshold", "sensitivity", "macro_f1"} <= set(two["image"])
    test = parts[1][0]
    expected = roc_auc_score(test["label"], test[["a", "b", "c"]], multi_class="ovr")
    assert three["image"]["auc"] == pytest.approx(expected)
    assert three["image"]["baseline"]["accuracy"] == pytest.approx((test["label"] == "b").mean())
    lacking = test[test["label"] != "c"]
    with pytest.raises(UserError, match=r"test\.csv: no image of class c"):
        assess_predictions(parts[0][0], lacking, manifest, training, list("abc"), None, SETTINGS, 7)


def test_main_scores_three_classes(workspace: Path) -> None:
    import keras

    from stages.evaluate import main

    manifest = pd.read_csv("data/manifest.csv")
    case = manifest["case"].str[1:].astype(int)
    labels = np.array(["Benign", "Malignant", "Normal"])[case % 3]
    manifest.assign(label=labels).to_csv("data/manifest.csv", index=False)
    card = json.loads(Path("models/model.json").read_text())
    card |= {"classes": ["Benign", "Malignant", "Normal"], "positive": None}
    Path("models/model.json").write_text(json.dumps(card))
    inputs = keras.Input((16, 16, 3))
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inputs / 255))
    keras.Model(inputs, outputs).save("models/model.keras")
    main()
    metrics = json.loads(Path("metrics/metrics.json").read_text())
    test = pd.read_csv("data/predictions/test.csv")
    assert list(metrics["image"]["per_class"]) == card["classes"]
    assert metrics["image"]["auc"] == pytest.approx(
        roc_auc_score(test["label"], test[card["classes"]], multi_class="ovr")
    )
    assert metrics["patient"]["n"] == 4
