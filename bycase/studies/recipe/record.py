"""`results/recipes/<name>/<protocol>.json`: what came of a recipe's run, and what was not as the recipe says."""

import json
import math
import platform
import shlex
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.nested import Settings, flatten
from bycase.core.params import Params
from bycase.studies.recipe.definition import HONEST
from bycase.studies.recipe.settings import Network
from bycase.studies.recipe.workspace import head_commit, uncommitted_code
from bycase.tables.cost import read_times
from bycase.tables.models import HISTORY, read_model_info
from bycase.tables.results import METRICS, read_results
from bycase.tables.splits import read_protocol

AUDIT = Path("metrics/audit.json")
RESULTS = Path("results/recipes")

PACKAGES = ("dvc", "keras", "numpy", "pandas", "scikit-learn", "tensorflow")
PLACE_NOTE = "A name in <> is that of a folder or file: put in its place where it is on your machine."
CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
BASELINE = ("accuracy", "balanced_accuracy", "log_loss")


def write_result(
    name: str,
    system: str,
    protocol: str,
    network: Network | None,
    params: Params,
    changes: dict[str, dict[str, Any]],
    own: Settings,
) -> Path:
    """Write the result of the run that is in the workspace.

    Parameters
    ----------
    name, system : str
        The recipe's.
    protocol : str
        as-published or honest.
    network : Network or None
        In the recipe's own one's place.
    params : Params
        Of the run.
    changes : dict
        See `bycase.studies.recipe.settings.find_changes`.
    own : dict
        The user's own settings, nested.

    Returns
    -------
    Path
        The file; nothing in it names a place on this machine.
    """
    card, metrics = read_model_info(), read_results(METRICS, "evaluate")
    seconds = read_times(card["network_sha256"]).get("training_seconds")
    path = result_path(name, protocol, network.label if network else "")
    write_json(
        path,
        {
            "recipe": name,
            "system": system,
            "protocol": protocol,
            **describe_origin(describe_command(name, protocol, own, network), params, changes),
            "metrics": {level: _level(metrics[level]) for level in ("image", "patient")},
            "training": _training(card, pd.read_csv(HISTORY)) | {"seconds": seconds},
            **describe_code(),
        },
    )
    return path


def describe_origin(command: str, params: Params, changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Command, changes, network, data and split of the run that is in the workspace; see `write_result`."""
    split = read_protocol()
    return {
        "command": command,
        **({"command_note": PLACE_NOTE} if "<" in command else {}),
        "changed": {
            key: {side: hide_place(key, value) for side, value in both.items()} for key, both in changes.items()
        },
        "network": {
            "model": params.model,
            "variant": params.network.variant,
            "mode": params.network.mode,
            "weights": PurePath(params.weights).name,
            **({"stride": params.network.stride} if params.network.stride else {}),
        },
        "data": {
            "dataset": params.dataset,
            "source": params.data.source,
            "phantom": params.data.source == "phantom",
            "image_size": params.data.image_size,
            "images": sum(part["images"] for part in split["counts"].values()),
            "parts": {
                part: {"images": counts["images"], "cases": counts["cases"]} for part, counts in split["counts"].items()
            },
            "cases_on_both_sides": split["cases_on_both_sides"],
            "duplicates_on_both_sides": split["duplicates_on_both_sides"],
            "pairs_under_two_labels": read_results(AUDIT, "audit")["cross_label"]["pairs"],
        },
        "split": {key: getattr(params.split, key) for key in ("protocol", "group", "validation", "test")}
        | {"merge_duplicates": params.split.merge_duplicates, "seed": params.seed},
    }


def describe_code(packages: Sequence[str] = (), pipelines: Sequence[str] = ()) -> dict[str, Any]:
    """The commit and the versions that a run was made with; of `packages` and by `pipelines` beside the usual ones."""
    return {
        "git": {"commit": head_commit(), "code_as_committed": not uncommitted_code(*pipelines)},
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in sorted([*PACKAGES, *packages])},
    }


def _level(metrics: dict[str, Any]) -> dict[str, Any]:
    """All single numbers of a level, their intervals, and what a constant prediction scores."""
    numbers = {key: value for key, value in metrics.items() if isinstance(value, int | float)}
    baseline = {key: metrics["baseline"][key] for key in BASELINE if key in metrics["baseline"]}
    return {**numbers, "baseline": baseline, "ci": metrics["ci"]}


def _training(card: dict[str, Any], history: pd.DataFrame) -> dict[str, Any]:
    """The last epoch, the one whose weights were kept, and the loss of predicting the class shares."""
    return {
        "epochs": len(history),
        "best_epoch": card["best_epoch"],
        **({"setting": card["head_setting"]} if "head_setting" in card else {}),
        "last": _curves(history.iloc[-1]),
        "best": _curves(history[history["epoch"] == card["best_epoch"]].iloc[0]),
        "prior_loss": card["prior_loss"],
    }


def _curves(row: "pd.Series[Any]") -> dict[str, float | None]:
    values = {name: float(row[name]) for name in CURVES if name in row}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def describe_command(name: str, protocol: str, own: Settings, network: Network | None = None) -> str:
    """The command that was given, with names in <> for places on this machine."""
    words = ["bycase", "recipe", "run", name, *(["--honest"] if protocol == HONEST else [])]
    if network:
        words += ["--network", ":".join(filter(None, network))]
    return with_settings(words, own)


def with_settings(words: list[str], own: Settings) -> str:
    """A command's words and the settings that it was given; see `describe_command`."""
    if own:
        words = [*words, "--set"]
    for key, value in flatten(own).items():
        shown = hide_place(key, value)
        words.append(shlex.quote(f"{key}={shown if isinstance(shown, str) else json.dumps(shown)}"))
    return " ".join(words)


def hide_place(key: str, value: Any) -> Any:
    """A setting's value in which a path is its last name in <>; neither a Kaggle data set nor an image is one."""
    if isinstance(value, list):
        return [hide_place(key, each) for each in value]
    if isinstance(value, dict):
        return {name: hide_place(f"{key}.{name}", each) for name, each in value.items()}
    if isinstance(value, str) and "/" in value and not key.endswith("slug") and not key.startswith("audit.waive"):
        return f"<{PurePath(value).name}>"
    return value


def result_path(name: str, protocol: str, label: str = "", results: Path = RESULTS) -> Path:
    """Where a result lies; ``label`` is that of a network in the recipe's own one's place."""
    return results / name / label / f"{protocol}.json"


def other_networks(name: str, results: Path = RESULTS) -> list[str]:
    """Labels of the networks with which a recipe was run in its own one's place, sorted."""
    return sorted({path.parent.name for path in (results / name).glob("*/*.json")})


def read_result(name: str, protocol: str, label: str = "", results: Path = RESULTS) -> dict[str, Any] | None:
    """Read a result, or None where that protocol was not run; see `result_path`.

    Raises
    ------
    UserError
        If the file is not JSON.
    """
    path = result_path(name, protocol, label, results)
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not valid JSON ({error}); run the recipe again") from None
    return result
