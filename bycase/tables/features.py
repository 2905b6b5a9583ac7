"""`data/features/`: features, the images they belong to, and what made them."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json
from bycase.tables.results import open_array, read_results, read_table

FEATURES = Path("data/features")


@dataclass(frozen=True)
class Features:
    """What ``data/features`` holds.

    Attributes
    ----------
    images : list of str
        Paths below ``data/restructured``, sorted.
    array : ndarray of shape (n_images, 1 + n_augmented_views, n_features), float32
        View 0 is the image itself. A memory map. No image where the chosen network is trained end to end.
    made_by : dict
        model, variant, weights, pooling, image_size, seed, engine.
    path : Path
        The file of `array`.
    """

    images: list[str]
    array: NDArray[np.float32]
    made_by: dict[str, Any]
    path: Path = FEATURES / "features.npy"

    def rows(self, images: "pd.Series[str]") -> NDArray[np.intp]:
        """Positions of `images`; a UserError names one that has no features."""
        index = pd.Index(self.images).get_indexer(pd.Index(images))
        if (index < 0).any():
            lost = images.iloc[int(np.argmin(index))]
            raise UserError(f"data/features has no features of {lost}; run 'dvc repro -f embed'")
        return index


def write_features(folder: Path, partial: Path, images: Sequence[str], made_by: Mapping[str, Any]) -> Path:
    """Move finished features into a folder that `read_features` reads; gives the array's file.

    Parameters
    ----------
    folder : Path
        It exists.
    partial : Path
        The ``.npy`` file of the features, which leaves its place.
    images : sequence of str
        In the order of the features.
    made_by : mapping
        See `Features`.
    """
    shutil.move(partial, folder / "features.npy")
    write_csv(folder / "index.csv", pd.DataFrame({"image": list(images)}))
    write_json(folder / "made_by.json", dict(made_by))
    return folder / "features.npy"


def write_no_features(folder: Path, made_by: Mapping[str, Any]) -> Path:
    """Write features of no image into a folder: a network of which every layer is trained has none that stay."""
    np.save(folder / "features.npy", np.zeros((0, 1, 0), np.float32))
    write_csv(folder / "index.csv", pd.DataFrame({"image": []}))
    write_json(folder / "made_by.json", dict(made_by))
    return folder / "features.npy"


def read_features(folder: Path = FEATURES) -> Features:
    """Open the features without reading them into memory."""
    index = read_table(folder / "index.csv", "embed", dtype=str)
    made_by = read_results(folder / "made_by.json", "embed")
    array = open_array(folder / "features.npy", "embed")
    return Features(index["image"].tolist(), array, made_by, folder / "features.npy")
