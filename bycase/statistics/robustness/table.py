"""`data/robustness/test.csv`: one row an image and condition; filled so that an interruption loses little."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.tables.predictions import check_predictions, make_predictions, read_predictions

RESULTS = Path("metrics/robustness.json")
ROBUSTNESS = Path("data/robustness/test.csv")
PARTIAL = Path("data/checkpoints/robustness")

NONE = "none"
CONDITION = ("corruption", "severity")
LARGEST_DIFFERENCE = 1e-3  # of a probability, between two machines


def list_conditions(corruptions: Sequence[str], severities: Sequence[int]) -> list[tuple[str, int]]:
    """The untouched images, then every corruption at every severity."""
    return [(NONE, 0), *((name, severity) for name in corruptions for severity in sorted(set(severities)))]


def fill_table(
    part: pd.DataFrame,
    conditions: Sequence[tuple[str, int]],
    predict: Callable[[str, int], NDArray[np.float64]],
    classes: Sequence[str],
    folder: Path,
) -> pd.DataFrame:
    """Predict the test part under every condition, but for those that `folder` already holds.

    Parameters
    ----------
    part : DataFrame with the columns ``image``, ``group``, ``label``
        One row a test image.
    conditions : sequence of (str, int)
        Corruptions and severities.
    predict : callable
        ``predict(corruption, severity)`` gives probabilities (n_images, n_classes), in the order of `part`.
    classes : sequence of str
        The probability columns' names.
    folder : Path
        One a fingerprint of all that the predictions depend on; gets one file a condition.

    Returns
    -------
    DataFrame with the columns `CONDITION`, ``image``, ``group``, ``label`` and one column a class
        In the order of `conditions`, then of images.
    """
    tables = []
    for name, severity in conditions:
        path = folder / f"{name}-{severity}.csv"
        if not path.is_file():
            write_csv(path, make_predictions(part, predict(name, severity), classes, path))
        tables.append(read_predictions(path, classes).assign(corruption=name, severity=severity))
    return pd.concat(tables, ignore_index=True)[[*CONDITION, "image", "group", "label", *classes]]


def remove_partial(folder: Path = PARTIAL) -> None:
    """Delete what an interruption would have gone on from, once the table is written."""
    shutil.rmtree(folder, ignore_errors=True)


def check_untouched(table: pd.DataFrame, predictions: pd.DataFrame, classes: Sequence[str]) -> None:
    """Refuse a table whose untouched images are not predicted as evaluate predicted them.

    Raises
    ------
    UserError
        If they are other images, or a probability differs by more than two machines would.
    """
    untouched = table[table["corruption"] == NONE].set_index("image").sort_index()
    known = predictions.set_index("image").sort_index()
    same = untouched.index.equals(known.index) and np.allclose(
        untouched[list(classes)], known[list(classes)], rtol=0, atol=LARGEST_DIFFERENCE
    )
    if not same:
        raise UserError(
            "the untouched test images are not predicted as in data/predictions/test.csv, so that the network or the "
            "images have changed since; run 'dvc repro -f evaluate'"
        )


def write_robustness(path: Path, table: pd.DataFrame, classes: Sequence[str]) -> None:
    """Check every condition's predictions and write the table.

    Raises
    ------
    UserError
        If the table does not follow the contract.
    """
    missing = [column for column in CONDITION if column not in table.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; run 'dvc repro -f robustness'")
    for rows in split_conditions(table).values():
        check_predictions(rows, classes, path)
    write_csv(path, table)


def split_conditions(table: pd.DataFrame) -> dict[tuple[str, int], pd.DataFrame]:
    """The rows of each corruption and severity, in the order of the table."""
    keys = table[list(CONDITION)].drop_duplicates().itertuples(index=False)
    return {
        (str(name), int(severity)): table[(table["corruption"] == name) & (table["severity"] == severity)]
        for name, severity in keys
    }
