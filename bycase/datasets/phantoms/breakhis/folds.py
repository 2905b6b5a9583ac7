"""`Folds.csv`, the folds that come with the Kaggle archive of BreakHis."""

import pandas as pd

from bycase.core.seeding import generator
from bycase.datasets.phantoms.breakhis.cases import Tile

FOLDS = 5
TEST_SHARE = 0.3


def draw_folds(tiles: list[Tile], seed: int) -> pd.DataFrame:
    """Draw five divisions into train and test, disjoint by slide folder and stratified by class.

    Like the published ones they do not keep a case's two folders together, and like them they are five separate
    draws, not a partition.

    Parameters
    ----------
    tiles : list of Tile
        All images of the archive, at least two slide folders a class.
    seed : int
        The pipeline's seed.

    Returns
    -------
    DataFrame with the columns fold, mag, grp, filename
        Every image once a fold (1 to 5); `grp` is 'train' or 'test'; `filename` is the path from the root.
    """
    rows: list[tuple[int, int, str, str]] = []
    for fold in range(1, FOLDS + 1):
        test: set[str] = set()
        for malignant in (False, True):
            of_class = [tile.folder for tile in tiles if tile.case.subtype.malignant == malignant]
            folders = sorted(set(of_class))
            order = generator(seed, "phantom", "fold", fold, int(malignant)).permutation(len(folders))
            test |= _take_share(of_class, [folders[index] for index in order])
        rows += [(fold, tile.magnification, "test" if tile.folder in test else "train", tile.path) for tile in tiles]
    return pd.DataFrame(rows, columns=["fold", "mag", "grp", "filename"])


def _take_share(of_images: list[str], order: list[str]) -> set[str]:
    """Take folders in `order` while that brings the share of test images nearer to `TEST_SHARE`."""
    taken = {order[0]}
    images = of_images.count(order[0])
    for folder in order[1:-1]:
        size = of_images.count(folder)
        if images + size / 2 <= TEST_SHARE * len(of_images):
            taken.add(folder)
            images += size
    return taken
