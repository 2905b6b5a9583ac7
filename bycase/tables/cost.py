"""What a network cost: its size, which is always the same, and what the clock and the meters of a machine said.

The latter differ from run to run. They stay out of DVC's outputs, whose hashes shall change only with a result: each
measurement lies in `TIMES` under the digest of the file that it was spent on, so that a network that DVC restores from
its cache keeps its own. ``metrics/cost.json`` has size and measurements of the network in the workspace.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bycase.core.files import write_json
from bycase.tables.results import read_results

COST = Path("metrics/cost.json")
TIMES = Path("data/times")
SIZES = ("parameters", "trainable_parameters", "flops", "model_bytes", "epochs")  # of ``models/model.json``
NOT_NUMBERS = ("network_sha256", "machine")


def write_times(digest: str, content: Mapping[str, Any]) -> None:
    """Add measurements to those of the file with this SHA-256."""
    write_json(TIMES / f"{digest}.json", read_times(digest) | dict(content))


def read_times(digest: str) -> dict[str, Any]:
    """The measurements of the file with this SHA-256; empty where it was made on another machine."""
    path = TIMES / f"{digest}.json"
    return read_results(path, "train") if path.is_file() else {}


def sizes_of(model_info: Mapping[str, Any]) -> dict[str, float]:
    """The network's `SIZES`, as far as they are known."""
    return {key: model_info[key] for key in SIZES if key in model_info}


def cost_of(model_info: Mapping[str, Any], recorded: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a network's cost.

    Parameters
    ----------
    model_info : mapping
        ``models/model.json``.
    recorded : mapping
        A ``metrics/cost.json``, which may be of another network where DVC has restored this one from its cache; then
        what `TIMES` has counts.

    Returns
    -------
    dict of str to float
        Sizes; seconds, images a second and joules as far as they are known.
    """
    network = model_info.get("network_sha256")
    measured = recorded if recorded.get("network_sha256") == network else read_times(str(network))
    return sizes_of(model_info) | {key: value for key, value in measured.items() if key not in NOT_NUMBERS}
