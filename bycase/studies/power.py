"""`bycase power PREDICTIONS.csv`: what a power calculation has to assume, measured on predictions of several networks.

The file is a benchmark's data/benchmark/predictions.csv, or the predictions.csv.gz that is kept of it below results/.
Printed are the resolution and the correlations of every pair of networks, and the lines for the section power of
params.yaml: accuracy and AUC are medians over the networks; of the correlations, optimistic and pessimistic are those
of the pairs with the smallest and the largest standard error of the difference, middle the median over the pairs.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.wording import DASH, hundredths, tenths

CORRELATIONS = ("model_correlation", "patient_correlation")
HEADER = ("points", "models", "patient")


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        prog="bycase power", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "predictions", type=Path, metavar="PREDICTIONS", help="out-of-fold predictions of two networks or more"
    )
    parser.add_argument(
        "--positive", help="of two classes the one that is looked for; by default as in about.json beside it"
    )
    parser.add_argument("--alpha", type=float, default=0.05, help="of a two-sided test (default 0.05)")
    parser.add_argument("--power", type=float, default=0.8, help="chance to find the difference (default 0.8)")
    options = parser.parse_args(arguments)
    for name in ("alpha", "power"):
        if not 0 < getattr(options, name) < 1:
            parser.error(f"--{name}: {getattr(options, name):g} is not between 0 and 1")
    from bycase.statistics.comparison.correlations import measure_resolution
    from bycase.statistics.comparison.paired import paired_benchmark
    from bycase.tables.out_of_fold import read_out_of_fold

    classes, positive = read_classes(options.predictions, options.positive)
    predictions = read_out_of_fold(classes, options.predictions)
    if predictions["model"].nunique() < 2:
        raise UserError(f"{options.predictions}: one network only; correlations are between two networks")
    paired = paired_benchmark(predictions, classes, positive, options.predictions)
    sys.stdout.write(describe(measure_resolution(paired, options.alpha, options.power)))


def read_classes(path: Path, positive: str | None) -> tuple[list[str], str | None]:
    """The classes that a file has probabilities of, and the positive one of two.

    Raises
    ------
    UserError
        If the file is missing, or it is not known which of two classes is the positive one.
    """
    from bycase.tables.out_of_fold import ABOUT, COLUMNS
    from bycase.tables.results import read_results, read_table

    classes = [column for column in read_table(path, "benchmark/dvc.yaml").columns if column not in COLUMNS]
    beside = path.with_name(ABOUT.name)
    if positive is None and beside.is_file():
        positive = read_results(beside, "benchmark/dvc.yaml:gather").get("positive")
    if len(classes) == 2 and positive not in classes:
        raise UserError(f"{path}: say which class is looked for: --positive {' or '.join(classes)}")
    return classes, positive


def describe(measured: dict[str, Any]) -> str:
    """The pairs as a table, and the section of params.yaml; see `bycase.statistics.comparison.correlations`."""
    from bycase.statistics.power.resolution import METRICS, SCENARIOS

    width = max([len(_name(pair)) for pair in measured["pairs"]])
    lines = [
        f"Smallest difference found with a power of {measured['power']:.0%} (two-sided, alpha {measured['alpha']:g}), "
        "in points, and its correlations between models and between images of one patient",
        f"{'':{width}}{'accuracy':>27}{'AUC':>27}",
        f"{'':{width}}" + "".join(f"{name:>9}" for name in HEADER * 2),
    ]
    for pair in measured["pairs"]:
        cells = [cell for metric in METRICS for cell in _cells(pair.get(metric))]
        lines.append(f"{_name(pair):{width}}" + "".join(f"{cell:>9}" for cell in cells))
    if not all(measured["scenarios"].values()):
        return (
            "\n".join([*lines, "", "The networks do not differ between patients, so that nothing can be assumed."])
            + "\n"
        )
    lines += ["", "power:", f"  accuracy: {measured['accuracy']:.2f}", f"  auc: {measured['auc']:.2f}"]
    for key in CORRELATIONS:
        lines.append(f"  {key}:")
        for metric in METRICS:
            values = [measured["scenarios"][metric][name][key] for name in SCENARIOS]
            # A pair may have a small error for either reason; params.yaml wants each correlation in order.
            ordered = sorted((max(value, 0.0) for value in values), reverse=key == CORRELATIONS[0])
            lines.append(f"    {metric}: [{', '.join(f'{round(value, 2):g}' for value in ordered)}]")
    lines += [f"  {name}: {measured[name]:g}" for name in ("alpha", "power")]
    return "\n".join(lines) + "\n"


def _name(pair: dict[str, Any]) -> str:
    return f"{pair['first']} against {pair['second']}"


def _cells(found: dict[str, float] | None) -> list[str]:
    if found is None:
        return [DASH] * len(HEADER)
    return [tenths(found["points"]), *(hundredths(found[key]) for key in CORRELATIONS)]
