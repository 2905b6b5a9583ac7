"""Generated images to try the page with; none of them is stored anywhere."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bycase.datasets.phantoms.breakhis.archive import draw_tile
from bycase.datasets.phantoms.breakhis.cases import draw_cases, plan_tiles
from bycase.datasets.phantoms.busi import SHARES, Scan, draw_scan
from bycase.datasets.phantoms.ham10000 import KINDS, draw_lesion, photograph

SEED = 20_000  # another than the phantom data sets', so that no network was trained on these images
MAGNIFICATION = 200
EACH = 2  # of a class


@dataclass(frozen=True)
class Example:
    """A generated image, RGB (height, width, 3), uint8, with what the generator drew."""

    name: str
    image: NDArray[np.uint8]


def draw_examples(layout: str) -> list[Example]:
    """Draw images like those of a data set's layout, and last one of another kind, which is unlike them."""
    other = _draw_lesion("nv") if layout == "busi" else _draw_ultrasound("normal")
    return [*(DRAW[layout]() if layout in DRAW else []), Example("another kind of image", other.image)]


def _draw_tiles() -> list[Example]:
    cases = draw_cases(8, SEED)
    tiles = [tile for tile in plan_tiles(cases, 4 * len(cases)) if tile.magnification == MAGNIFICATION]
    chosen = [
        [tile for tile in tiles if tile.case.subtype.malignant == malignant][:EACH] for malignant in (False, True)
    ]
    return [
        Example(tile.case.subtype.folder.replace("_", " "), draw_tile(tile, 700, 460, SEED))
        for of_class in chosen
        for tile in of_class
    ]


def _draw_ultrasound(label: str) -> Example:
    grey, _ = draw_scan(Scan(label, 1, list(SHARES).index(label)), 240, 200, SEED)
    return Example(label, np.repeat(grey[..., None], 3, axis=2))


def _draw_lesion(name: str) -> Example:
    return Example(name, photograph(draw_lesion(name, name, 240, 180, SEED), name, 240, 180, SEED))


DRAW: dict[str, Callable[[], list[Example]]] = {
    "breakhis": _draw_tiles,
    "busi": lambda: [_draw_ultrasound(label) for label in SHARES],
    "ham10000": lambda: [_draw_lesion(name) for name in KINDS],
}
