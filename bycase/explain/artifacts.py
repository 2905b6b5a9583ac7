"""`data/explain/`: each image's curves and similarities as tables, and what figures are drawn from, as arrays."""

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
from bycase.explain.deletion import SCORES
from bycase.explain.grad_cam import Floats32
from bycase.explain.maps import ATTENTION, ExplainAll
from bycase.explain.sanity import SIMILARITIES, STEP_WORDS
from bycase.images.pixels import read_pixels
from bycase.statistics.units import Floats, Integers

RESULTS = Path("metrics/explain.json")
FOLDER = Path("data/explain")
DELETION, SANITY, FILE = "deletion.csv", "sanity.csv", "artifacts.npz"

IMAGE = ("image", "group", "label", "explained")  # `explained`: the predicted class, whose maps these are


@dataclass(frozen=True)
class Row:
    """Images of one outcome or class.

    Attributes
    ----------
    heading : str
        The outcome or class, and how many images there are of it.
    pixels : ndarray of shape (n, height, width, 3), uint8
        RGB.
    heatmaps : dict of str to ndarray of shape (n, height, width), float32
        By method.
    predicted : sequence of str
        The predicted class of each image, which its maps are of.
    probabilities : ndarray of shape (n,), float64
        Of that class.
    right : ndarray of shape (n,), bool
        Whether it is the true one.
    """

    heading: str
    pixels: NDArray[np.uint8]
    heatmaps: Mapping[str, Floats32]
    predicted: Sequence[str]
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


def make_rows(test: pd.DataFrame, shown: Mapping[str, Integers], explain: ExplainAll, method: str) -> list[Row]:
    """Read and explain the images of each row of ``plots/model/explanations.png``.

    Parameters
    ----------
    test : DataFrame
        Of `bycase.explain.examples.predict_classes`.
    shown : mapping of str to ndarray of int64
        Positions in `test` by heading; see `bycase.explain.examples.choose_shown`.
    explain : callable
        See `bycase.explain.maps.make_every_map`.
    method : str
        Which maps are drawn, beside those of attention where there are any.
    """
    rows = []
    for heading, positions in shown.items():
        part = test.iloc[positions]
        if part.empty:
            continue
        pixels = read_pixels(part["image"].tolist())
        maps = explain(pixels, part["predicted"].to_numpy())
        drawn = {name: heatmaps for name, heatmaps in maps.items() if name in (method, ATTENTION)}
        right = (part["truth"] == part["predicted"]).to_numpy(bool)
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
    arrays |= {f"similarities_{name}": values for name, values in artifacts.similarities.items()}
    for number, row in enumerate(artifacts.rows):
        arrays |= {f"row{number}_pixels": row.pixels, f"row{number}_right": row.right}
        arrays |= {f"row{number}_probabilities": row.probabilities}
        arrays |= {f"row{number}_map_{name}": heatmaps for name, heatmaps in row.heatmaps.items()}
    words = {
        "method": artifacts.method,
        "orders": artifacts.orders,
        "similarities": list(artifacts.similarities),
        "rows": [
            {"heading": row.heading, "predicted": list(row.predicted), "heatmaps": list(row.heatmaps)}
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
            [_read_row(number, row_words, arrays) for number, row_words in enumerate(words["rows"])],
        )
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro explain' first") from None
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError):
        raise UserError(f"{path} is damaged: run 'dvc repro -f explain'") from None


def _read_row(number: int, words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Row:
    heatmaps = {name: arrays[f"row{number}_map_{name}"] for name in words["heatmaps"]}
    pixels, right = arrays[f"row{number}_pixels"], arrays[f"row{number}_right"]
    return Row(words["heading"], pixels, heatmaps, words["predicted"], arrays[f"row{number}_probabilities"], right)


def tabulate_curves(part: pd.DataFrame, orders: Sequence[str], curves: Floats) -> pd.DataFrame:
    """One row an image, order and share of pixels; see `ExplainArtifacts.curves`.

    `part` are the scored images, with the columns `IMAGE`; gives these, ``order``, ``share`` and `SCORES`.
    """
    shares = np.linspace(0, 1, curves.shape[-1])
    keys = _cross(part, "order", orders).merge(pd.DataFrame({"share": shares}), how="cross")
    flat = np.moveaxis(curves, 2, -1).reshape(-1, len(SCORES))
    return keys.assign(**dict(zip(SCORES, flat.T, strict=True)))


def tabulate_similarities(part: pd.DataFrame, similarities: Mapping[str, Floats]) -> pd.DataFrame:
    """One row an image, method and step of the cascade; see `ExplainArtifacts.similarities`.

    Gives the columns `IMAGE`, ``method``, ``step``, ``layers`` (those that are random) and `SIMILARITIES`.
    """
    steps = pd.DataFrame({"step": range(len(STEP_WORDS)), "layers": STEP_WORDS})
    keys = _cross(part, "method", list(similarities)).merge(steps, how="cross")
    flat = np.concatenate([values.reshape(-1, len(SIMILARITIES)) for values in similarities.values()])
    return keys.assign(**dict(zip(SIMILARITIES, flat.T, strict=True)))


def mean_curves(orders: Sequence[str], curves: Floats) -> pd.DataFrame:
    """Means over images by ``share`` of pixels: ``deletion_<order>`` and ``insertion_<order>``; for ``dvc plots``."""
    means = curves.mean(axis=1)
    columns = {f"{score}_{order}": means[k, j] for j, score in enumerate(SCORES) for k, order in enumerate(orders)}
    return pd.DataFrame({"share": np.linspace(0, 1, curves.shape[-1]), **columns})


def _cross(part: pd.DataFrame, name: str, values: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: list(values)}).merge(part[list(IMAGE)], how="cross")[[*IMAGE, name]]
