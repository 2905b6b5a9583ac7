from io import BytesIO

import pytest

from bycase.figures.reliability import draw_reliability, reliability_tables
from bycase.figures.run_info import RunInfo
from bycase.statistics.multiclass.units import ClassUnits, patient_class_units


def test_calibration_is_of_the_predicted_class(class_images: ClassUnits, class_run_info: RunInfo) -> None:
    units = {"image": class_images, "patient": patient_class_units(class_images)}
    tables = reliability_tables(units, class_run_info, 7)
    figure = draw_reliability(tables, units, class_run_info)
    assert {axes.get_xlabel() for axes in figure.axes[2:]} == {"probability of the predicted class"}
    figure.savefig(BytesIO())
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= 0
    assert (box.x1, box.y1) <= (width, height)
    for level, of in units.items():
        for table in tables[level].values():
            share = (table["observed"] * table["images"]).sum() / len(of.truth)
            assert share == pytest.approx(of.right.mean())
