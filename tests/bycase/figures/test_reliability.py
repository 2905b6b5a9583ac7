from dataclasses import replace
from io import BytesIO
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bycase.figures.curve_tables import calibration_table
from bycase.figures.reliability import draw_reliability, reliability_tables
from bycase.figures.run_info import RunInfo
from bycase.statistics.calibration.assessment import assess_calibration
from bycase.statistics.calibration.temperature import apply_temperature
from bycase.statistics.units import Units, patient_units


def of_levels(images: Units) -> dict[str, Units]:
    return {"image": images, "patient": patient_units(images)}


def check_layout(figure: Figure) -> None:
    """Nothing leaves the figure, and neither title, note, legends nor labels cover one another."""
    figure.savefig(BytesIO())
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [axes.xaxis.label, axes.yaxis.label, axes.title]
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    assert not [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)]


def test_tables_are_of_the_plain_and_of_the_scaled_predictions(images: Units, run_info: RunInfo) -> None:
    tables = reliability_tables(of_levels(images), run_info, 7)
    pd.testing.assert_frame_equal(tables["image"]["before"], calibration_table(images.truth, images.scores, images, 7))
    for level, units in of_levels(images).items():
        calibration = run_info.metrics["calibration"]
        temperature = calibration["temperature"] if level == "image" else calibration["patient"]["temperature"]
        scaled = apply_temperature(units.scores, temperature)
        pd.testing.assert_frame_equal(tables[level]["after"], calibration_table(units.truth, scaled, units, 7))
        for name, table in tables[level].items():
            gap = (table["observed"] - table["predicted"]).abs()
            assert np.average(gap, weights=table["images"]) == pytest.approx(calibration[level][name]["ece"])


def test_the_figure_gives_both_errors_of_both_levels(images: Units, run_info: RunInfo) -> None:
    figure = draw_reliability(reliability_tables(of_levels(images), run_info, 7), of_levels(images), run_info)
    calibration = run_info.metrics["calibration"]
    for axes, level in zip(figure.axes, ("image", "patient"), strict=False):
        plain, scaled = (text.get_text() for text in axes.get_legend().get_texts())
        assert plain.startswith(f"plain: ECE {calibration[level]['before']['ece']:.3f} (")
        temperature = calibration["temperature"] if level == "image" else calibration["patient"]["temperature"]
        assert scaled.startswith(f"T {temperature:.2f}: ECE {calibration[level]['after']['ece']:.3f} (")
    assert "phantom" in figure.texts[1].get_text()
    assert f"{calibration['image']['before']['ece']:.3f}" in figure.texts[0].get_text()
    check_layout(figure)


@pytest.mark.parametrize("n_patients", [3, 40])
def test_few_or_many_patients_and_long_names_fit(run_info: RunInfo, n_patients: int) -> None:
    random = np.random.default_rng(0)
    patient = np.repeat(np.arange(n_patients), 3)
    images = Units(patient % 3 != 0, random.random(len(patient)), patient)
    metrics = {"calibration": assess_calibration(images, images, 100, 7), "image": {"n": 9, "n_patients": 3}}
    card = run_info.model_info | {
        "model": "a_network_with_a_name_that_is_long",
        "weights": "a/long_file_of_weights_notop.h5",
    }
    units = of_levels(images)
    long = replace(run_info, metrics=metrics, model_info=card)
    check_layout(draw_reliability(reliability_tables(units, long, 7), units, long))
