from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.explain.overlay import overlay, write_overlays


def test_opacity_goes_from_the_image_to_the_colours() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, 6, 5, 3), dtype=np.uint8)
    heat = random.uniform(0, 1, (2, 6, 5)).astype(np.float32)
    heat[0, 0, :2] = 0, 1
    np.testing.assert_array_equal(overlay(images, heat, 0), images)
    full = overlay(images, heat, 1)
    assert full.dtype == np.uint8
    colours = mpl.colormaps["viridis"]
    assert full[0, 0, :2].tolist() == [[round(255 * part) for part in colours(of)[:3]] for of in (0.0, 1.0)]
    half = overlay(images[0], heat[0], 0.5)
    assert np.abs(half - (images[0].astype(float) + full[0]) / 2).max() <= 1
    # More is brighter: the colours are perceptually uniform.
    grey = overlay(np.zeros((1, 101, 3), np.uint8), np.linspace(0, 1, 101)[None], 1) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey[0]) > 0).all()


def test_overlays_are_written_by_name(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 6, 5, 3), dtype=np.uint8)
    heat = np.zeros((3, 6, 5))
    names = ["a.jpg", "a.png", "Benign/b.png"]
    paths = write_overlays(tmp_path / "maps", names, images, heat, 0.25)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [f"maps/{name}.png" for name in names]
    for path, image in zip(paths, images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), overlay(image, heat[0], 0.25))


@pytest.mark.parametrize("name", ["../a.png", "/etc/a.png", "b/../../a.png", "..\\a.png", "C:\\a.png", ""])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    images = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(UserError, match="leads out of the folder"):
        write_overlays(tmp_path, ["good.png", name], images, np.zeros((2, 4, 4)))
    assert not list(tmp_path.iterdir())
