"""One published file to one RGB square PNG, with what the manifest says of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps

from bycase.images.blank import find_blank
from bycase.images.decode import DECODING_ERRORS, read_pixels, reason
from bycase.images.ranges import TYPE_RANGES, PixelRange, Values, own_range


@dataclass(frozen=True)
class Job:
    """What to convert: the file, where its PNG goes, how it is resized, and the range of each kind of pixels.

    A kind that `ranges` lacks has the range of its type; None: each picture has its own.
    """

    source: Path
    target: Path
    size: int
    mode: str
    ranges: Mapping[str, PixelRange | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Converted:
    """What became of a job; `error` is empty where `target` was written, `blank` where there is something to see."""

    target: Path
    width: int = 0
    height: int = 0
    sha256: str = ""
    phash: str = ""
    error: str = ""
    pixel_values: Values | None = None
    blank: str = ""


def convert(job: Job) -> Converted:
    """Decode, hash, resize and write one image.

    A file that cannot be read or decoded gives a `Converted` with `error`; failing to write raises.
    """
    try:
        content = job.source.read_bytes()
        pixels = read_pixels(content)
    except DECODING_ERRORS as error:
        return Converted(job.target, error=reason(error))
    values = pixels.values
    image = pixels.to_rgb(job.ranges.get(values.kind, TYPE_RANGES[values.kind]) or own_range(values))
    resized = resize(image, job.size, job.mode)
    # Histology barely compresses: level 1 costs a third of level 6's time for 4 % more bytes.
    resized.save(job.target, format="PNG", compress_level=1)
    return Converted(
        target=job.target,
        width=image.width,
        height=image.height,
        sha256=hashlib.sha256(content).hexdigest(),
        phash=str(imagehash.phash(image)),
        pixel_values=values,
        blank=find_blank(resized),
    )


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
