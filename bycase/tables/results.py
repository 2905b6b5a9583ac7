"""Files that stages hand on, read so that a missing or damaged one names the stage that makes it."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.nested import nest, pick

METRICS = Path("metrics/metrics.json")
HEADLINES = Path("metrics/headlines")  # a few numbers a stage, for `dvc metrics`


def read_results(path: Path, stage: str) -> dict[str, Any]:
    """Read a JSON file that a stage wrote.

    Parameters
    ----------
    path : Path
        The file.
    stage : str
        The stage that writes it, named in errors.

    Raises
    ------
    UserError
        If the file is missing or not JSON.
    """
    try:
        with _made_by(path, stage):
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not valid JSON ({error}); run 'dvc repro -f {stage}'") from None
    return content


def write_headlines(stage: str, content: dict[str, Any], keys: Iterable[str]) -> None:
    """Write a few of a stage's numbers apart, which `dvc metrics show` and `diff` display.

    Parameters
    ----------
    stage : str
        Names the file below `HEADLINES`.
    content : dict
        All its numbers.
    keys : iterable of str
        Dotted keys of those to write.
    """
    write_json(HEADLINES / f"{stage}.json", nest(pick(content, keys)))


def read_table(path: Path, stage: str, **options: Any) -> pd.DataFrame:
    """Read a CSV file that a stage wrote; `options` are pandas', and empty cells stay empty text but for them."""
    with _made_by(path, stage):
        frame: pd.DataFrame = pd.read_csv(path, **{"keep_default_na": False, **options})
    return frame


def open_array(path: Path, stage: str) -> NDArray[Any]:
    """Open an array that a stage wrote, as a memory map."""
    with _made_by(path, stage):
        array: NDArray[Any] = np.load(path, mmap_mode="r")
    return array


@contextmanager
def _made_by(path: Path, stage: str) -> Iterator[None]:
    """A missing file as a user's mistake."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro {stage}' first") from None


def check_images(frame: pd.DataFrame, columns: Collection[str], path: Path, again: str) -> None:
    """Refuse a table of images, one a row, that lacks a column or names an image twice; `again` makes it anew."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; {again}")
    twice = frame["image"][frame["image"].duplicated()]
    if len(twice):
        raise UserError(f"{path}: image {twice.iloc[0]} stands twice; {again}")
