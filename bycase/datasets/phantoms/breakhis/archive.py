"""Write the archive: plan it, draw every image on all cores, and add `Folds.csv`, as the Kaggle archive has it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from bycase.core.files import write_csv
from bycase.core.parallel import map_on_all_cores
from bycase.core.seeding import generator
from bycase.datasets.phantoms.breakhis.anatomy import draw_anatomy, vary
from bycase.datasets.phantoms.breakhis.cases import Tile, draw_cases, plan_tiles
from bycase.datasets.phantoms.breakhis.laboratory import Laboratory, restain
from bycase.datasets.phantoms.breakhis.render import render_tissue
from bycase.datasets.phantoms.breakhis.stain import draw_stain
from bycase.datasets.phantoms.breakhis.tissue import draw_tissue, field_of_view

FOLDS = 5
TEST_SHARE = 0.3


def write_phantom(
    root: Path,
    *,
    cases: int,
    images: int,
    width: int,
    height: int,
    seed: int,
    laboratory: Mapping[str, Any] | None = None,
    workers: int | None = None,
) -> None:
    """Write generated H&E-like tiles and their folds in the layout of BreakHis' Kaggle archive.

    Parameters
    ----------
    root : Path
        An existing empty folder; receives ``BreaKHis_v1/`` and ``Folds.csv``.
    cases : int
        Number of cases (patients), at least 8.
    images : int
        Exact number of images, at least `cases`.
    width, height : int
        Of every image, in pixels.
    seed : int
        Fixes every pixel, whatever `workers` is.
    laboratory : mapping, optional
        The values of a `Laboratory`, which stained and scanned all images.
    workers : int, optional
        Number of processes; all cores where left out.

    Raises
    ------
    UserError
        If there are too few cases for the subtypes, or too few images for the cases.
    """
    tiles = plan_tiles(draw_cases(cases, seed), images)
    for folder in sorted({Path(tile.path).parent for tile in tiles}):
        (root / folder).mkdir(parents=True, exist_ok=True)
    elsewhere = Laboratory(**laboratory) if laboratory else None
    write = partial(write_tile, root=root, width=width, height=height, seed=seed, laboratory=elsewhere)
    for _ in map_on_all_cores(write, tiles, "phantom", workers):
        pass
    write_csv(root / "Folds.csv", draw_folds(tiles, seed))


def write_tile(
    tile: Tile, root: Path, width: int, height: int, seed: int, laboratory: Laboratory | None = None
) -> None:
    """Draw one image and write it to its place below `root`, whose folder exists."""
    # Low compression: twice as fast as the default, and files only a little larger.
    image = draw_tile(tile, width, height, seed, laboratory)
    Image.fromarray(image).save(root / tile.path, compress_level=1)


def draw_tile(
    tile: Tile, width: int, height: int, seed: int, laboratory: Laboratory | None = None
) -> NDArray[np.uint8]:
    """Draw one image: its case's tissue and stain, a field of view of its own.

    Parameters
    ----------
    tile : Tile
        Whose case and path are all that the image depends on, besides `seed` and its size.
    width, height : int
        In pixels.
    seed : int
        The phantom's seed.
    laboratory : Laboratory, optional
        Where the case was stained and scanned; changes nothing of what there is to see.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        Red, green and blue.
    """
    case = tile.case
    stain = draw_stain(generator(seed, "phantom", "stain", case.name))
    if laboratory:
        stain = restain(stain, laboratory)
    rng = generator(seed, "phantom", "anatomy", case.name)
    usual = draw_anatomy(rng, case.subtype.code, case.subtype.malignant)
    rng = generator(seed, "phantom", "image", tile.path)
    anatomy = vary(usual, rng)
    field = field_of_view(tile.magnification, width, height)
    tissue = draw_tissue(rng, anatomy, field)
    return render_tissue(rng, tissue, anatomy, stain, field, laboratory)


def draw_folds(tiles: list[Tile], seed: int) -> pd.DataFrame:
    """Draw five divisions into train and test, disjoint by slide folder and stratified by class.

    Like the published ones they do not keep a case's two folders together, and like them they are five separate draws,
    not a partition. `tiles` are all images of the archive, with at least two slide folders a class.

    Returns
    -------
    DataFrame with the columns fold, mag, grp, filename
        Every image once a fold (1 to 5); `grp` is 'train' or 'test'; `filename` is the path from the root.
    """
    rows: list[tuple[int, int, str, str]] = []
    for fold in range(1, FOLDS + 1):
        test: set[str] = set()
        for malignant in (False, True):
            folder_of_image = [tile.folder for tile in tiles if tile.case.subtype.malignant == malignant]
            folders = sorted(set(folder_of_image))
            order = generator(seed, "phantom", "fold", fold, int(malignant)).permutation(len(folders))
            test |= _take_share(folder_of_image, [folders[index] for index in order])
        rows += [(fold, tile.magnification, "test" if tile.folder in test else "train", tile.path) for tile in tiles]
    return pd.DataFrame(rows, columns=["fold", "mag", "grp", "filename"])


def _take_share(folder_of_image: list[str], order: list[str]) -> set[str]:
    """Take folders in `order` while that brings the share of test images nearer to `TEST_SHARE`."""
    taken = {order[0]}
    images = folder_of_image.count(order[0])
    for folder in order[1:-1]:
        size = folder_of_image.count(folder)
        if images + size / 2 <= TEST_SHARE * len(folder_of_image):
            taken.add(folder)
            images += size
    return taken
