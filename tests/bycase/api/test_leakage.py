import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import bycase
from bycase.api.inputs import numbered
from bycase.core.closure import ROOT
from bycase.core.params import load_params
from bycase.core.seeding import derive_seed
from bycase.statistics.leakage.meter import out_of_fold


def draw(patients: int, images: int, of_patient: float, of_class: float) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(2)
    patient = np.repeat(np.arange(patients), images)
    y = patient % 2
    noise = random.normal(size=(len(y), 12))
    return of_class * y[:, None] + of_patient * random.normal(size=(patients, 12))[patient] + noise, y, patient


def test_features_that_know_the_patient_look_better_split_by_image() -> None:
    features, y, patient = draw(30, 6, of_patient=1.5, of_class=0.3)
    found = bycase.leakage(features, y, patient, repeats=3)
    assert found.inflation["auc"].low > 5
    assert found.by_image["auc"].value > found.by_patient["auc"].value
    difference = found.by_image["auc"].value - found.by_patient["auc"].value
    assert found.inflation["auc"].value == pytest.approx(100 * difference)
    assert re.match(r"180 images of 30 patients: split by image the AUC is \.\d{3} \(95 % CI ", str(found))


def test_features_that_know_the_class_alone_do_not() -> None:
    found = bycase.leakage(*draw(30, 6, of_patient=0, of_class=0.5), repeats=3)
    assert found.inflation["auc"].low < 0 < found.inflation["auc"].high
    assert abs(found.inflation["auc"].value) < 3


def test_the_auc_is_the_mean_over_folds_of_scikit_learns_within_each() -> None:
    features, y, patient = draw(30, 6, of_patient=1, of_class=0.3)
    found = bycase.leakage(features, y, patient, folds=4, repeats=1, logistic_C=1.0, seed=3)
    scores, fold = out_of_fold(features, y, numbered(patient.astype(str)), 4, 1.0, derive_seed(3, "leakage", 0))
    rows = [fold == number for number in range(4)]
    weights = [y[each].sum() * (1 - y[each]).sum() for each in rows]
    aucs = [roc_auc_score(y[each], scores[each, 1]) for each in rows]
    assert found.by_patient["auc"].value == pytest.approx(np.average(aucs, weights=weights))


def test_frames_and_names_are_the_same_and_defaults_those_of_the_pipeline() -> None:
    features, y, patient = draw(12, 4, of_patient=1, of_class=0.3)
    named = pd.Series([f"P{number:02}" for number in patient])
    one = bycase.leakage(features, y, patient, repeats=2)
    other = bycase.leakage(pd.DataFrame(features), pd.Series(y), named, repeats=2)
    assert one.by_image == other.by_image
    shipped = load_params(ROOT / "params.yaml").leakage
    defaults = bycase.leakage.__kwdefaults__
    assert {key: defaults[key] for key in ("folds", "repeats", "logistic_C")} == shipped.model_dump(
        include={"folds", "repeats", "logistic_C"}
    )


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"features": np.zeros((5, 2))}, "features has 5 values, but there are 48 images: give one an image"),
    ({"features": np.zeros(48)}, "features: of shape (48,); give (n_images, n_features)"),
    ({"features": [["a"]] * 48}, "features: not all values are numbers"),
    ({"features": np.full((48, 2), np.nan)}, "features: NaN or no finite number, first in the row at position 0"),
    ({"patient": None}, "patient: without patients there is nothing to compare a split by image with"),
    ({"patient": np.arange(48)}, "patient: no patient has two images, so that a split by image leaks nothing"),
    ({"folds": 7}, "class 0 has 6 patients, fewer than the 7 folds; lower folds"),
    ({"folds": 1}, "folds: 1 is not from 2 to 20"),
    ({"repeats": 1.5}, "repeats: 1.5 is no whole number"),
]


@pytest.mark.parametrize(("changed", "message"), FAULTS)
def test_what_cannot_be_measured_is_said_in_one_line(changed: dict[str, Any], message: str) -> None:
    given = dict(zip(("features", "y", "patient"), draw(12, 4, 1, 1), strict=True)) | changed
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bycase.leakage(**given)
