import json
from dataclasses import replace

import numpy as np
import pytest

from bycase.statistics.power.clusters import Sample
from bycase.statistics.power.detectable import quantiles, required_accuracy
from bycase.statistics.power.resolution import (
    METRICS,
    SCENARIOS,
    Assumptions,
    detectable,
    format_table,
    patients_needed,
    resolution,
    resolution_curves,
)

ASSUMED = Assumptions(
    accuracy=0.85,
    auc=0.9,
    model_correlation={"accuracy": (0.6, 0.5, 0.2), "auc": (0.7, 0.5, 0.1)},
    patient_correlation={"accuracy": (0.05, 0.1, 0.4), "auc": (0.02, 0.1, 0.5)},
    alpha=0.05,
    power=0.8,
)
MIDDLE = SCENARIOS.index("middle")


def sample(patients: int, images: int = 20) -> Sample:
    sizes = np.full(patients, images)
    third = patients // 3
    return Sample(sizes, sizes[third:], sizes[:third])


def test_as_many_patients_as_needed_resolve_the_points() -> None:
    for number in range(len(SCENARIOS)):
        needed = patients_needed(sample(60), ASSUMED, number)
        for metric in METRICS:
            for points in (1, 2, 5):
                patients = needed[metric][f"{points}_points"]
                assert patients is not None
                found = detectable(sample(patients), ASSUMED, number)[f"{metric}_points"]
                assert found == pytest.approx(points, rel=0.03)


def test_needs_do_not_depend_on_the_size_of_the_sample() -> None:
    few, many = (patients_needed(sample(n), ASSUMED, MIDDLE) for n in (30, 300))
    assert few["accuracy"] == many["accuracy"]
    assert few["auc"]["2_points"] == pytest.approx(many["auc"]["2_points"], abs=1)


def test_one_image_a_patient_needs_no_design_effect() -> None:
    alone = patients_needed(sample(90, images=1), ASSUMED, MIDDLE)["accuracy"]["5_points"]
    assert alone is not None
    at, below = (required_accuracy(0.85, 0.9, n, 0.5, quantiles(0.05, 0.8, n - 1)) - 0.05 for n in (alone, alone - 1))
    assert at <= 0 < below


def test_a_t_quantile_costs_patients_where_there_are_few() -> None:
    """By hand: with 30 patients the sum of the quantiles is 2.899 (t, 29) instead of 2.802."""
    found = detectable(sample(30), replace(ASSUMED, accuracy=0.6), MIDDLE)["accuracy_points"]
    assert found is not None
    images = detectable(sample(30), ASSUMED, MIDDLE)["effective_images"]
    normal = required_accuracy(0.6, 0.6 + found / 100, float(images or 0), 0.5, quantiles(0.05, 0.8))
    assert found / 100 / normal == pytest.approx(2.899 / 2.802, abs=0.002)


def test_the_scenarios_are_in_order_and_the_last_resolves_least() -> None:
    content = resolution(sample(90), sample(60), ASSUMED, "Malignant")
    for part in ("test", "all"):
        for metric in METRICS:
            points = [content[part][name][f"{metric}_points"] for name in SCENARIOS]
            assert points == sorted(points)
            assert len(set(points)) == 3


def test_more_patients_resolve_more_and_more_images_hardly() -> None:
    base, patients, images = (
        detectable(each, ASSUMED, MIDDLE)["accuracy_points"]
        for each in (sample(60), sample(120), sample(60, images=40))
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
    best = SCENARIOS[0]
    assert full["test"][best]["accuracy_points"] > full["all"][best]["accuracy_points"]
    json.dumps(full, allow_nan=False)


def test_impossible_gains_are_none() -> None:
    needed = patients_needed(sample(60), replace(ASSUMED, accuracy=0.985, auc=0.97), MIDDLE)
    assert needed["accuracy"]["1_points"] is not None
    assert needed["accuracy"]["2_points"] is None
    assert needed["auc"]["5_points"] is None
    assert detectable(sample(6), replace(ASSUMED, auc=0.98), MIDDLE)["auc_points"] is None


@pytest.mark.parametrize("negative", [0, 1])
def test_a_class_without_patients_to_compare_has_no_auc(negative: int) -> None:
    sizes = np.full(20, 10)
    one_sided = Sample(sizes, sizes[negative:], sizes[:negative])
    found = detectable(one_sided, ASSUMED, MIDDLE)
    assert found["auc_points"] is None
    assert found["accuracy_points"] is not None
    assert set(patients_needed(one_sided, ASSUMED, MIDDLE)["auc"].values()) == {None}
    assert set(resolution_curves(one_sided, ASSUMED)["metric"]) == {"accuracy"}


def test_the_curves_pass_through_what_the_data_resolve() -> None:
    curves = resolution_curves(sample(60), ASSUMED)
    for metric in METRICS:
        for number, name in enumerate(SCENARIOS):
            rows = curves[(curves["metric"] == metric) & (curves["scenario"] == name)]
            assert (np.diff(rows["points"]) < 0).all()
            points = detectable(sample(60), ASSUMED, number)[f"{metric}_points"]
            if points is not None:
                there = np.exp(np.interp(np.log(60), np.log(rows["patients"]), np.log(rows["points"])))
                assert there == pytest.approx(points, rel=0.02)


def test_the_table_says_numbers_and_assumptions() -> None:
    content = resolution(sample(60), None, ASSUMED, "Malignant")
    text = format_table(content)
    for name in SCENARIOS:
        assert f"{content['all'][name]['accuracy_points']:.1f}" in text
        assert f"{content['patients_needed'][name]['auc']['1_points']:,}" in text
    assert "no data/splits.csv" in text
    assert "accuracy 0.85, AUC (Malignant against the rest) 0.9." in text
    assert max(map(len, text.splitlines())) <= 120
    never = format_table(resolution(sample(6), sample(3), replace(ASSUMED, accuracy=0.99, auc=0.99), "M"))
    assert "never" in never
    assert "none" in never
