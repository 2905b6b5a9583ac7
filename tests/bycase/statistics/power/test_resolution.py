import json
from dataclasses import replace

import numpy as np
import pytest

from bycase.statistics.power.clusters import Sample
from bycase.statistics.power.detectable import pairs_needed
from bycase.statistics.power.resolution import Assumptions, detectable, format_table, patients_needed, resolution

ASSUMED = Assumptions(accuracy=0.85, auc=0.9, model_correlation=0.5, patient_correlation=0.1, alpha=0.05, power=0.8)


def sample(patients: int, images: int = 20) -> Sample:
    sizes = np.full(patients, images)
    third = patients // 3
    return Sample(sizes, sizes[third:], sizes[:third])


def test_as_many_patients_as_needed_resolve_the_points() -> None:
    needed = patients_needed(sample(60), ASSUMED)
    for metric in ("accuracy", "auc"):
        for points in (1, 2, 5):
            patients = needed[metric][f"{points}_points"]
            assert patients is not None
            found = detectable(sample(patients), ASSUMED)[f"{metric}_points"]
            assert found == pytest.approx(points, rel=0.03)


def test_needs_do_not_depend_on_the_size_of_the_sample() -> None:
    few, many = (patients_needed(sample(n), ASSUMED) for n in (30, 300))
    assert few["accuracy"] == many["accuracy"]
    assert few["auc"]["2_points"] == pytest.approx(many["auc"]["2_points"], abs=1)


def test_one_image_a_patient_needs_no_design_effect() -> None:
    alone = patients_needed(sample(90, images=1), ASSUMED)["accuracy"]["5_points"]
    assert alone == int(np.ceil(pairs_needed(0.85, 0.9, 0.5, 0.05, 0.8)))


def test_more_patients_resolve_more_and_more_images_hardly() -> None:
    base, patients, images = (
        detectable(each, ASSUMED)["accuracy_points"] for each in (sample(60), sample(120), sample(60, images=40))
    )
    assert base is not None
    assert patients is not None
    assert images is not None
    assert patients < 0.75 * base < 0.85 * base < images < base


def test_keys_are_the_same_with_and_without_a_split() -> None:
    full, bare = (resolution(sample(60), test, ASSUMED, "Malignant") for test in (sample(15), None))
    assert list(full) == list(bare)
    assert list(full["test"]) == list(bare["test"]) == list(full["all"])
    assert set(bare["test"].values()) == {None}
    assert full["test"]["accuracy_points"] > full["all"]["accuracy_points"]
    json.dumps(full, allow_nan=False)


def test_impossible_gains_are_none() -> None:
    needed = patients_needed(sample(60), replace(ASSUMED, accuracy=0.985, auc=0.97))
    assert needed["accuracy"]["1_points"] is not None
    assert needed["accuracy"]["2_points"] is None
    assert needed["auc"]["5_points"] is None
    assert detectable(sample(3), replace(ASSUMED, auc=0.98))["auc_points"] is None


def test_one_class_has_no_auc() -> None:
    sizes = np.full(20, 10)
    found = detectable(Sample(sizes, sizes, sizes[:0]), ASSUMED)
    assert found["auc_points"] is None
    assert found["accuracy_points"] is not None


def test_the_table_says_numbers_and_assumptions() -> None:
    content = resolution(sample(60), None, ASSUMED, "Malignant")
    text = format_table(content)
    assert f"{content['all']['accuracy_points']:.1f}" in text
    assert f"{content['patients_needed']['auc']['1_points']:,}" in text
    assert "no data/splits.csv" in text
    assert "accuracy 0.85, AUC (Malignant against the rest) 0.9." in text
    assert max(map(len, text.splitlines())) <= 120
    never = format_table(resolution(sample(3), sample(2), replace(ASSUMED, accuracy=0.99, auc=0.99), "M"))
    assert "never" in never
    assert "none" in never
