"""Ways to search, compared at the same budget on the same patients: numbers, sentences and a Markdown table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.wording import (
    clusters_of,
    decimals,
    markdown_table,
    p_equals,
    plural,
    sample_words,
    share,
    value_with_interval,
)
from bycase.figures.style import data_words
from bycase.statistics.comparison.verdict import holm
from bycase.statistics.units import Floats, Integers
from bycase.studies.tune.outcome.history import at_spent, best_so_far
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
from bycase.studies.tune.outcome.searches import Search
from bycase.studies.tune.outcome.summary import monitor_words, signed
from bycase.studies.tune.place import DEFAULT
from bycase.tables.manifest import patients_note

Cells = Mapping[tuple[str, int], Sequence[Search]]  # by way and seed: the searches of all outer folds

REFERENCES = {DEFAULT: "the default settings", "random": "random search"}  # what the others are compared with
ALPHA = 0.05
NONE = "—"
POINTS = 400  # of a curve, at most


@dataclass(frozen=True)
class Compared:
    """What came out.

    Attributes
    ----------
    about : dict
        ``about.json`` of any cell.
    ways, seeds : list
        In the order asked for.
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


def compare_cells(cells: Cells, manifest: pd.DataFrame, resamples: int, seed: int, patients_known: bool) -> Compared:
    """Score all ways over all seeds, and test each against the default settings and against random search.

    Parameters
    ----------
    cells : mapping of (str, int) to sequence of Search
        All ways with all seeds.
    manifest : DataFrame with the columns ``image``, ``group``
        Says whose the images are.
    resamples, seed : int
        Of the bootstrap over patients.
    patients_known : bool
        Whether anything names them.

    Returns
    -------
    Compared
        Its ``summary``: ``seeds``, ``n_images``, ``n_patients``; ``methods``, of each way its ``outer`` score (with
        interval, ``seeds`` and, of several, ``seed_sd``), ``inner`` score, ``optimism``, and ``epochs`` and ``seconds``
        of a search; ``against``, by reference and way: ``estimate``, ``ci``, ``p``, ``p_holm`` over all these tests,
        and ``seed_sd``; and a ``note`` where patients are unknown.

    Raises
    ------
    UserError
        If not all cells have predicted the same images.
    """
    ways, seeds = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    about = next(iter(cells.values()))[0].about
    nested = score_ways(_rows(cells, seeds, manifest), about, resamples, seed)
    by_seed = {way: dict(zip(seeds, score_repeats(nested, way).values(), strict=True)) for way in ways}
    predicted = set(zip(nested.paired.repeat, nested.paired.names, strict=True))
    summary = {
        "seeds": len(seeds),
        "n_images": len(predicted) // len(seeds),
        "n_patients": nested.paired.n_patients,
        "methods": {way: _describe_way(nested, way, cells, by_seed[way]) for way in ways},
        "against": _against(nested, ways, by_seed),
    } | patients_note(patients_known)
    return Compared(about, ways, seeds, summary, *make_curves(cells, ways, seeds))


def make_curves(cells: Cells, ways: Sequence[str], seeds: Sequence[int]) -> tuple[Integers, dict[str, Floats]]:
    """The best inner score by epochs spent, mean over the outer folds; see `Compared`."""
    best = {key: [best_so_far(search.epochs) for search in searches] for key, searches in cells.items()}
    longest = max(search.about["epochs_spent"] for searches in cells.values() for search in searches)
    spent = np.unique(np.linspace(1, longest, min(longest, POINTS)).round().astype(np.int64))
    curves = {
        way: np.stack([np.mean([at_spent(each, spent) for each in best[way, seed]], axis=0) for seed in seeds])
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


def _describe_way(nested: Nested, way: str, cells: Cells, scores: Mapping[int, float]) -> dict[str, Any]:
    searches = [search for seed in scores for search in cells[way, seed]]
    inner, limits = mean(search.score for search in searches), nested.limits[way]
    outer = {"score": nested.scores[way], "ci": limits, "seeds": {str(seed): score for seed, score in scores.items()}}
    return {
        "outer": outer | _spread(list(scores.values())),
        "inner": inner,
        "optimism": optimism_of(
            nested, way, [s.inner for s in searches if s.inner is not None], [s.score for s in searches]
        ),
        "epochs": mean(search.about["epochs_spent"] for search in searches),
        "seconds": mean(search.about["seconds"] for search in searches),
    }


def _against(nested: Nested, ways: Sequence[str], by_seed: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    """Each way against each reference; random search is tested against the default settings only, not the reverse."""
    pairs = [
        (reference, way)
        for number, reference in enumerate(REFERENCES)
        if reference in ways
        for way in ways
        if way not in list(REFERENCES)[: number + 1]
    ]
    tests = [describe_difference(nested.difference(way, reference)) for reference, way in pairs]
    against: dict[str, Any] = {}
    for (reference, way), test, p in zip(pairs, tests, holm([test["p"] for test in tests]), strict=True):
        gains = [by_seed[way][seed] - by_seed[reference][seed] for seed in by_seed[way]]
        against.setdefault(reference, {})[way] = test | {"p_holm": p} | _spread(gains)
    return against


def _spread(values: Sequence[float]) -> dict[str, float]:
    """The standard deviation over seeds; nothing with a single one."""
    return {"seed_sd": float(np.std(values, ddof=1))} if len(values) > 1 else {}


def methods_sentences(compared: Compared) -> list[str]:
    """Of each way whether it helps against the default settings, and whether it is better than random search."""
    return [
        _sentence(compared, way, reference, gain)
        for reference, gains in compared.summary["against"].items()
        for way, gain in gains.items()
    ]


def _sentence(compared: Compared, way: str, reference: str, gain: Mapping[str, Any]) -> str:
    methods, metric, than = compared.summary["methods"], monitor_words(compared.about["monitor"]), REFERENCES[reference]
    one, other = (decimals(methods[name]["outer"]["score"]) for name in (way, reference))
    if gain["p_holm"] < ALPHA:
        verdict, doubt = f"is {'better' if gain['estimate'] > 0 else 'worse'} than {than}", ""
    else:
        verdict = f"is not shown to {'help against' if reference == DEFAULT else 'be better than'} {than}"
        inside = gain["ci"]["low"] <= 0 <= gain["ci"]["high"]
        doubt = "includes 0" if inside else "leaves out 0, but not after adjusting for all tests"
        doubt = f", the interval {doubt}: no gain shown"
    spread = ""
    if "seed_sd" in gain:
        spread = f"; over seeds the gain has a standard deviation of {decimals(gain['seed_sd'])}"
    return (
        f"{way} {verdict}: outer {metric} {one} against {other}, gain {signed(gain)}, "
        f"Holm-adjusted {p_equals(gain['p_holm'])}{doubt}{spread}"
    )


def methods_markdown(compared: Compared, sentences: Sequence[str]) -> str:
    """A table with a row a way, then the sentences, then what the numbers leave out."""
    about, summary, units = compared.about, compared.summary, clusters_of(compared.summary)
    metric, references = monitor_words(about["monitor"]), list(summary["against"])
    header = ["method", f"outer {metric}", "SD over seeds", f"inner {metric}", "optimism"]
    header += [f"gain over {REFERENCES[reference]}" for reference in references]
    header += ["epochs a search", "minutes a search"]
    rows = [_row(compared, way, references) for way in compared.ways]
    tests = sum(len(gains) for gains in summary["against"].values())
    data = data_words(about["dataset"], about["phantom"])
    caption = (
        f"{about['model']} on {data}; {sample_words(summary['n_images'], summary)}, each predicted "
        f"by networks whose search has not seen the {units[:-1]}; {plural(summary['seeds'], 'seed')}. In brackets 95 % "
        f"intervals over {units}, all seeds together."
    )
    notes = [
        f"P-values are adjusted by Holm's procedure over {plural(tests, 'test')}, at alpha {ALPHA:g}.",
        "Folds are the same for all seeds: the spread over seeds is that of the search and of training.",
        f"Optimism is paired: {units} that are easy in the inner folds are easy in the outer ones.",
    ]
    lists = ["\n".join(f"- {line}" for line in lines) for lines in (sentences, notes) if lines]
    return "\n\n".join([markdown_table(header, rows), caption, *lists]) + "\n"


def _row(compared: Compared, way: str, references: Sequence[str]) -> list[str]:
    method, against = compared.summary["methods"][way], compared.summary["against"]
    outer, gains = method["outer"], [against[reference].get(way) for reference in references]
    return [
        way,
        value_with_interval(outer["score"], outer["ci"]),
        share(outer["seed_sd"]) if "seed_sd" in outer else NONE,
        share(method["inner"]),
        share(method["optimism"]["estimate"]),
        *(f"{signed(gain)}, {p_equals(gain['p_holm'])}" if gain else NONE for gain in gains),
        f"{method['epochs']:.0f}",
        f"{method['seconds'] / 60:.1f}",
    ]
