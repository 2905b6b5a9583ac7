"""Files that stages hand on, read so that a missing or damaged one names the stage that makes it."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError

METRICS = Path("metrics/metrics.json")
COST = Path("metrics/cost.json")


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
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro {stage}' first") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not valid JSON ({error}); run 'dvc repro -f {stage}'") from None
    return content


def read_table(path: Path, stage: str, **options: Any) -> pd.DataFrame:
    """Read a CSV file that a stage wrote; `options` are pandas', and empty cells stay empty text but for them.

    Raises
    ------
    UserError
        If the file is missing.
    """
    try:
        frame: pd.DataFrame = pd.read_csv(path, **{"keep_default_na": False, **options})
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro {stage}' first") from None
    return frame


def check_images(frame: pd.DataFrame, columns: Collection[str], path: Path, again: str) -> None:
    """Refuse a table of images, one a row, that lacks a column or names an image twice; `again` makes it anew."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; {again}")
    twice = frame["image"][frame["image"].duplicated()]
    if len(twice):
        raise UserError(f"{path}: image {twice.iloc[0]} stands twice; {again}")
