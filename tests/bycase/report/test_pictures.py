from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from bycase.report.pictures import LARGEST, THUMBNAIL, embed_figure, embed_thumbnail


def decode(uri: str) -> Image.Image:
    kind, content = uri.split(",", 1)
    assert kind == "data:image/webp;base64"
    return Image.open(BytesIO(b64decode(content)))


def test_a_drawing_loses_nothing(tmp_path: Path) -> None:
    pixels = np.full((60, 80, 3), 255, np.uint8)
    pixels[10:50, 20:60] = (0, 114, 178)
    Image.fromarray(pixels).save(tmp_path / "drawing.png")
    figure = embed_figure(tmp_path / "drawing.png", "a", "b")
    assert figure.size == (80, 60)
    np.testing.assert_array_equal(np.asarray(decode(figure.source).convert("RGB")), pixels)


def test_a_photograph_gets_smaller(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (180, 180, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 2 * LARGEST
    assert len(b64decode(embed_figure(tmp_path / "noise.png", "a", "b").source.split(",")[1])) < LARGEST


def test_a_thumbnail_keeps_its_shape(tmp_path: Path) -> None:
    Image.new("RGB", (640, 320), (200, 10, 10)).save(tmp_path / "image.png")
    small = decode(embed_thumbnail(tmp_path / "image.png"))
    assert small.size == (THUMBNAIL, THUMBNAIL // 2)
