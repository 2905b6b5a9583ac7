"""The JSON files of numbers that stages hand on."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.nested import nest, pick

METRICS = Path("metrics/metrics.json")
COST = Path("metrics/cost.json")
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
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro {stage}' first") from None
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
