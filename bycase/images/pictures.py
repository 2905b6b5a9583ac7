"""One picture file that nobody has vouched for, as 8-bit RGB, with what was done to it in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from bycase.images.blank import WORDS, find_blank
from bycase.images.decode import FORMATS, read_pixels
from bycase.images.decode import reason as decoding_reason
from bycase.images.formats import NotReadError
from bycase.images.ranges import TYPE_RANGES, UnknownRangeError, UsedRange, range_of_picture

MAX_BYTES = 256_000_000
MAX_PIXELS = 89_478_485  # Pillow's own limit: 256 MB of RGB
_LOOKED_AT = 128  # pixels, for whether there is anything to see


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


def read_picture(content: bytes, ranges: Mapping[str, UsedRange] | None = None) -> Picture:
    """Decode a picture as the pipeline does, whatever its name says.

    Parameters
    ----------
    content : bytes
        A file of one of the `FORMATS`, of at most `MAX_BYTES`, with at most `MAX_PIXELS`.
    ranges : mapping of kind to UsedRange, optional
        By which the classifier's training images were read; none where left out.

    Raises
    ------
    PictureError
        If it is empty, too large, damaged, no such file, or what is black and white in it cannot be known.
    """
    if not content:
        raise PictureError("the file is empty")
    if len(content) > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES / 1e6:.0f} MB")
    try:
        pixels = read_pixels(content)
        used = range_of_picture(pixels.values, ranges or {})
        image = pixels.to_rgb(used)
    except (UnknownRangeError, NotReadError) as error:
        raise PictureError(str(error)) from None
    # Pillow's readers raise nearly anything on a damaged file.
    except Exception as error:
        raise PictureError(_reason(error)) from None
    notes, kind = list(pixels.notes), pixels.values.kind
    blank = find_blank(image.resize((_LOOKED_AT, _LOOKED_AT)))
    if kind != "8-bit" or used != TYPE_RANGES[kind]:
        notes.append(f"{used.low:g} made black, {used.high:g} white")
    return Picture(image, [*notes, WORDS[blank]] if blank else notes)


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {MAX_PIXELS / 1e6:.0f} million pixels"
    words = decoding_reason(error)
    if "cannot identify" not in str(error):
        return f"damaged ({words[:150] if str(error) else type(error).__name__})"
    return f"not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file, or a damaged header"
