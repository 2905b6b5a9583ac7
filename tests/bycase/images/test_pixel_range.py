import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bycase.datasets.layouts.listing import Listing, PublishedImage
from bycase.datasets.restructure import convert_all
from bycase.images.convert import PixelRange, decode, range_in_use
from bycase.images.pictures import read_picture


def deep(peak: int, seed: int = 0) -> bytes:
    """A 16-bit grey PNG with values up to `peak`."""
    values = np.random.default_rng(seed).integers(0, peak, (40, 40), dtype=np.uint16)
    values[0, 0] = peak
    content = io.BytesIO()
    Image.fromarray(values).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(("peak", "high"), [(0, 255), (256, 1023), (4012, 4095), (4096, 16383), (65535, 65535)])
def test_the_range_is_that_of_the_fewest_bits(peak: int, high: int) -> None:
    assert range_in_use(peak) == PixelRange(0, high)


def test_training_and_prediction_are_treated_alike_by_the_range_of_the_data_set(tmp_path: Path) -> None:
    raw, folder = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    folder.mkdir()
    for name, peak in (("dark", 900), ("bright", 4000)):
        (raw / f"{name}.png").write_bytes(deep(peak))
    Image.new("RGB", (40, 40), (10, 20, 30)).save(raw / "plain.png")
    images = [PublishedImage(Path(f"{n}.png"), "A", "A", 0, n, n) for n in ("bright", "dark", "plain")]
    result = convert_all(Listing(images, [], []), raw, folder, ["A"], 40, "squash", workers=1)
    assert result.wide == {"images": 2, "highest": 4000, "low": 0, "high": 4095}
    pixels = {n: np.asarray(Image.open(folder / "A" / f"{n}.png")) for n in ("bright", "dark", "plain")}
    assert pixels["bright"].max() == 249
    assert pixels["dark"].max() == 56
    assert pixels["plain"][0, 0].tolist() == [10, 20, 30]
    seen = read_picture(deep(900), PixelRange(0, 4095)).image
    np.testing.assert_array_equal(pixels["dark"], np.asarray(seen))
    assert np.asarray(decode(deep(900))).max() == 4
