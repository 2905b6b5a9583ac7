"""The JSON files of numbers that stages hand on."""

import json
from pathlib import Path
from typing import Any

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
