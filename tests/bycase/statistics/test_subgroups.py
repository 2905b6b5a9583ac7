from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bycase.core.params_training import EvaluateParams
from bycase.statistics.assessment import assess_predictions
from bycase.statistics.subgroups import assess_subgroups, list_subgroups
from bycase.statistics.units import Units, patient_units
from tests.fixtures.units import as_tables, class_units

Simulate = Callable[..., Units]
THRESHOLDS = {"image": 0.55, "patient": 0.6}


def listed(**columns: list[Any]) -> dict[str, dict[str, list[int]]]:
    """Places of the images of each subgroup; the manifest is in another order."""
    n = len(next(iter(columns.values())))
    predictions = pd.DataFrame({"image": [f"i{k}" for k in range(n)], "label": ["b"] * n})
    manifest = pd.DataFrame({"image": predictions["image"], **columns})[::-1]
    found = list_subgroups(predictions, manifest)
    return {
        column: {name: np.flatnonzero(rows).tolist() for name, rows in members.items()}
        for column, members in found.items()
    }


def test_each_known_value_is_a_subgroup() -> None:
    assert listed(
        magnification=[400, 40, 100, 40],
        subtype=["adenosis", "b", "b", "adenosis"],
        site=["back", "", "back", "scalp"],
        sex=["", "", "", ""],
        age=["39.5", "40", "60", ""],
    ) == {
        "magnification": {"40": [1, 3], "100": [2], "400": [0]},
        "subtype": {"adenosis": [0, 3], "b": [1, 2]},
        "site": {"back": [0, 2], "scalp": [3]},
        "age": {"under 40": [0], "40 to 59": [1], "60 and over": [2]},
    }


def test_what_is_not_known_is_left_out() -> None:
    assert listed(magnification=[0, 0], subtype=["b", "b"], age=["", "x"]) == {}
    assert listed(group=["p", "q"]) == {}


def subset(units: Units, rows: np.ndarray, level: str) -> Units:
    chosen = units.select(rows)
    chosen = patient_units(chosen) if level == "patient" else chosen
    return chosen.with_threshold(THRESHOLDS[level])


def test_a_subgroup_is_scored_at_the_thresholds_of_the_whole(simulate: Simulate) -> None:
    images = simulate(0)
    rows = np.arange(72) % 6 < 2  # two images of every patient
    found = assess_subgroups(images, {"magnification": {"200": rows}}, THRESHOLDS, 300, 7)["magnification"]["200"]
    for level in THRESHOLDS:
        at, units = found[level], subset(images, rows, level)
        assert (at["n"], at["n_patients"]) == (len(units.truth), 12)
        assert at["auc"] == pytest.approx(roc_auc_score(units.truth, units.scores[:, 1]))
        assert at["accuracy"] == pytest.approx(units.right.mean())
        assert at["sensitivity"] == pytest.approx(units.right[units.truth == 1].mean())
        assert at["specificity"] == pytest.approx(units.right[units.truth == 0].mean())
        assert set(at["ci"]) == {"auc", "accuracy", "balanced_accuracy", "macro_f1", "sensitivity", "specificity"}
        for name, limits in at["ci"].items():
            assert 0 <= limits["low"] <= at[name] <= limits["high"] <= 1


@pytest.mark.filterwarnings("error")
def test_a_subtype_has_an_auc_against_the_other_class(simulate: Simulate) -> None:
    images = simulate(0)
    rows = (images.truth == 1) & (images.patient < 6)
    found = assess_subgroups(images, {"subtype": {"dc": rows}, "site": {"back": rows}}, THRESHOLDS, 300, 7)
    for level in THRESHOLDS:
        at, own = found["subtype"]["dc"][level], subset(images, rows, level)
        against = subset(images, rows | (images.truth == 0), level)
        assert (at["n"], at["n_patients"]) == (len(own.truth), 4)
        assert at["accuracy"] == at["sensitivity"] == pytest.approx(own.right.mean())
        assert at["auc"] == pytest.approx(roc_auc_score(against.truth, against.scores[:, 1]))
        assert set(at["ci"]) == {"auc", "accuracy", "sensitivity"} == set(at) - {"n", "n_patients", "ci"}
        # Elsewhere, one class is an accident, and has no AUC.
        assert found["site"]["back"][level]["accuracy"] == at["accuracy"]
        assert "auc" not in found["site"]["back"][level]
    assert found["subtype"]["dc"]["image"]["auc"] != pytest.approx(roc_auc_score(images.truth, images.scores[:, 1]))


def test_a_single_patient_has_a_size_only(simulate: Simulate) -> None:
    images = simulate(0)
    one = {"subtype": {"pc": images.patient == 4}, "site": {"back": images.patient == 4}}
    found = assess_subgroups(images, one, THRESHOLDS, 300, 7)
    for members in found.values():
        (at,) = members.values()
        assert at == {"image": {"n": 6, "n_patients": 1}, "patient": {"n": 1, "n_patients": 1}}


def test_intervals_resample_the_subgroups_patients(simulate: Simulate) -> None:
    images = simulate(0, n_patients=60)
    few, many = images.patient < 6, images.patient < 60
    found = assess_subgroups(images, {"site": {"few": few, "many": many}}, THRESHOLDS, 500, 7)["site"]
    width = {name: np.ptp(list(at["image"]["ci"]["accuracy"].values())) for name, at in found.items()}
    assert width["few"] > 1.5 * width["many"]


@pytest.mark.filterwarnings("error")
def test_several_classes_are_scored_over_those_that_are_there() -> None:
    random = np.random.default_rng(0)
    patient = np.repeat(np.arange(12), 4)
    truth = patient % 3
    images = class_units(truth, random.dirichlet([1, 1, 1], 48) * 0.6 + 0.4 * np.eye(3)[truth], patient)
    members = {"all": patient >= 0, "two": truth != 1, "one": truth == 2, "single": patient == 0}
    found = assess_subgroups(images, {"site": members}, dict.fromkeys(THRESHOLDS), 300, 7)["site"]
    assert found["single"] == {"image": {"n": 4, "n_patients": 1}, "patient": {"n": 1, "n_patients": 1}}
    right = images.predicted == truth
    for name in ("all", "two", "one"):
        at, rows = found[name]["image"], members[name]
        assert at["accuracy"] == pytest.approx(right[rows].mean())
        held = np.unique(truth[rows])
        if len(held) > 1:
            recall = [right[rows & (truth == k)].mean() for k in held]
            auc = [roc_auc_score(truth[rows] == k, images.scores[rows, k]) for k in held]
            assert at["balanced_accuracy"] == pytest.approx(np.mean(recall))
            assert at["auc"] == pytest.approx(np.mean(auc))
            assert set(at["ci"]) == {"accuracy", "auc", "balanced_accuracy", "macro_f1"}
        else:
            assert set(at["ci"]) == {"accuracy"}
        for metric, limits in at["ci"].items():
            assert 0 <= limits["low"] <= at[metric] <= limits["high"] <= 1


def test_the_metrics_hold_the_manifests_subgroups(simulate: Simulate) -> None:
    classes = ["Benign", "Malignant"]

    tables = [as_tables(simulate(seed), prefix) for seed, prefix in ((1, "v"), (2, "t"))]
    validation, test = (table for table, _ in tables)
    manifest = pd.concat([rows for _, rows in tables]).assign(magnification=np.tile([40, 100, 200], 48))
    manifest["subtype"] = manifest["label"] + (manifest["group"].str[1:].astype(int) % 2).astype(str)
    settings = EvaluateParams(threshold="youden", fixed_threshold=0.5, resamples=100, batch_size=4)
    metrics = assess_predictions(validation, test, manifest, manifest, classes, "Malignant", settings, 7)
    found = metrics["subgroups"]
    assert list(found) == ["magnification", "subtype"]
    assert list(found["magnification"]) == ["40", "100", "200"]
    sizes = [at["image"]["n"] for at in found["magnification"].values()]
    shares = [at["image"]["accuracy"] * n for at, n in zip(found["magnification"].values(), sizes, strict=True)]
    assert sum(shares) == pytest.approx(metrics["image"]["accuracy"] * 72)
    assert set(found["subtype"]["Malignant1"]["image"]) == {"n", "n_patients", "auc", "accuracy", "sensitivity", "ci"}


def test_columns_of_this_data_set_alone_make_subgroups_and_numbers_are_cut() -> None:
    n = 30
    predictions = pd.DataFrame({"image": [str(k) for k in range(n)], "label": "A"})
    own = {"centre": ["x", "y", ""] * 10, "mm": [f"{k}.5" for k in range(n)], "grade": ["1", "2", "3"] * 10}
    manifest = pd.DataFrame({"image": predictions["image"], "age": [str(k) for k in range(n)]} | own)
    found = list_subgroups(predictions, manifest, {"age": [10]})
    assert {column: {name: int(rows.sum()) for name, rows in members.items()} for column, members in found.items()} == {
        "age": {"under 10": 10, "10 and over": 20},
        "centre": {"x": 10, "y": 10},
        "mm": {"under 10.5": 10, "10.5 to under 19.5": 9, "19.5 and over": 11},
        "grade": {"1": 10, "2": 10, "3": 10},
    }
