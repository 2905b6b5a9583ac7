"""The three figures of the stage, with what they say of themselves."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stages.common.figures import data_words
from stages.evaluate.units import Integers
from stages.explain.attention import ATTENTION
from stages.explain.every_map import EveryMap
from stages.explain.figure_deletion import compare_words, draw_deletion
from stages.explain.figure_examples import Row, draw_examples
from stages.explain.figure_sanity import draw_sanity
from stages.explain.sanity import judge
from stages.explain.score import Scores
from stages.restructure.pixels import read_pixels
from stages.train.record import network_words


def make_rows(test: pd.DataFrame, shown: Mapping[str, Integers], explain: EveryMap, method: str) -> list[Row]:
    """Read and explain the images of each row of ``plots/explanations.png``.

    Parameters
    ----------
    test : DataFrame
        Of `stages.explain.part.call_classes`.
    shown : mapping of str to ndarray of int64
        Positions in `test` by heading; see `stages.explain.examples.choose_shown`.
    explain : callable
        See `stages.explain.every_map.make_every_map`.
    method : str
        Which maps are drawn, beside those of attention where there are any.
    """
    rows = []
    for heading, positions in shown.items():
        part = test.iloc[positions]
        if part.empty:
            continue
        pixels = read_pixels(part["image"].tolist())
        maps = explain(pixels, part["called"].to_numpy())
        drawn = {name: of for name, of in maps.items() if name in (method, ATTENTION)}
        right = (part["truth"] == part["called"]).to_numpy(bool)
        rows.append(Row(heading, pixels, drawn, part["explained"].tolist(), part["probability"].to_numpy(), right))
    return rows


def draw_all(
    content: Mapping[str, Any],
    scores: Scores,
    images: NDArray[np.uint8],
    patient: Integers,
    rows: list[Row],
    method: str,
    card: Mapping[str, Any],
) -> dict[str, Figure]:
    """Draw the figures, by the name of the file below ``plots/``.

    Parameters
    ----------
    content : mapping
        ``metrics/explain.json``.
    scores : Scores
        What is measured, by image.
    images : ndarray of shape (n, height, width, 3), uint8
        Those that were scored.
    patient : ndarray of shape (n,), int64
        Whose each is.
    rows : list of Row
        Of `make_rows`.
    method : str
        Whose numbers are in the titles.
    card : mapping
        ``models/model.json``.
    """
    of_data = f"{network_words(card)}; {data_words(card['dataset'], card['phantom'])}"
    subtitle = [of_data, f"{content['n']} test images of {content['n_patients']} patients, drawn at random"]
    verdict = f"Sanity check {judge(content['sanity'][method])}"
    cascade = scores.cascades[method]
    return {
        "explanations": draw_examples(rows, f"Deletion score: {compare_words(content, method)}", [of_data, verdict]),
        "explanation_sanity": draw_sanity(
            content, method, images[: cascade.shape[1]], cascade, scores.similarities, patient, subtitle, card["seed"]
        ),
        "deletion": draw_deletion(content, method, scores.orders, scores.curves, subtitle),
    }
