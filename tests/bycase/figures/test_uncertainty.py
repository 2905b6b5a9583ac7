from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bycase.figures.run_info import RunInfo
from bycase.figures.uncertainty import draw_uncertainty
from bycase.statistics.conformal import make_sets
from bycase.statistics.uncertainty.members import combine_members
from bycase.statistics.uncertainty.summary import summarise, tabulate_risk
from bycase.statistics.uncertainty.table import METHODS, add_sets, make_table
from bycase.tables.manifest import patients_note
from tests.fixtures.layout import check_layout
from tests.fixtures.units import class_units

CLASSES = ["a", "b", "c"]


@pytest.mark.parametrize(("n_patients", "model"), [(3, "tiny"), (60, "efficientnetlite")])
def test_the_figure_says_what_it_shows_and_stays_inside(run_info: RunInfo, n_patients: int, model: str) -> None:
    random = np.random.default_rng(0)
    patient = np.repeat(np.arange(n_patients), 4)
    truth = patient % 3
    scores = random.dirichlet([1, 1, 1], len(truth)) / 2 + np.eye(3)[truth] / 2
    part = pd.DataFrame(
        {"image": np.arange(len(truth)).astype(str), "group": "x", "label": np.array(list("abc"))[truth]}
    )
    combined = dict.fromkeys(METHODS, combine_members(scores[None]))
    sets = {"image": make_sets(scores, 0.5), "patient": make_sets(scores, 0.7)}
    table = add_sets(make_table(part, combined, None, CLASSES), sets, CLASSES)
    content = summarise(table, CLASSES, None, patient, None, 0.9, 100, 7)
    weights = {"model": model, "weights": "folder/efficientnet_weights_notop.h5"}
    known = replace(run_info, model_info=run_info.model_info | weights)
    images = class_units(truth, scores, patient)
    figure = draw_uncertainty(content, tabulate_risk(table, CLASSES, patient, None, 7), sets, images, known)
    check_layout(figure)
    assert "phantom" in figure.texts[1].get_text()
    assert f"{100 * content['conformal']['patient']['patient_coverage']:.1f} %" in figure.texts[0].get_text()
    unknown = content | patients_note(False)
    alone = draw_uncertainty(unknown, tabulate_risk(table, CLASSES, patient, None, 7), sets, images, known)
    check_layout(alone)
    assert f"{100 * content['conformal']['image']['coverage']:.1f} % of all images" in alone.texts[0].get_text()
    assert len(alone.axes) == 1
    assert not any("patient" in text.get_text().replace("patients unknown", "") for text in alone.texts)
    upper, lower = figure.axes
    shown = [text.get_text() for text in upper.get_legend().get_texts()]
    assert all(
        f"{content['selective'][method]['aurc']:.3f}" in words for method, words in zip(METHODS, shown, strict=False)
    )
    covered = sets["patient"][np.arange(len(truth)), truth]
    drawn = np.sort(lower.patches[1].get_data().values)
    np.testing.assert_allclose(drawn, np.sort(pd.Series(covered).groupby(patient).mean()))
