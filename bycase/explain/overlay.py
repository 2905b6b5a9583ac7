"""Heatmaps laid over their images."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.core.errors import UserError
from bycase.core.files import replace_file

# Perceptually uniform, readable to the colour-blind, and far from the pinks of H&E.
COLOURS = "viridis"
OPACITY = 0.5


def overlay(image: NDArray[np.uint8], heatmap: NDArray[Any], opacity: float = OPACITY) -> NDArray[np.uint8]:
    """Lay a heatmap over its image.

    Parameters
    ----------
    image : ndarray of shape (..., height, width, 3), uint8
        RGB.
    heatmap : ndarray of shape (..., height, width), in [0, 1]
        0 is dark blue, 1 yellow.
    opacity : float, in [0, 1]
        Of the heatmap, the same everywhere.

    Returns
    -------
    ndarray of the shape of `image`, uint8
    """
    colours = mpl.colormaps[COLOURS](np.clip(heatmap, 0, 1))[..., :3] * 255
    mixed = (1 - opacity) * image + opacity * colours
    return np.rint(mixed).astype(np.uint8)


def write_overlays(
    folder: Path,
    names: Sequence[str],
    images: NDArray[np.uint8],
    heatmaps: NDArray[Any],
    opacity: float = OPACITY,
) -> list[Path]:
    """Write each image with its heatmap as ``<folder>/<name>.png``.

    Parameters
    ----------
    names : sequence of str
        Of the images, with / between folders and with their endings, so that ``a.jpg`` and ``a.png`` stay apart.
    images : ndarray of shape (n, height, width, 3), uint8
        RGB.
    heatmaps : ndarray of shape (n, height, width), in [0, 1]
        See `overlay`.

    Returns
    -------
    list of Path
        In the order of `names`.

    Raises
    ------
    UserError
        If a name leads out of the folder; nothing is written then.
    """
    paths = [folder / f"{_inside(name)}.png" for name in names]
    for path, image, heatmap in zip(paths, images, heatmaps, strict=True):
        with replace_file(path) as partial:
            Image.fromarray(overlay(image, heatmap, opacity)).save(partial)
    return paths


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.name or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UserError(f"image name '{name}' leads out of the folder of heatmaps; give a name below it")
    return path
