"""Cases differ by their stain far more than a case's own images do."""

import numpy as np

from bycase.datasets.phantoms.breakhis.archive import draw_tile
from bycase.datasets.phantoms.breakhis.cases import draw_cases, plan_tiles


def test_stain_differs_between_cases_more_than_within() -> None:
    tiles = [tile for tile in plan_tiles(draw_cases(16, 2), 16 * 8) if tile.magnification == 100]
    colours: dict[str, list[np.ndarray]] = {}
    for tile in tiles:
        colours.setdefault(tile.case.name, []).append(draw_tile(tile, 140, 92, 2).mean(axis=(0, 1)))
    repeated = [np.array(of_case) for of_case in colours.values() if len(of_case) > 1]
    within = np.mean([of_case.var(axis=0, ddof=1).sum() for of_case in repeated])
    between = np.array([of_case.mean(axis=0) for of_case in repeated]).var(axis=0, ddof=1).sum()
    assert len(repeated) >= 10
    assert between > 5 * within
