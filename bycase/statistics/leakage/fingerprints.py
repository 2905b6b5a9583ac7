"""`data/fingerprints/`: the reference network's features of every image, whatever `model` is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.datasets import fingerprints as audit
from bycase.datasets.fingerprints import FINGERPRINTS


@dataclass(frozen=True)
class Fingerprints:
    """Features and what made them.

    Attributes
    ----------
    features : ndarray of shape (n_images, n_features), float64
        In the order of the images asked for.
    made_by : dict
        Content of ``made_by.json``: model, weights and others.
    """

    features: NDArray[np.float64]
    made_by: dict[str, Any]


def read_fingerprints(images: "pd.Series[str]", folder: Path = FINGERPRINTS) -> Fingerprints:
    """Read the features of `images`.

    Parameters
    ----------
    images : Series of str
        Paths below ``data/restructured``.
    folder : Path
        Where the audit wrote them.

    Raises
    ------
    UserError
        If a file is missing, or an image has no features.
    """
    found = audit.read_fingerprints(folder)
    rows = pd.Index(found.images).get_indexer(pd.Index(images))
    if (rows < 0).any():
        raise UserError(f"{folder} has no features of {images.iloc[int(np.argmin(rows))]}; run 'dvc repro -f audit'")
    return Fingerprints(found.features[rows].astype(np.float64), audit.read_made_by(folder))
