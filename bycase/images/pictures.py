"""One picture file that nobody has vouched for, as 8-bit RGB, with what was done to it in words."""

import io
from dataclasses import dataclass

from PIL import Image

from bycase.images.convert import FULL_RANGE, PixelRange, decode

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
MAX_BYTES = 256_000_000
MAX_PIXELS = 89_478_485  # Pillow's own limit: 256 MB of RGB
_EXIF_ORIENTATION = 0x0112
_UNBOUNDED = {"F": "32-bit floating-point", "I": "32-bit integer"}


class PictureError(Exception):
    """Why a picture cannot be used, in one line."""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes
    ----------
    image : Image
        RGB, upright.
    notes : list of str
        What was done to the file's pixels, and what was left out.
    """

    image: Image.Image
    notes: list[str]


def read_picture(content: bytes, pixel_range: PixelRange = FULL_RANGE) -> Picture:
    """Decode a picture as the pipeline does, whatever its name says.

    Parameters
    ----------
    content : bytes
        A file of one of the `FORMATS`, of at most `MAX_BYTES`, with at most `MAX_PIXELS`.
    pixel_range : PixelRange
        Of pixels with more than 8 bits: the one that the classifier's training images were read with.

    Raises
    ------
    PictureError
        If it is empty, too large, damaged, no such file, or its pixels have no fixed range.
    """
    if not content:
        raise PictureError("the file is empty")
    if len(content) > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES / 1e6:.0f} MB")
    try:
        notes = _describe(content)
        return Picture(decode(content, pixel_range), notes)
    except PictureError:
        raise
    # Pillow's readers raise nearly anything on a damaged file.
    except Exception as error:
        raise PictureError(_reason(error)) from None


def _describe(content: bytes) -> list[str]:
    """Check the header, and tell what decoding will change."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise PictureError(f"{opened.width} x {opened.height} pixels are more than {MAX_PIXELS / 1e6:.0f} million")
        if opened.mode in _UNBOUNDED:
            raise PictureError(f"{_UNBOUNDED[opened.mode]} pixels have no fixed range; save it with 8 or 16 bits")
        mode, depth = opened.mode, str(opened.tile)
        transparent = mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
        turned = opened.getexif().get(_EXIF_ORIENTATION, 1) != 1
        notes = {
            "first frame only": getattr(opened, "is_animated", False),
            "turned as its EXIF says": turned,
            "16-bit grey scaled to 8 bits": mode.startswith("I;16"),
            "16 bits a channel cut to 8": ";16" in depth and not mode.startswith("I;16"),
            "transparency laid on white": transparent,
            "CMYK converted without its colour profile": mode == "CMYK",
            "grey": mode in ("1", "L", "LA") or mode.startswith("I;16"),
        }
    return [note for note, said in notes.items() if said]


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    # Pillow's message names a memory address, which would make two runs differ.
    if "cannot identify" in words:
        return f"not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file, or a damaged header"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {MAX_PIXELS / 1e6:.0f} million pixels"
    return f"damaged ({words[:150] or type(error).__name__})"
