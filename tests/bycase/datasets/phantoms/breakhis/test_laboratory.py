"""Another laboratory: the same tissue, other stains, another scanner; and none where none is asked for."""

import hashlib
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from bycase.core.params_data import LaboratoryParams
from bycase.datasets.phantoms.breakhis.archive import draw_tile
from bycase.datasets.phantoms.breakhis.cases import draw_cases, plan_tiles
from bycase.datasets.phantoms.breakhis.laboratory import Laboratory, restain, scan
from bycase.datasets.phantoms.breakhis.stain import EOSIN, HAEMATOXYLIN, Stain, transmit
from tests.conftest import MakeParams

NEUTRAL: dict[str, Any] = {"haematoxylin": 1.0, "eosin": 1.0, "cast": (1.0, 1.0, 1.0), "gamma": 1.0, "blur": 0.0}
TILES = plan_tiles(draw_cases(8, 3), 32)[:6]


def laboratory(**changes: Any) -> Laboratory:
    return Laboratory(**NEUTRAL | changes)


def test_without_a_laboratory_every_pixel_is_as_it_was() -> None:
    drawn = hashlib.sha256(b"".join(draw_tile(tile, 70, 46, 3).tobytes() for tile in TILES)).hexdigest()
    assert drawn == "363dcfc38be1f64f25a8d90b3ae722dffbb5a50e8cd4f85950914e96bddd84cc"


def test_one_that_changes_nothing_changes_no_pixel() -> None:
    assert (draw_tile(TILES[0], 70, 46, 3, laboratory()) == draw_tile(TILES[0], 70, 46, 3)).all()


def test_optical_density_is_multiplied_and_light_is_tinted() -> None:
    stain = Stain(np.array([HAEMATOXYLIN, EOSIN]), np.full(3, 200.0), 0.1)
    amounts = np.array([[0.4, 0.7]])
    changed = restain(stain, laboratory(haematoxylin=0.5, eosin=2.0, cast=(1.0, 0.9, 0.8)))
    density = -np.log(transmit(amounts, changed.absorbance, changed.illumination) / changed.illumination)
    np.testing.assert_allclose(density, 0.2 * np.array([HAEMATOXYLIN]) + 1.4 * np.array([EOSIN]))
    np.testing.assert_allclose(changed.illumination, [200, 180, 160])
    assert changed.falloff == stain.falloff


def test_the_scanner_bends_middle_tones_and_blurs_without_changing_the_mean() -> None:
    light = np.random.default_rng(0).uniform(0, 255, (40, 60, 3))
    bent = scan(light, laboratory(gamma=1.5))
    np.testing.assert_allclose(bent, 255 * (light / 255) ** 1.5)
    assert (bent <= light).all()
    blurred = scan(light, laboratory(blur=2.0))
    assert blurred.std() < light.std() / 2
    np.testing.assert_allclose(blurred.mean(axis=(0, 1)), light.mean(axis=(0, 1)), rtol=0.02)
    assert (scan(light, laboratory()) == light).all()


def test_the_same_tissue_is_seen() -> None:
    """Grey values of both laboratories rank pixels alike."""
    here = draw_tile(TILES[0], 70, 46, 3).mean(axis=2).ravel()
    there = draw_tile(TILES[0], 70, 46, 3, laboratory(gamma=1.3, cast=(1.0, 0.94, 0.86))).mean(axis=2).ravel()
    assert np.abs(here - there).mean() > 5
    assert np.corrcoef(here, there)[0, 1] > 0.99


@pytest.mark.parametrize("change", [{"gamma": 0}, {"cast": (1.0, 1.2, 1.0)}, {"blur": -1}, {"hue": 1}])
def test_values_that_no_laboratory_has_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LaboratoryParams(**NEUTRAL | change)


def test_images_without_stain_have_no_laboratory(make_params: MakeParams) -> None:
    with pytest.raises(ValidationError, match="phantom.laboratory: images in layout busi have no stain"):
        make_params({f"datasets.busi_phantom.phantom.laboratory.{key}": value for key, value in NEUTRAL.items()})
