"""A metric against the number of training patients, each step tested on the same test patients."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pandas as pd

from bycase.core.seeding import generator
from bycase.statistics.comparison.differences import confidence_interval, measure_differences
from bycase.statistics.comparison.paired import paired_benchmark, patient_level
from bycase.statistics.comparison.resampling import assess_network

STEP = ("from_patients", "gain", "gain_low", "gain_high")


def measure_label_efficiency(
    predictions: Mapping[int, pd.DataFrame],
    classes: list[str],
    positive: str | None,
    metric: str,
    level: str,
    resamples: int,
    seed: int,
    name: Path,
) -> pd.DataFrame:
    """Score one network by the number of patients that it was trained on.

    Parameters
    ----------
    predictions : mapping of int to DataFrame
        By number of training patients, ascending, one network's out-of-fold predictions of the same images; see
        `bycase.tables.out_of_fold`.
    classes : list of str
        The probability columns.
    positive : str or None
        Of two classes, the one that is looked for.
    metric : str
        One of `bycase.statistics.comparison.resampling.metrics_of`.
    level : {'image', 'patient'}
        What the metric is of.
    resamples : int
        Of the bootstrap over patients, for metrics without a closed form.
    seed : int
        The pipeline's.
    name : Path
        Where the predictions are from, named in errors.

    Returns
    -------
    DataFrame
        A row a number: ``patients``; ``value`` with its 95 % interval over test patients, ``low`` and ``high``; from
        the second row on ``gain`` over ``from_patients``, the number before, with its interval on the same test
        patients, ``gain_low`` and ``gain_high``. What another draw of training patients would change is in no interval.
    """
    counts = list(predictions)
    table = pd.concat([rows.assign(model=str(count)) for count, rows in predictions.items()], ignore_index=True)
    images = paired_benchmark(table, classes, positive, name)
    units = images if level == "image" else patient_level(images)
    steps = [(later, earlier) for earlier, later in pairwise(range(len(counts)))]
    random = generator(seed, "label_efficiency", "bootstrap")
    differences = measure_differences(units, [metric], steps, resamples, random)[metric]
    rows = []
    for number, count in enumerate(counts):
        scores = assess_network(units, number, resamples, seed)
        row = {"patients": count, "value": scores[metric], **scores["ci"][metric]}
        if number:
            gain = differences[number, number - 1]
            limits = confidence_interval(gain)
            step = (counts[number - 1], gain.estimate, limits["low"], limits["high"])
            row |= dict(zip(STEP, step, strict=True))
        rows.append(row)
    return pd.DataFrame(rows, columns=["patients", "value", "low", "high", *STEP]).astype({"from_patients": "Int64"})
