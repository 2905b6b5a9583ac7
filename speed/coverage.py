"""`python -m speed.coverage`: how often 95 % intervals hold the truth, and how often tests find what is not there.

Simulated patients of 5 to 35 images, as many of either class as stated, whose scores have an effect of the class, of
the patient and of the image; scores of one patient correlate by 0.5. For the tests two networks of the same skill,
whose effects correlate by 0.5 between them; for equivalence two that differ by the margin; for intervals that hold for
all pairs together four, two of them alike; for trainings four of the same skill, each trained three times, which moves
an AUC of 0.85 by 0.02 (standard deviation). `--quick` draws 1,000 data sets a row instead of 4,000; `--csv FILE` writes
the table to a file. The Monte Carlo error of a coverage of 95 % is 0.7 points, or 0.35.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.comparison.differences import (
    Difference,
    confidence_interval,
    measure_differences,
    p_not_equivalent,
    p_two_sided,
    simultaneous_interval,
)
from bycase.statistics.comparison.mcnemar import clustered_p, exact_by_patient
from bycase.statistics.comparison.paired import Paired, patient_level
from bycase.statistics.comparison.resampling import values_of_repeats
from bycase.statistics.comparison.verdict import holm
from bycase.statistics.influence import METRICS
from bycase.statistics.intervals import metric_interval
from bycase.statistics.metric_names import metric_words
from bycase.statistics.metrics import point_metrics, weighted_metrics
from bycase.statistics.units import Floats, Units, patient_units, predict_classes

SEED = 7
QUICK, FULL = 1000, 4000
RESAMPLES = 400  # of metrics without a closed form
CORRELATION = 0.5
FEWEST_IMAGES, MOST_IMAGES = 5, 35
ALPHA, MARGIN = 0.05, 0.05
MANY = 40_000  # patients, for the truth
SIZES = ((7, 3), (14, 6), (28, 12), (57, 25))
RARE = (37, 3)
TESTED = (*SIZES[:3], RARE)
CLUSTERED, EXACT, EQUIVALENT = "McNemar, clustered", "McNemar, by patient", "equivalence of AUC"
ALONE = "difference of AUC, images as patients"  # what clustering is for
AUCS = dict.fromkeys((EQUIVALENT, ALONE), "auc")  # tests of AUCs
ALL_PAIRS = "differences of AUC, all six pairs at once"
TRAINED, ONE_TRAINING = "difference of AUC, three trainings", "difference of AUC, trainings taken as fixed"
SEVERAL = (ALL_PAIRS, TRAINED, ONE_TRAINING)
FOUR = (0.05, 0.0, 0.0, -0.05)  # AUC of four networks, less the row's
TRAININGS = 3
SPREAD = 0.085  # between trainings, of the normal quantile of the AUC


@dataclass(frozen=True)
class Row:
    """What is simulated: a metric, or with `test` the difference between two networks.

    Attributes
    ----------
    metric : str
        A key of ``metrics.json``, or one of the tests' names above.
    positive, negative : int
        Patients of each class.
    auc : float
        Of images, true.
    level : str
        ``image`` or ``patient``.
    test : bool
        Whether two networks are compared.
    """

    metric: str
    positive: int
    negative: int
    auc: float
    level: str = "image"
    test: bool = False

    @property
    def words(self) -> str:
        """What the table calls it."""
        words = f"{metric_words(self.metric)} by {self.level}"
        if self.metric in (CLUSTERED, EXACT, *AUCS, *SEVERAL):
            return self.metric
        return f"difference of {words}" if self.test else words


ROWS = [
    *(Row("auc", *sizes, auc) for sizes in SIZES for auc in (0.75, 0.9)),
    Row("auc", 9, 4, 0.97),
    Row("auc", *RARE, 0.9),
    Row("auc", 28, 12, 0.9, "patient"),
    *(Row("accuracy", *sizes, 0.9) for sizes in SIZES),
    Row("accuracy", 9, 4, 0.97),
    Row("accuracy", 14, 6, 0.73, "patient"),
    *(Row("balanced_accuracy", *sizes, 0.9) for sizes in (*TESTED, (9, 4))),
    *(Row(metric, 28, 12, 0.9) for metric in ("sensitivity", "specificity", "precision")),
    *(Row(metric, *sizes, 0.9) for metric in ("brier", "log_loss") for sizes in SIZES[::2]),
    *(Row(metric, *sizes, 0.9) for metric in ("average_precision", "macro_f1") for sizes in TESTED[1:]),
]
TESTS = [
    *(Row(metric, *sizes, 0.85, test=True) for metric in ("auc", "accuracy", "balanced_accuracy") for sizes in TESTED),
    *(Row(metric, *sizes, 0.85, test=True) for metric in ("average_precision", "macro_f1") for sizes in TESTED),
    *(Row(metric, *sizes, 0.8, "patient", test=True) for metric in ("auc", "accuracy") for sizes in TESTED),
    *(Row(test, *sizes, 0.8, test=True) for test in (CLUSTERED, EXACT, EQUIVALENT, ALONE) for sizes in TESTED),
    *(Row(test, *sizes, 0.85, test=True) for test in SEVERAL for sizes in TESTED[1:]),
]


def draw_scores(positive: int, negative: int, aucs: Sequence[float], random: np.random.Generator) -> Paired:
    """Networks of these true AUCs of images, on the same images; of two, effects correlate by `CORRELATION`."""
    n = positive + negative
    patient = np.repeat(np.arange(n), random.integers(FEWEST_IMAGES, MOST_IMAGES + 1, n))
    truth = (patient < positive).astype(np.int64)
    effects = [_correlated(len(aucs), size, random) for size in (n, len(patient))]
    noise = np.sqrt(CORRELATION) * effects[0][:, patient] + np.sqrt(1 - CORRELATION) * effects[1]
    skill = np.sqrt(2) * norm.ppf(aucs)[:, None]
    probability = norm.cdf(skill * (truth - 0.5) + noise)
    scores = np.stack([1 - probability, probability], axis=2)
    return Paired(
        models=tuple("abcdefghijkl"[: len(aucs)]),
        classes=("negative", "positive"),
        positive=1,
        patients=np.arange(n).astype(str),
        names=np.arange(len(patient)).astype(str),
        truth=truth,
        scores=scores,
        predicted=predict_classes(scores, 1),
        patient=patient,
        fold=np.zeros(len(patient), np.int64),
        repeat=np.zeros(len(patient), np.int64),
        patient_threshold=np.full((len(aucs), len(patient)), 0.5),
    )


def _correlated(networks: int, size: int, random: np.random.Generator) -> Floats:
    shared, own = random.normal(size=size), random.normal(size=(networks, size))
    return own if networks == 1 else np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own


def draw_units(row: Row, positive: int, negative: int, random: np.random.Generator) -> Units:
    """One network's images, or patients."""
    images = draw_scores(positive, negative, [row.auc], random).units(0)
    return patient_units(images) if row.level == "patient" else images


def find_truth(row: Row) -> float:
    """The metric of very many patients, of whom the same share is positive; of images the AUC is what was asked for."""
    if (row.metric, row.level) == ("auc", "image"):
        return row.auc
    return _metrics_of_many(row.auc, row.level, round(MANY * row.positive / (row.positive + row.negative)))[row.metric]


@cache
def _metrics_of_many(auc: float, level: str, positive: int) -> dict[str, float]:
    random = generator(SEED, "coverage", "truth")
    return point_metrics(draw_units(Row("", 0, 0, auc, level), positive, MANY - positive, random))


def measure(row: Row, draws: int) -> dict[str, float | int | str]:
    """Simulate one row of the table."""
    random = generator(SEED, "coverage", *map(str, (row.words, row.positive, row.negative, row.auc)))
    sizes = {"patients": row.positive + row.negative, "rarer": min(row.positive, row.negative)}
    if row.test:
        return {"metric": row.words, **sizes, **_measure_test(row, draws, random)}
    truth = find_truth(row)
    covered, widths = 0, []
    for _ in range(draws):
        units = draw_units(row, row.positive, row.negative, random)
        estimate, values = 0.0, None
        if row.metric not in METRICS:
            estimate = float(point_metrics(units)[row.metric])
            values = bootstrap(units, partial(weighted_metrics, units), RESAMPLES, random)[row.metric]
        ends = metric_interval(row.metric, estimate, values, units)
        covered += ends["low"] <= truth <= ends["high"]
        widths.append(ends["high"] - ends["low"])
    intervals = {"coverage": covered / draws, "width": float(np.mean(widths))}
    return {"metric": row.words, **sizes, "truth": truth, **intervals}


def _measure_test(row: Row, draws: int, random: np.random.Generator) -> dict[str, float]:
    """How often a difference that is not there is found, or equivalence of what differs by the margin."""
    if row.metric in SEVERAL:
        return _measure_several(row, draws, random)
    truth = MARGIN if row.metric == EQUIVALENT else 0.0
    aucs, claimed, covered, widths = [row.auc + truth, row.auc], 0, 0, []
    for _ in range(draws):
        paired = draw_scores(row.positive, row.negative, aucs, random)
        if row.metric in (CLUSTERED, EXACT):
            claimed += _mcnemar(row, paired) < ALPHA
            continue
        level = patient_level(paired) if row.level == "patient" else paired
        if row.metric == ALONE:
            every = np.arange(len(paired.patient))
            level = replace(paired, patient=every, patients=every.astype(str))
        difference = _difference(AUCS.get(row.metric, row.metric), level, random)
        ends = confidence_interval(difference)
        p = p_not_equivalent(difference, MARGIN) if row.metric == EQUIVALENT else p_two_sided(difference)
        claimed += p < ALPHA
        covered += ends["low"] <= truth <= ends["high"]
        widths.append(ends["high"] - ends["low"])
    intervals = {"coverage": covered / draws, "width": float(np.mean(widths))} if widths else {}
    return {"truth": truth, **intervals, "type_one": claimed / draws}


def _measure_several(row: Row, draws: int, random: np.random.Generator) -> dict[str, float]:
    """Of four networks: how often all intervals hold at once, or how often a pair of trained ones is told apart."""
    numbers = list(combinations(range(len(FOUR)), 2)) if row.metric == ALL_PAIRS else [(0, 1)]
    truths = [FOUR[i] - FOUR[j] if row.metric == ALL_PAIRS else 0.0 for i, j in numbers]
    covered, claimed, widths = 0.0, 0.0, []
    for _ in range(draws):
        if row.metric == ALL_PAIRS:
            paired, trainings = draw_scores(row.positive, row.negative, [row.auc + by for by in FOUR], random), {}
        else:
            paired = draw_trainings(row, random)
            trainings = values_of_repeats(paired) if row.metric == TRAINED else {}
        of_auc = {"auc": trainings["auc"]} if trainings else {}
        found = list(measure_differences(paired, ["auc"], numbers, RESAMPLES, random, of_auc)["auc"].values())
        p_values = [p_two_sided(each) for each in found]
        if row.metric == ALL_PAIRS:
            adjusted = holm(p_values)
            ends = [
                simultaneous_interval(each, ALPHA, len(numbers), p) for each, p in zip(found, adjusted, strict=True)
            ]
            held = [each["low"] <= truth <= each["high"] for each, truth in zip(ends, truths, strict=True)]
            covered += all(held)
            claimed += any(p < ALPHA and truth == 0 for p, truth in zip(adjusted, truths, strict=True))
        else:
            ends = [confidence_interval(each) for each in found]
            covered += float(np.mean([each["low"] <= 0 <= each["high"] for each in ends]))
            claimed += float(np.mean([p < ALPHA for p in p_values]))
        widths += [each["high"] - each["low"] for each in ends]
    return {"coverage": covered / draws, "width": float(np.mean(widths)), "type_one": claimed / draws}


def draw_trainings(row: Row, random: np.random.Generator) -> Paired:
    """Four networks of the same skill, trained `TRAININGS` times, on the same images."""
    quantiles = norm.ppf(row.auc) + SPREAD * random.normal(size=TRAININGS * len(FOUR))
    each = draw_scores(row.positive, row.negative, norm.cdf(quantiles), random)
    repeat = np.repeat(np.arange(TRAININGS), len(each.truth))
    scores = each.scores.reshape(len(FOUR), -1, len(each.classes))
    tile = partial(np.tile, reps=TRAININGS)
    return replace(
        each,
        models=tuple("abcd"),
        names=tile(each.names),
        truth=tile(each.truth),
        scores=scores,
        predicted=predict_classes(scores, 1),
        patient=tile(each.patient),
        fold=repeat,
        repeat=repeat,
        patient_threshold=np.full(scores.shape[:2], 0.5),
    )


def _difference(metric: str, paired: Paired, random: np.random.Generator) -> Difference:
    return measure_differences(paired, [metric], [(0, 1)], RESAMPLES, random)[metric][0, 1]


def _mcnemar(row: Row, paired: Paired) -> float:
    if row.metric == CLUSTERED:
        first, second = paired.right
        return clustered_p(first, second, paired.patient)
    patients = patient_level(paired)
    first, second = patients.right
    return exact_by_patient(first, second, patients.patient).p


def make_table(rows: Sequence[Row], draws: int) -> pd.DataFrame:
    """The columns ``metric``, ``patients``, ``rarer``, ``truth``, ``coverage``, ``width``, ``type_one``."""
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        table = pd.DataFrame(list(pool.map(partial(measure, draws=draws), rows)))
    columns = ["metric", "patients", "rarer", "truth", "coverage", "width", "type_one"]
    return table.reindex(columns=columns)


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it where asked to."""
    parser = argparse.ArgumentParser(prog="python -m speed.coverage", description="Coverage of intervals.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} data sets a row instead of {FULL:,}")
    parser.add_argument("--csv", type=Path, help="write the table to this file")
    options = parser.parse_args(arguments)
    table = make_table([*ROWS, *TESTS], QUICK if options.quick else FULL)
    shares = dict.fromkeys(("coverage", "type_one"), "{:.1%}".format)
    print(table.to_string(index=False, na_rep="", formatters=shares, float_format="{:.3f}".format))  # noqa: T201
    if options.csv:
        table.to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
