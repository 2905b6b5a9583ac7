from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bycase.figures.curve_tables import calibration_table
from bycase.figures.reliability import draw_reliability, reliability_tables
from bycase.figures.run_info import RunInfo
from bycase.statistics.calibration.assessment import assess_calibration
from bycase.statistics.calibration.temperature import apply_temperature
from bycase.statistics.units import Units, patient_units
from tests.fixtures.layout import check_layout
from tests.fixtures.units import binary_units


def of_levels(images: Units) -> dict[str, Units]:
    return {"image": images, "patient": patient_units(images)}


def test_tables_are_of_the_plain_and_of_the_scaled_predictions(any_images: Units, any_run_info: RunInfo) -> None:
    tables = reliability_tables(of_levels(any_images), any_run_info)
    calibration = any_run_info.metrics["calibration"]
    for level, units in of_levels(any_images).items():
        pd.testing.assert_frame_equal(tables[level]["before"], calibration_table(units))
        temperature = calibration["temperature"] if level == "image" else calibration["patient"]["temperature"]
        scaled = replace(units, scores=apply_temperature(units.scores, temperature))
        pd.testing.assert_frame_equal(tables[level]["after"], calibration_table(scaled))
        for name, table in tables[level].items():
            gap = (table["observed"] - table["predicted"]).abs()
            assert np.average(gap, weights=table["images"]) == pytest.approx(calibration[level][name]["ece"])
            share = np.average(table["observed"], weights=table["images"])
            assert share == pytest.approx(units.right.mean() if units.positive is None else units.truth.mean())


def test_the_figure_gives_both_errors_of_both_levels(any_images: Units, any_run_info: RunInfo) -> None:
    units = of_levels(any_images)
    figure = draw_reliability(reliability_tables(units, any_run_info), units, any_run_info)
    calibration = any_run_info.metrics["calibration"]
    for axes, level in zip(figure.axes, ("image", "patient"), strict=False):
        plain, scaled = (text.get_text() for text in axes.get_legend().get_texts())
        assert plain.startswith(f"plain: ECE {calibration[level]['before']['ece']:.3f} (")
        temperature = calibration["temperature"] if level == "image" else calibration["patient"]["temperature"]
        assert scaled.startswith(f"T {temperature:.2f}: ECE {calibration[level]['after']['ece']:.3f} (")
    predicted = "probability of the predicted class"
    predicted = predicted if any_images.positive is None else "predicted probability of Malignant"
    assert {axes.get_xlabel() for axes in figure.axes[2:]} == {predicted}
    assert "phantom" in figure.texts[1].get_text()
    assert f"{calibration['image']['before']['ece']:.3f}" in figure.texts[0].get_text()
    check_layout(figure)


@pytest.mark.parametrize("n_patients", [3, 40])
def test_few_or_many_patients_and_long_names_fit(run_info: RunInfo, n_patients: int) -> None:
    random = np.random.default_rng(0)
    patient = np.repeat(np.arange(n_patients), 3)
    images = binary_units(patient % 3 != 0, random.random(len(patient)), patient)
    metrics = {"calibration": assess_calibration(images, images, 7), "image": {"n": 9, "n_patients": 3}}
    card = run_info.model_info | {
        "model": "a_network_with_a_name_that_is_long",
        "weights": "a/long_file_of_weights_notop.h5",
    }
    units = of_levels(images)
    long = replace(run_info, metrics=metrics, model_info=card)
    check_layout(draw_reliability(reliability_tables(units, long), units, long))
