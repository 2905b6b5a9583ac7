from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from sklearn.metrics import accuracy_score

from bycase.statistics.comparison.label_efficiency import measure_label_efficiency

CLASSES = ["Benign", "Malignant"]
PATIENTS, EACH = 40, 6


def predict(noise: float, skill: float, seed: int = 0) -> pd.DataFrame:
    """Out-of-fold predictions of forty patients; the same noise makes the same errors."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(PATIENTS), EACH)
    truth = patient % 2
    scores = skill * (2 * truth - 1) + noise * random.normal(size=len(truth)) + random.normal(size=PATIENTS)[patient]
    positive = 1 / (1 + np.exp(-scores))
    return pd.DataFrame(
        {
            "model": "any",
            "repeat": 0,
            "fold": patient // 2 % 4,
            "image": [f"{number}.png" for number in range(len(truth))],
            "patient": patient.astype(str),
            "label": np.array(CLASSES)[truth],
            "Benign": 1 - positive,
            "Malignant": positive,
            "threshold": 0.5,
            "patient_threshold": 0.5,
            "temperature": 1.0,
        }
    )


def measure(tables: dict[int, pd.DataFrame], metric: str = "accuracy") -> pd.DataFrame:
    return measure_label_efficiency(tables, CLASSES, "Malignant", metric, "image", 200, 7, Path("here"))


def test_gains_are_a_t_test_over_patients_of_the_same_images() -> None:
    tables = {10: predict(3, 0.5), 20: predict(3, 2.5)}
    first, second = measure(tables).to_dict("records")
    right = {n: (t["Malignant"] >= 0.5) == (t["label"] == "Malignant") for n, t in tables.items()}
    assert first["value"] == pytest.approx(right[10].mean())
    truth = tables[20]["label"] == "Malignant"
    assert second["value"] == pytest.approx(accuracy_score(truth, tables[20]["Malignant"] >= 0.5))
    by_patient = (right[20].astype(float) - right[10]).groupby(tables[10]["patient"]).mean()
    limits = ttest_1samp(by_patient, 0).confidence_interval()
    assert second["gain"] == pytest.approx(by_patient.mean())
    assert second["gain_low"] == pytest.approx(limits.low, abs=0.003)
    assert second["gain_high"] == pytest.approx(limits.high, abs=0.003)
    assert second["from_patients"] == 10
    assert pd.isna(first["gain"])


def test_no_gain_is_found_where_there_is_none() -> None:
    table = measure({10: predict(3, 1), 20: predict(3, 1, seed=1), 40: predict(3, 1, seed=1)}, "auc")
    assert table["gain_low"].iloc[1] < 0 < table["gain_high"].iloc[1]
    assert table["gain"].iloc[2] == 0
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()
    assert table["from_patients"].tolist()[1:] == [10, 20]


def test_a_single_number_has_no_gain() -> None:
    table = measure({10: predict(3, 1)})
    assert len(table) == 1
    assert table["gain"].isna().all()
