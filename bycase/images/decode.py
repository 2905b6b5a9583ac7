"""One image file to 8-bit RGB: the one decoder of restructuring and prediction."""

import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bycase.images.deep import PLANAR, TAGS, WHITE_IS_ZERO, is_planar, is_tiff, read_by_opencv, read_tiff
from bycase.images.extra_formats import admit_heic, is_dicom, is_heic, read_dicom
from bycase.images.formats import NotReadError
from bycase.images.ranges import TYPE_RANGES, Kind, PixelRange, Values

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
# What Pillow raises for files that are damaged, have damaged EXIF, are no image, or claim to be huge.
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_PNG = b"\x89PNG\r\n\x1a\n"
_SIGNED, _MULTIPLIED = 2, 1
# By the number in EXIF: how an image that lies otherwise is brought upright.
_UPRIGHT = {
    2: lambda values: values[:, ::-1],
    3: lambda values: values[::-1, ::-1],
    4: lambda values: values[::-1],
    5: lambda values: values.swapaxes(0, 1),
    6: lambda values: values.swapaxes(0, 1)[:, ::-1],
    7: lambda values: values[::-1, ::-1].swapaxes(0, 1),
    8: lambda values: values.swapaxes(0, 1)[::-1],
}


@dataclass(frozen=True)
class Pixels:
    """An image as its file has it, upright; the first frame of several.

    Attributes
    ----------
    values : Values
        Their kind and range.
    image : Image or None
        RGB, of kind ``8-bit``.
    wide : ndarray of shape (height, width) or (height, width, 3), or None
        Of the other kinds.
    alpha : ndarray of shape (height, width), float64, in [0, 1], or None
        Opacity of `wide`.
    inverted : bool
        Whether the lowest value of `wide` is white.
    notes : tuple of str
        What was done, and what was left out.
    """

    values: Values
    image: Image.Image | None = None
    wide: NDArray[np.generic] | None = None
    alpha: NDArray[np.float64] | None = None
    inverted: bool = False
    notes: tuple[str, ...] = ()

    def to_rgb(self, pixel_range: PixelRange | None = None) -> Image.Image:
        """The image with 8 bits a channel; `pixel_range` is that of the type where left out."""
        scale = pixel_range or TYPE_RANGES[self.values.kind]
        if self.image is not None:
            if scale == TYPE_RANGES["8-bit"]:
                return self.image
            return Image.fromarray(_scale(np.asarray(self.image), scale))
        assert self.wide is not None
        scaled = _scale(self.wide, scale)
        if self.inverted:
            scaled = 255 - scaled
        image = Image.fromarray(scaled).convert("RGB")
        if self.alpha is None:
            return image
        opacity = Image.fromarray((self.alpha * 255).round().astype(np.uint8))
        return Image.composite(image, Image.new("RGB", image.size, "white"), opacity)


def decode(content: bytes, pixel_range: PixelRange | None = None) -> Image.Image:
    """Decode an image file to 8-bit RGB, upright; the first frame of an animation.

    Parameters
    ----------
    content : bytes
        The file. Transparency is laid on white.
    pixel_range : PixelRange, optional
        What becomes black and white; the range of the pixels' type where left out.

    Raises
    ------
    One of `DECODING_ERRORS`
        If it is damaged, no image, or claims more than `PIL.Image.MAX_IMAGE_PIXELS` pixels (89 million).
    """
    return read_pixels(content).to_rgb(pixel_range)


def read_pixels(content: bytes) -> Pixels:
    """Read an image file of one of the `FORMATS`, whatever its name says; raises one of `DECODING_ERRORS`."""
    if is_dicom(content):
        return _from_dicom(*read_dicom(content))
    formats: tuple[str, ...] = FORMATS
    if is_heic(content):
        admit_heic()
        formats = (*FORMATS, "HEIF")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of damage, which ends in an error or does no harm
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=formats) as opened:
                return _read(opened, content)
        except UnidentifiedImageError:
            if not is_tiff(content):
                raise
            return _from_tiff(*read_tiff(content), content)


def reason(error: BaseException) -> str:
    """Why a file could not be read, in one line that is the same in every run."""
    words = " ".join(str(error).split())
    if isinstance(error, PermissionError):
        return "no permission to read it"
    # Pillow's message names a memory address.
    return "not an image, or a damaged header" if "cannot identify" in words else words or "damaged"


def _read(opened: Image.Image, content: bytes) -> Pixels:
    mode = opened.mode
    # Before EXIF is read, for which Pillow decodes a PNG and forgets how its pixels were stored.
    deep_channels = ";16" in str(getattr(opened, "tile", "")) and not mode.startswith("I;16")
    orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
    tags = getattr(opened, "tag_v2", {})
    transparent = mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
    notes = {
        "first frame only": getattr(opened, "is_animated", False),
        "turned as its EXIF says": orientation != 1,
        "transparency laid on white": transparent,
        "CMYK converted without its colour profile": mode == "CMYK",
        "grey": mode in ("1", "L", "LA", "I", "F") or mode.startswith("I;16"),
    }
    if tags.get(TAGS["SampleFormat"], (1,))[0] == _SIGNED and mode in ("L", "RGB"):
        raise NotReadError("pixels of 8 bits with a sign, which are not read; save it without")
    if is_planar(tags) and max(tags.get(TAGS["BitsPerSample"], (8,))) > 8:
        raise NotReadError(PLANAR)
    opened.load()
    # Colours that are multiplied by their opacity already, Pillow divides again.
    plain = tags.get(TAGS["ExtraSamples"]) != (_MULTIPLIED,)
    deep = _read_deep_channels(content, orientation, transparent) if deep_channels and plain else None
    notes["16 bits a channel cut to 8"] = deep_channels and deep is None
    said = tuple(note for note, holds in notes.items() if holds)
    if deep is not None:
        return replace(deep, values=_declare(deep.values, content, tags), notes=said)
    image = ImageOps.exif_transpose(opened)
    kind: Kind = "integer" if mode.startswith("I;16") or mode == "I" else "float" if mode == "F" else "8-bit"
    if kind == "8-bit":
        rgb = _lay_on_white(image) if transparent else image.convert("RGB")
        extrema = rgb.getextrema()
        lowest, highest = int(np.min(extrema)), int(np.max(extrema))
        return Pixels(Values(kind, lowest, highest), image=rgb, notes=said)
    wide = np.asarray(image)
    inverted = tags.get(TAGS["PhotometricInterpretation"]) == WHITE_IS_ZERO
    return Pixels(_declare(_values_of(wide), content, tags), wide=wide, inverted=inverted, notes=said)


def _from_dicom(pixels: NDArray[Any], bits: int, inverted: bool, notes: list[str]) -> Pixels:
    if pixels.dtype == np.uint8:
        pixels = 255 - pixels if inverted else pixels
        image = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
        return Pixels(Values("8-bit", int(pixels.min()), int(pixels.max())), image=image, notes=tuple(notes))
    kind: Kind = "integer" if np.all(pixels == np.floor(pixels)) else "float"
    values = Values(kind, float(pixels.min()), float(pixels.max()), bits=bits if 8 < bits < 16 else 0)
    return Pixels(values, wide=pixels, inverted=inverted, notes=tuple(notes))


def _lay_on_white(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _read_deep_channels(content: bytes, orientation: int, transparent: bool) -> Pixels | None:
    """Colour of 16 bits a channel, of which Pillow keeps the upper 8; None where OpenCV does not read it either."""
    pixels = read_by_opencv(content)
    if pixels is None or pixels.dtype != np.uint16:
        return None
    upright = _UPRIGHT[orientation](pixels) if orientation in _UPRIGHT and not is_tiff(content) else pixels
    alpha = None
    if upright.ndim == 3:
        # A TIFF's fourth channel may be anything.
        alpha = np.asarray(upright[..., 3] / 65535, np.float64) if transparent and upright.shape[2] == 4 else None
        upright = upright[..., :3]
    wide = np.ascontiguousarray(upright)
    return Pixels(Values("integer", int(wide.min()), int(wide.max())), wide=wide, alpha=alpha)


def _from_tiff(pixels: NDArray[Any], tags: Mapping[int, Any], more: bool, content: bytes) -> Pixels:
    notes = {
        "first frame only": more,
        "turned as its EXIF says": tags.get(TAGS["Orientation"], 1) != 1,
        "grey": pixels.ndim == 2,
    }
    inverted = tags.get(TAGS["PhotometricInterpretation"]) == WHITE_IS_ZERO
    said = tuple(note for note, holds in notes.items() if holds)
    return Pixels(_declare(_values_of(pixels), content, tags), wide=pixels, inverted=inverted, notes=said)


def _values_of(wide: NDArray[Any]) -> Values:
    if not np.isfinite(wide).all():
        raise NotReadError("pixels that are not finite numbers")
    return Values("float" if wide.dtype.kind == "f" else "integer", float(wide.min()), float(wide.max()))


def _declare(values: Values, content: bytes, tags: Mapping[int, Any]) -> Values:
    """Add what the file says of its range."""
    if content.startswith(_PNG):
        return replace(values, bits=_significant_bits(content))
    if not is_tiff(content):
        return values
    bits = int(max(tags.get(TAGS["BitsPerSample"], (0,))))
    low, high = (
        _number(tags.get(TAGS[f"S{name}SampleValue"], tags.get(TAGS[f"{name}SampleValue"]))) for name in ("Min", "Max")
    )
    # Some writers put the lowest and highest value of the picture there, which is no range of a data set.
    if high is None or high == values.highest or high <= (low or 0):
        return replace(values, bits=bits if values.kind == "integer" and 8 < bits < 16 else 0)
    return replace(values, declared=PixelRange(low or 0.0, high))


def _number(value: object) -> float | None:
    first = value[0] if isinstance(value, tuple) and value else value
    return float(first) if isinstance(first, int | float) else None


def _significant_bits(content: bytes) -> int:
    """The most bits that a PNG's sBIT names; 0 without it."""
    place = len(_PNG)
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        if name == b"sBIT":
            bits = max(content[place + 8 : place + 8 + min(length, 3)], default=0)
            return bits if 8 < bits < 16 else 0
        if name == b"IDAT":
            break
        place += length + 12
    return 0


def _scale(values: NDArray[np.generic], pixel_range: PixelRange) -> NDArray[np.uint8]:
    low, high = pixel_range.low, pixel_range.high
    scaled = np.clip((values.astype(np.float64) - low) / (high - low) * 255, 0, 255)
    return scaled.round().astype(np.uint8)
