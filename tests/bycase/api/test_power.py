import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bycase
from bycase.api.power import ASSUMED
from bycase.core.closure import ROOT
from bycase.core.params import load_params
from bycase.statistics.power.clusters import count_sample
from bycase.statistics.power.resolution import Assumptions, resolution

ALONE = {"accuracy": (0.0, 0.0, 0.0), "auc": (0.0, 0.0, 0.0)}


def test_what_is_assumed_is_what_the_pipeline_assumes() -> None:
    assert Assumptions(**load_params(ROOT / "params.yaml").power.model_dump()) == ASSUMED


def test_planned_and_counted_patients_are_those_of_the_stage() -> None:
    patient = np.repeat(np.arange(50), 20)
    images = pd.DataFrame({"group": patient.astype(str), "label": np.where(patient < 15, "a", "b")})
    want = resolution(count_sample(images, "a"), None, ASSUMED, "a")
    planned = bycase.power(50, images_per_patient=20, positive_share=0.3)
    counted = bycase.power(patient, images["label"])
    for found in (planned, counted):
        assert (found.n_patients, found.n_images) == (50, 1000)
        assert {name: found.resolves["auc"][name] for name in found.resolves["auc"]} == {
            name: want["all"][name]["auc_points"] for name in found.resolves["auc"]
        }
        assert (
            found.needed["accuracy"]["5_points"]["middle"] == want["patients_needed"]["middle"]["accuracy"]["5_points"]
        )


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.9)])
def test_patients_of_one_image_are_connors_sample_size(alpha: float, power: float) -> None:
    """Connor (1987), of discordant shares b and c, with the normal distribution's quantiles."""
    found = bycase.power(
        5000, accuracy=0.6, alpha=alpha, power=power, model_correlation=ALONE, patient_correlation=ALONE
    )
    b, c = 0.65 * 0.4, 0.6 * 0.35
    spread = norm.isf(alpha / 2) * np.sqrt(b + c) + norm.isf(1 - power) * np.sqrt(b + c - (b - c) ** 2)
    assert found.needed["accuracy"]["5_points"]["middle"] == pytest.approx((spread / (b - c)) ** 2, rel=0.01)


def test_more_patients_resolve_more_and_alike_images_less() -> None:
    few, many = bycase.power(40, images_per_patient=10), bycase.power(400, images_per_patient=10)
    for metric in ("accuracy", "auc"):
        assert few.resolves[metric]["optimistic"] > many.resolves[metric]["optimistic"]
        assert many.resolves[metric]["optimistic"] < many.resolves[metric]["pessimistic"]
        needed = many.needed[metric]
        assert needed["1_points"]["middle"] > needed["2_points"]["middle"] > needed["5_points"]["middle"]


def test_the_sentence_says_what_cannot_be_found() -> None:
    assert "points or more of AUC" in str(bycase.power(50, images_per_patient=20))
    hopeless = str(bycase.power(6, accuracy=0.97, auc=0.97))
    assert "resolve no difference in accuracy" in hopeless
    assert "5 points of AUC are out of reach" in hopeless


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"patient": 3}, "patient: 3 is not from 4 to 1,000,000,000"),
    ({"patient": "many"}, "patient: 'many' is no whole number"),
    ({"patient": 50, "y": [0, 1]}, "y: classes are of images at hand; of planned patients give positive_share"),
    ({"patient": [1, 1, 2]}, "y: give the images' classes too, or patient as a number of planned patients"),
    ({"patient": list("aabc"), "y": [0, 0, 1, 1]}, "class 0 against the rest: 1 against 2 patients, but each side "
        "needs two"),
    ({"patient": list("abcd"), "y": [0, 0, 1, 1], "positive": 2}, "positive: '2' is none of the classes 0, 1"),
    ({"patient": 50, "positive_share": 0.01}, "50 patients at positive_share 0.01: 0 against 50 patients, but each "
        "side needs two"),
    ({"patient": 50, "images_per_patient": 0}, "images_per_patient: 0 is not from 1 to 1,000,000"),
    ({"patient": 50, "auc": 0.4}, "auc: 0.4 is not between 0.5 and 1"),
    ({"patient": 50, "patient_correlation": {"auc": (0, 0, 0)}}, "patient_correlation: give three numbers of accuracy: "
        "optimistic, middle, pessimistic"),
    ({"patient": 50, "model_correlation": {"accuracy": (0, 0, 2), "auc": (0, 0, 0)}}, "model_correlation, accuracy: 2 "
        "is not from 0 to 1"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), FAULTS)
def test_what_cannot_be_computed_is_said_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bycase.power(**given)
