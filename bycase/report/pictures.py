"""Images as `data:` URIs, as small as their content allows."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

from PIL import Image

from bycase.report.blocks import Figure

# Bytes of one figure before base64; fifteen of them stay below 1 MB.
LARGEST = 45_000
QUALITIES = (85, 70, 55, 40)
THUMBNAIL = 160  # pixels


def embed_figure(path: Path, alt: str, caption: str) -> Figure:
    """A figure of the pipeline as part of the page: WebP, lossless where that is small enough.

    Parameters
    ----------
    path : Path
        A PNG file.
    alt : str
        What it shows, for those who do not see it.
    caption : str
        What stands below it.
    """
    with Image.open(path) as image:
        drawn = image.convert("RGB")
    content = _encode(drawn, lossless=True)
    for quality in QUALITIES:
        if len(content) <= LARGEST:
            break
        content = _encode(drawn, quality=quality)
    return Figure(_data_uri(content), alt, caption, drawn.size)


def embed_thumbnail(path: Path) -> str:
    """An image of the data set as a small ``data:`` URI."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return _data_uri(_encode(small, quality=78))


def _encode(image: Image.Image, *, lossless: bool = False, quality: int = 80) -> bytes:
    written = BytesIO()
    image.save(written, "WEBP", lossless=lossless, quality=100 if lossless else quality, method=4)
    return written.getvalue()


def _data_uri(content: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(content).decode('ascii')}"
