"""One published file to one RGB square PNG, with what the manifest says of it."""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps

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


@dataclass(frozen=True)
class PixelRange:
    """What becomes black and white of pixels with more than 8 bits; of 16 bits by default all that they can hold.

    12-bit pictures in 16-bit files would be nearly black so: `range_in_use` finds what a data set uses.
    """

    low: float = 0
    high: float = 65535


FULL_RANGE = PixelRange()


@dataclass(frozen=True)
class Job:
    """What to convert: the file, where its PNG goes, how it is resized, and the range of wide pixels."""

    source: Path
    target: Path
    size: int
    mode: str
    pixel_range: PixelRange = FULL_RANGE


@dataclass(frozen=True)
class Converted:
    """What became of a job; `error` is empty where `target` was written.

    `peak` is the highest value of pixels with more than 8 bits, None of others.
    """

    target: Path
    width: int = 0
    height: int = 0
    sha256: str = ""
    phash: str = ""
    error: str = ""
    peak: int | None = None


def convert(job: Job) -> Converted:
    """Decode, hash, resize and write one image.

    A file that cannot be read or decoded gives a `Converted` with `error`; failing to write raises.
    """
    try:
        content = job.source.read_bytes()
        opened = _open(content)
        image = _to_rgb(opened, job.pixel_range)
    except DECODING_ERRORS as error:
        return Converted(job.target, error=_reason(error))
    resized = resize(image, job.size, job.mode)
    # Histology barely compresses: level 1 costs a third of level 6's time for 4 % more bytes.
    resized.save(job.target, format="PNG", compress_level=1)
    return Converted(
        target=job.target,
        width=image.width,
        height=image.height,
        sha256=hashlib.sha256(content).hexdigest(),
        phash=str(imagehash.phash(image)),
        peak=int(np.asarray(opened).max()) if _is_wide(opened) else None,
    )


def range_in_use(peak: int) -> PixelRange:
    """The range of the fewest bits (8, 10, 12, 14 or 16) that hold the highest value of all images of a data set."""
    return PixelRange(0, next(high for bits in (8, 10, 12, 14, 16) if (high := 2**bits - 1) >= min(peak, 65535)))


def decode(content: bytes, pixel_range: PixelRange = FULL_RANGE) -> Image.Image:
    """Decode an image file to 8-bit RGB, upright; the first frame of an animation.

    Parameters
    ----------
    content : bytes
        The file. Transparency is laid on white.
    pixel_range : PixelRange
        By which 16-bit grey is scaled to 8 bits.

    Raises
    ------
    One of `DECODING_ERRORS`
        If it is damaged, no image, or claims more than `PIL.Image.MAX_IMAGE_PIXELS` pixels (89 million).
    """
    return _to_rgb(_open(content), pixel_range)


def _open(content: bytes) -> Image.Image:
    """The pixels as they are in the file, upright."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
            image: Image.Image = ImageOps.exif_transpose(opened)
    return image


def _is_wide(image: Image.Image) -> bool:
    """Whether pixels have more than 8 bits: a range has to be chosen for them."""
    return image.mode.startswith("I;16") or image.mode == "I"


def _to_rgb(image: Image.Image, pixel_range: PixelRange) -> Image.Image:
    if _is_wide(image):
        values = np.asarray(image, dtype=np.float64)
        grey = np.clip((values - pixel_range.low) / (pixel_range.high - pixel_range.low) * 255, 0, 255)
        return Image.fromarray(grey.round().astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def resize(image: Image.Image, size: int, mode: str) -> Image.Image:
    """Bring an RGB image to ``size`` x ``size`` pixels, bicubic and antialiased.

    Parameters
    ----------
    image : Image
        RGB.
    size : int
        Pixels.
    mode : {'squash', 'crop', 'pad'}
        Ignore the aspect ratio; keep it and cut the longer side at both ends; keep it and fill the
        shorter side with the mean colour of the image's border.
    """
    square = (size, size)
    if mode == "squash":
        return image.resize(square, Image.Resampling.BICUBIC)
    if mode == "crop":
        return ImageOps.fit(image, square, Image.Resampling.BICUBIC)
    if mode == "pad":
        return ImageOps.pad(image, square, Image.Resampling.BICUBIC, color=_border_colour(image))
    raise ValueError(f"resize: {mode} is none of squash, crop, pad")


def _border_colour(image: Image.Image) -> tuple[int, int, int]:
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = border.mean(axis=0).round().astype(int).tolist()
    return red, green, blue


def _reason(error: BaseException) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    # Pillow's message names a memory address, which would make two reports differ.
    return "not an image, or a damaged header" if "cannot identify" in str(error) else str(error) or "damaged"
