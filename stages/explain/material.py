"""`data/explain/material.npz`: what the figures are drawn from, so that they need no network."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.common.errors import UserError
from stages.evaluate.units import Floats, Integers
from stages.explain.figure_examples import Row
from stages.explain.grad_cam import Floats32

FILE = "material.npz"


@dataclass(frozen=True)
class Material:
    """What the three figures show.

    Attributes
    ----------
    method : str
        Whose maps and numbers stand in front.
    orders : list of str
        Methods, then the baselines.
    curves : ndarray of shape (n_orders, n_images, 2, steps + 1), float64
        See `stages.explain.deletion.score_orders`.
    similarities : dict of str to ndarray of shape (n_images, n_steps, 2), float64
        See `stages.explain.sanity.compare_cascade`.
    patient : ndarray of shape (n_images,), int64
        Whose each image is.
    images : ndarray of shape (n_shown, height, width, 3), uint8
        RGB; of the sanity check.
    cascade : ndarray of shape (n_steps, n_shown, height, width), float32
        Their maps by `method` as weights become random.
    rows : list of Row
        Of ``plots/explanations.png``.
    """

    method: str
    orders: list[str]
    curves: Floats
    similarities: dict[str, Floats]
    patient: Integers
    images: NDArray[np.uint8]
    cascade: Floats32
    rows: list[Row]


def write_material(path: Path, material: Material) -> None:
    """Write an ``.npz`` file that holds no pickle."""
    arrays: dict[str, NDArray[Any]] = {
        "curves": material.curves,
        "patient": material.patient,
        "images": material.images,
        "cascade": material.cascade,
    }
    arrays |= {f"similarities_{name}": of for name, of in material.similarities.items()}
    for number, row in enumerate(material.rows):
        arrays |= {f"row{number}_pixels": row.pixels, f"row{number}_right": row.right}
        arrays |= {f"row{number}_probabilities": row.probabilities}
        arrays |= {f"row{number}_map_{name}": of for name, of in row.heatmaps.items()}
    words = {
        "method": material.method,
        "orders": material.orders,
        "similarities": list(material.similarities),
        "rows": [
            {"heading": row.heading, "called": list(row.called), "heatmaps": list(row.heatmaps)}
            for row in material.rows
        ],
    }
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, words=np.array(json.dumps(words)), **arrays)


def read_material(path: Path) -> Material:
    """Read what `write_material` wrote.

    Raises
    ------
    UserError
        If the file is missing or damaged.
    """
    try:
        with np.load(path) as stored:
            arrays = dict(stored)
        words = json.loads(str(arrays["words"]))
        return Material(
            words["method"],
            words["orders"],
            arrays["curves"],
            {name: arrays[f"similarities_{name}"] for name in words["similarities"]},
            arrays["patient"],
            arrays["images"],
            arrays["cascade"],
            [_read_row(number, of, arrays) for number, of in enumerate(words["rows"])],
        )
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro explain' first") from None
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError):
        raise UserError(f"{path} is damaged: run 'dvc repro -f explain'") from None


def _read_row(number: int, words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Row:
    heatmaps = {name: arrays[f"row{number}_map_{name}"] for name in words["heatmaps"]}
    pixels, right = arrays[f"row{number}_pixels"], arrays[f"row{number}_right"]
    return Row(words["heading"], pixels, heatmaps, words["called"], arrays[f"row{number}_probabilities"], right)
