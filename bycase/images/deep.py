"""Pixels that Pillow cuts to 8 bits, or does not know, read by OpenCV: 16 bits a channel, and TIFF of further types."""

import io
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from bycase.images.formats import NotReadError

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
TAGS = {tag.name: number for number, tag in TiffTags.TAGS_V2.items()}
WHITE_IS_ZERO = 0
PLANAR = "colour of more than 8 bits, one plane after another, which is not read; save it interleaved"
_UNSIGNED, _FLOAT = 1, 3
_CHANNELS = {0: 1, 1: 1, 2: 3}  # by PhotometricInterpretation: grey, and RGB
_TYPES = {_UNSIGNED: "integers", 2: "integers with a sign", _FLOAT: "floating point"}


def is_tiff(content: bytes) -> bool:
    """Whether a file is a TIFF by its first bytes."""
    return content.startswith(TIFF_STARTS)


def is_planar(tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF holds its channels one after another, which OpenCV takes for interleaved ones."""
    return bool(tags.get(TAGS["PlanarConfiguration"], 1) == 2)


def read_by_opencv(content: bytes) -> NDArray[Any] | None:
    """The pixels as stored, with channels in the order RGB or RGBA; None where OpenCV does not read them.

    Of a TIFF they are upright; of other formats as they lie in the file.
    """
    import cv2

    # Else it writes several lines on standard error for a damaged file.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return pixels if pixels is None or pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def read_tiff(content: bytes) -> tuple[NDArray[Any], Mapping[int, Any], bool]:
    """The first image of a TIFF whose pixels Pillow does not know, such as colour in floating point.

    Returns
    -------
    pixels : ndarray of shape (height, width) or (height, width, 3)
        Upright; floating point or integers.
    tags : mapping of int to object
        Of that image.
    more : bool
        Whether others follow.

    Raises
    ------
    NotReadError
        If they are of a type that is not read either; it is named.
    OSError, DecompressionBombError
        If the file is damaged, or claims more than `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    tags = _read_tags(content)
    width, height, photometric = (
        _number(tags, name, -1) for name in ("ImageWidth", "ImageLength", "PhotometricInterpretation")
    )
    if Image.MAX_IMAGE_PIXELS and width * height > Image.MAX_IMAGE_PIXELS:
        raise Image.DecompressionBombError(f"{width} x {height} pixels")
    channels = _number(tags, "SamplesPerPixel", 1)
    bits, stored = (set(tags.get(TAGS[name], (1,))) for name in ("BitsPerSample", "SampleFormat"))
    if channels > 1 and is_planar(tags):
        raise NotReadError(PLANAR)
    plain = len(bits) == len(stored) == 1 and channels == _CHANNELS.get(photometric)
    if not plain or not stored <= set(_TYPES) or not bits <= ({32, 64} if _FLOAT in stored else {16, 32}):
        count, wide = f"{channels} {'channel' if channels == 1 else 'channels'}", "/".join(map(str, sorted(bits)))
        kinds = " and ".join(sorted({_TYPES.get(kind, "other numbers") for kind in stored}))
        raise NotReadError(
            f"a TIFF of {count} of {wide}-bit {kinds}, which is not read; save it as grey or RGB of 16-bit "
            "integers or 32-bit floating point"
        )
    pixels = read_by_opencv(content)
    if pixels is None:
        raise OSError("pixels of a TIFF")
    return pixels, tags, bool(tags.next)


def _number(tags: Mapping[int, Any], name: str, missing: int) -> int:
    try:
        return int(tags.get(TAGS[name], missing))
    except (TypeError, ValueError):
        raise OSError("header of a TIFF") from None


def _read_tags(content: bytes) -> ImageFileDirectory_v2:
    try:
        # Of a TIFF of 64-bit offsets, the header is twice as long.
        tags = ImageFileDirectory_v2(content[: 16 if 43 in content[2:4] else 8])
        file = io.BytesIO(content)
        file.seek(tags.next)
        tags.load(file)
    except (struct.error, SyntaxError, TypeError, ValueError):
        raise OSError("header of a TIFF") from None
    return tags
