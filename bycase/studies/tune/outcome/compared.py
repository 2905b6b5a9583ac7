"""Ways to search, compared at the same budget on the same patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bycase.statistics.comparison.verdict import holm
from bycase.statistics.units import Floats, Integers
from bycase.studies.tune.outcome.nested import (
    Nested,
    describe_difference,
    mean,
    name_patients,
    optimism_of,
    outer_rows,
    score_repeats,
    score_ways,
)
from bycase.studies.tune.outcome.progress import at_spent, best_so_far
from bycase.studies.tune.outcome.searches import DEFAULT, Search

Cells = Mapping[tuple[str, int], Sequence[Search]]  # by way and seed: the searches of all outer folds

REFERENCES = (DEFAULT, "random")  # what the others are compared with
POINTS = 400  # of a curve, at most


@dataclass(frozen=True)
class Compared:
    """What came out.

    Attributes
    ----------
    about : dict
        ``about.json`` of any cell.
    ways : list of str
        In the order asked for.
    seeds : list of int
        Likewise.
    summary : dict
        The content of ``metrics/tuning_methods.json``; see `compare_cells`.
    spent : ndarray of shape (n_points,), int64
        Epochs spent in a search.
    curves : dict of str to ndarray of shape (n_seeds, n_points), float64
        Best inner score by then, mean over the outer folds; NaN before every search has one.
    """

    about: dict[str, Any]
    ways: list[str]
    seeds: list[int]
    summary: dict[str, Any]
    spent: Integers
    curves: dict[str, Floats]


def compare_cells(cells: Cells, manifest: pd.DataFrame, resamples: int, seed: int) -> Compared:
    """Score all ways over all seeds, and test each against the default settings and against random search.

    Parameters
    ----------
    cells : mapping of (str, int) to sequence of Search
        All ways with all seeds.
    manifest : DataFrame with the columns ``image``, ``group``
        Says whose the images are.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        Of the resamples.

    Returns
    -------
    Compared
        Its ``summary``: ``seeds``, ``n_images``, ``n_patients``; ``methods``, of each way its ``outer`` score (with
        interval, ``seeds`` and, of several, ``seed_sd``), ``inner`` score, ``optimism``, and ``epochs`` and ``seconds``
        of a search; ``against``, by reference and way: ``estimate``, ``ci``, ``p``, ``p_holm`` over all these tests,
        and ``seed_sd``.

    Raises
    ------
    UserError
        If not all cells have predicted the same images.
    """
    ways, seeds = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    about = next(iter(cells.values()))[0].about
    nested = score_ways(_rows(cells, seeds, manifest), about, resamples, seed)
    of_seeds = {way: score_repeats(nested, way) for way in ways}
    methods = {way: _describe_way(nested, way, [cells[way, seed] for seed in seeds], of_seeds[way]) for way in ways}
    for of_way in methods.values():
        of_way["outer"]["seeds"] = dict(zip(map(str, seeds), of_way["outer"]["seeds"].values(), strict=True))
    repeated = len(set(zip(nested.paired.repeat, nested.paired.names, strict=True))) // len(seeds)
    summary = {
        "seeds": len(seeds),
        "n_images": repeated,
        "n_patients": nested.paired.n_patients,
        "methods": methods,
        "against": _against(nested, ways, of_seeds),
    }
    spent, curves = make_curves(cells, ways, seeds)
    return Compared(about, ways, seeds, summary, spent, curves)


def make_curves(cells: Cells, ways: Sequence[str], seeds: Sequence[int]) -> tuple[Integers, dict[str, Floats]]:
    """The best inner score by epochs spent, mean over the outer folds; see `Compared`."""
    best = {key: [best_so_far(search.epochs) for search in searches] for key, searches in cells.items()}
    longest = max(search.about["epochs_spent"] for searches in cells.values() for search in searches)
    spent = np.unique(np.linspace(1, longest, min(longest, POINTS)).round().astype(np.int64))
    curves = {
        way: np.stack([np.mean([at_spent(of, spent) for of in best[way, seed]], axis=0) for seed in seeds])
        for way in ways
    }
    return spent, curves


def _rows(cells: Cells, seeds: Sequence[int], manifest: pd.DataFrame) -> pd.DataFrame:
    """All predictions in the benchmark's layout, a seed as a repeat."""
    tables, patients = [], None
    for (way, seed), searches in cells.items():
        predictions = {int(search.outer): search.predictions for search in searches if search.predictions is not None}
        patients = patients or name_patients(predictions, manifest, searches[0].about["classes"])
        tables.append(outer_rows(way, seeds.index(seed), predictions, patients))
    return pd.concat(tables, ignore_index=True)


def _describe_way(
    nested: Nested, way: str, of_seeds: Sequence[Sequence[Search]], scores: Mapping[int, float]
) -> dict[str, Any]:
    searches = [search for of_seed in of_seeds for search in of_seed]
    inner, limits = mean(search.score for search in searches), nested.limits[way]
    outer: dict[str, Any] = {"score": nested.scores[way], "ci": limits, "seeds": dict(scores)}
    return {
        "outer": outer | _spread(list(scores.values()), "seed_sd"),
        "inner": inner,
        "optimism": optimism_of(inner, nested.scores[way], limits),
        "epochs": mean(search.about["epochs_spent"] for search in searches),
        "seconds": mean(search.about["seconds"] for search in searches),
    }


def _against(nested: Nested, ways: Sequence[str], of_seeds: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    """Each way against each reference; random search is tested against the default settings only, not the reverse."""
    pairs = [
        (reference, way)
        for number, reference in enumerate(REFERENCES)
        if reference in ways
        for way in ways
        if way not in REFERENCES[: number + 1]
    ]
    found = {pair: describe_difference(nested.difference(pair[1], pair[0])) for pair in pairs}
    adjusted = holm([of["p"] for of in found.values()])
    against: dict[str, Any] = {}
    for (reference, way), p in zip(pairs, adjusted, strict=True):
        by_seed = [of_seeds[way][each] - of_seeds[reference][each] for each in of_seeds[way]]
        described = found[reference, way] | {"p_holm": p} | _spread(by_seed, "seed_sd")
        against.setdefault(reference, {})[way] = described
    return against


def _spread(values: Sequence[float], key: str) -> dict[str, float]:
    """The standard deviation over seeds; nothing with a single one."""
    return {key: float(np.std(values, ddof=1))} if len(values) > 1 else {}
