"""`data/explain/artifacts.npz`: what the figures are drawn from, so that they need no network."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.explain.attention import ATTENTION
from bycase.explain.every_map import EveryMap
from bycase.explain.grad_cam import Floats32
from bycase.images.pixels import read_pixels
from bycase.statistics.units import Floats, Integers

FILE = "artifacts.npz"


@dataclass(frozen=True)
class Row:
    """Images of one outcome or class.

    Attributes
    ----------
    heading : str
        Which.
    pixels : ndarray of shape (n, height, width, 3), uint8
        RGB.
    heatmaps : dict of str to ndarray of shape (n, height, width), float32
        By method.
    called : sequence of str
        The class that the network calls each image, which its maps are of.
    probabilities : ndarray of shape (n,), float64
        Of that class.
    right : ndarray of shape (n,), bool
        Whether it is the true one.
    """

    heading: str
    pixels: NDArray[np.uint8]
    heatmaps: Mapping[str, Floats32]
    called: Sequence[str]
    probabilities: NDArray[np.float64]
    right: NDArray[np.bool_]


@dataclass(frozen=True)
class ExplainArtifacts:
    """What the three figures show.

    Attributes
    ----------
    method : str
        Whose maps and numbers stand in front.
    orders : list of str
        Methods, then the baselines.
    curves : ndarray of shape (n_orders, n_images, 2, steps + 1), float64
        See `bycase.explain.deletion.score_orders`.
    similarities : dict of str to ndarray of shape (n_images, n_steps, 2), float64
        See `bycase.explain.sanity.compare_cascade`.
    patient : ndarray of shape (n_images,), int64
        Whose each image is.
    images : ndarray of shape (n_shown, height, width, 3), uint8
        RGB; of the sanity check.
    cascade : ndarray of shape (n_steps, n_shown, height, width), float32
        Their maps by `method` as weights become random.
    rows : list of Row
        Of ``plots/model/explanations.png``.
    """

    method: str
    orders: list[str]
    curves: Floats
    similarities: dict[str, Floats]
    patient: Integers
    images: NDArray[np.uint8]
    cascade: Floats32
    rows: list[Row]


def make_rows(test: pd.DataFrame, shown: Mapping[str, Integers], explain: EveryMap, method: str) -> list[Row]:
    """Read and explain the images of each row of ``plots/model/explanations.png``.

    Parameters
    ----------
    test : DataFrame
        Of `bycase.explain.subset.call_classes`.
    shown : mapping of str to ndarray of int64
        Positions in `test` by heading; see `bycase.explain.examples.choose_shown`.
    explain : callable
        See `bycase.explain.every_map.make_every_map`.
    method : str
        Which maps are drawn, beside those of attention where there are any.
    """
    rows = []
    for heading, positions in shown.items():
        part = test.iloc[positions]
        if part.empty:
            continue
        pixels = read_pixels(part["image"].tolist())
        maps = explain(pixels, part["called"].to_numpy())
        drawn = {name: of for name, of in maps.items() if name in (method, ATTENTION)}
        right = (part["truth"] == part["called"]).to_numpy(bool)
        rows.append(Row(heading, pixels, drawn, part["explained"].tolist(), part["probability"].to_numpy(), right))
    return rows


def write_artifacts(path: Path, artifacts: ExplainArtifacts) -> None:
    """Write an ``.npz`` file that holds no pickle."""
    arrays: dict[str, NDArray[Any]] = {
        "curves": artifacts.curves,
        "patient": artifacts.patient,
        "images": artifacts.images,
        "cascade": artifacts.cascade,
    }
    arrays |= {f"similarities_{name}": of for name, of in artifacts.similarities.items()}
    for number, row in enumerate(artifacts.rows):
        arrays |= {f"row{number}_pixels": row.pixels, f"row{number}_right": row.right}
        arrays |= {f"row{number}_probabilities": row.probabilities}
        arrays |= {f"row{number}_map_{name}": of for name, of in row.heatmaps.items()}
    words = {
        "method": artifacts.method,
        "orders": artifacts.orders,
        "similarities": list(artifacts.similarities),
        "rows": [
            {"heading": row.heading, "called": list(row.called), "heatmaps": list(row.heatmaps)}
            for row in artifacts.rows
        ],
    }
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, words=np.array(json.dumps(words)), **arrays)


def read_artifacts(path: Path) -> ExplainArtifacts:
    """Read what `write_artifacts` wrote.

    Raises
    ------
    UserError
        If the file is missing or damaged.
    """
    try:
        with np.load(path) as stored:
            arrays = dict(stored)
        words = json.loads(str(arrays["words"]))
        return ExplainArtifacts(
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
