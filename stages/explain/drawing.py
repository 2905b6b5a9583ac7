"""The three figures about the maps, with what they say of themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from stages.evaluate.units import Integers
from stages.explain.attention import ATTENTION
from stages.explain.every_map import EveryMap
from stages.explain.figure_deletion import compare_words, draw_deletion
from stages.explain.figure_examples import Row, draw_examples
from stages.explain.figure_sanity import draw_sanity
from stages.explain.material import Material
from stages.explain.sanity import judge
from stages.restructure.pixels import read_pixels


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


def draw_all(content: Mapping[str, Any], material: Material, subtitle: Sequence[str], seed: int) -> dict[str, Figure]:
    """Draw the figures, by the name of the file below ``plots/``.

    Parameters
    ----------
    content : mapping
        ``metrics/explain.json``.
    material : Material
        What they show.
    subtitle : sequence of str
        Of which network and data, and how they were split.
    seed : int
        The pipeline's seed.
    """
    method = material.method
    *head, last = subtitle
    scored = [*head, f"{last}; {content['n']} test images of {content['n_patients']} patients, drawn at random"]
    verdict = f"Sanity check {judge(content['sanity'][method])}"
    title = f"Deletion score: {compare_words(content, method)}"
    return {
        "explanations": draw_examples(material.rows, title, [*subtitle, verdict]),
        "explanation_sanity": draw_sanity(
            content, method, material.images, material.cascade, material.similarities, material.patient, scored, seed
        ),
        "deletion": draw_deletion(content, method, material.orders, material.curves, scored),
    }
