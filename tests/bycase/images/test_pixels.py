from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.images.pixels import read_pixels


def test_pixels_come_in_the_order_asked_for(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3), dtype=np.uint8)
    for number, pixels in enumerate(images):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    order = [5, 0, 8, 3, 3]
    read = read_pixels([f"{number}.png" for number in order], tmp_path)
    assert read.dtype == np.uint8
    assert (read == images[order]).all()


@pytest.mark.parametrize("content", [None, b"", b"text"])
def test_image_that_is_missing_or_damaged_is_named_with_the_way_out(tmp_path: Path, content: bytes | None) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "good.png")
    if content is not None:
        (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(UserError, match=r"bad\.png cannot be read .*run 'dvc repro -f restructure preprocess'"):
        read_pixels(["good.png", "bad.png"], tmp_path)
