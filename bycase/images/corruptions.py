"""Damage to images, each kind in five severities.

References
----------
Hendrycks and Dietterich (2019), Benchmarking neural network robustness to common corruptions and perturbations, ICLR,
arXiv:1903.12261. Brightness, contrast, noise and JPEG quality are as strong as in its ImageNet-C; its code is
generalised to any size of image by Michaelis et al. (2019), Benchmarking robustness in object detection,
arXiv:1907.07484 (package imagecorruptions).
Tellez et al. (2019), Quantifying the effects of data augmentation and stain color normalization in convolutional
neural networks for computational pathology, Medical Image Analysis 58, arXiv:1902.06543. Its HED-light is severity 1
of stain, its HED-strong severity 4.
Engstrom et al. (2019), Exploring the landscape of spatial robustness, ICML, arXiv:1712.02779. It turns by 30 degrees
at most: severity 4 of rotation.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.core.seeding import generator
from bycase.images.augmentation.stain import JITTERED, change_stain

Picture = NDArray[np.uint8]  # of shape (size, size, 3), RGB
Corrupt = Callable[[Picture, float, np.random.Generator], Picture]

REFERENCE_SIDE = 224  # pixels; for which strengths in pixels are given
SEVERITIES = (1, 2, 3, 4, 5)
STAIN = "stain"


@dataclass(frozen=True)
class Corruption:
    """One kind of damage.

    Attributes
    ----------
    apply : callable
        From an image, a strength and random numbers to the damaged image.
    strengths : tuple of five floats
        At severities 1 to 5.
    words : str
        What a strength is.
    """

    apply: Corrupt
    strengths: tuple[float, float, float, float, float]
    words: str


def corrupt(images: Picture, names: Sequence[str], corruption: str, severity: int, seed: int) -> Picture:
    """Damage images; what becomes of one depends on its name, not on those beside it.

    What is drawn at random, such as a direction or a field of noise, is the same at every severity, so that an image
    gets worse step by step.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    names : sequence of str
        Of the images, for random numbers.
    corruption : str
        A key of `CORRUPTIONS`.
    severity : int
        0 (unchanged) to 5.
    seed : int
        The pipeline's seed.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), uint8
    """
    if severity == 0:
        return images
    chosen = CORRUPTIONS[corruption]
    strength = chosen.strengths[severity - 1]
    return np.stack(
        [
            chosen.apply(image, strength, generator(seed, "robustness", corruption, name))
            for image, name in zip(images, names, strict=True)
        ]
    )


def shift_stain(image: Picture, strength: float, random: np.random.Generator) -> Picture:
    """More or less haematoxylin and eosin, each on its own; see `bycase.images.augmentation.stain.jitter_stain`."""
    factors, shifts = strength * random.uniform(-1, 1, (2, 1, JITTERED))
    return _to_bytes(change_stain(image[None].astype(np.float32), 1 + factors, shifts)[0])


def change_brightness(image: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Brighten half of the images and darken the others, as laboratories err either way: HSV's value is moved."""
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = np.clip(hsv[..., 2] + strength * _sign(random), 0, 1)
    return _to_bytes(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255)


def lower_contrast(image: Picture, strength: float, _: np.random.Generator) -> Picture:
    """Move every pixel towards the image's mean colour, so that `strength` of its distance is left."""
    mean = image.mean(axis=(0, 1), dtype=np.float32)
    return _to_bytes(mean + np.float32(strength) * (image.astype(np.float32) - mean))


def blur(image: Picture, strength: float, _: np.random.Generator) -> Picture:
    """Blur by a Gaussian of `strength` pixels of an image of 224."""
    return cv2.GaussianBlur(image, (0, 0), strength * len(image) / REFERENCE_SIDE)  # type: ignore[return-value]


def compress(image: Picture, strength: float, _: np.random.Generator) -> Picture:
    """Through a JPEG file of this quality."""
    written = BytesIO()
    Image.fromarray(image).save(written, "JPEG", quality=int(strength))
    with Image.open(written) as read:
        return np.asarray(read)


def add_noise(image: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Add Gaussian noise to every channel of every pixel."""
    noise = random.standard_normal(image.shape, np.float32)
    return _to_bytes(image.astype(np.float32) + np.float32(255 * strength) * noise)


def rotate(image: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Turn by so many degrees, half of the images clockwise; corners are filled with the mirrored image."""
    return _warp(image, strength * _sign(random), 1)


def magnify(image: Picture, strength: float, _: np.random.Generator) -> Picture:
    """Zoom in on the centre; other than with a stronger lens, no detail comes to light."""
    return _warp(image, 0, strength)


def _warp(image: Picture, degrees: float, scale: float) -> Picture:
    """Turn and scale about the centre of the pixel grid."""
    size, centre = len(image), (len(image) - 1) / 2
    matrix = cv2.getRotationMatrix2D((centre, centre), degrees, scale)
    return cv2.warpAffine(  # type: ignore[return-value]
        image, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )


def _sign(random: np.random.Generator) -> float:
    return math.copysign(1, random.random() - 0.5)


def _to_bytes(image: NDArray[Any]) -> Picture:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


CORRUPTIONS = {
    STAIN: Corruption(shift_stain, (0.05, 0.1, 0.15, 0.2, 0.25), "H and E, up to \N{PLUS-MINUS SIGN} share"),
    "brightness": Corruption(change_brightness, (0.1, 0.2, 0.3, 0.4, 0.5), "HSV value, \N{PLUS-MINUS SIGN}"),
    "contrast": Corruption(lower_contrast, (0.4, 0.3, 0.2, 0.1, 0.05), "share left"),
    "blur": Corruption(blur, (1, 2, 3, 4, 6), "SD in pixels of 224"),
    "jpeg": Corruption(compress, (25, 18, 15, 10, 7), "JPEG quality"),
    "noise": Corruption(add_noise, (0.08, 0.12, 0.18, 0.26, 0.38), "SD, share of range"),
    "rotation": Corruption(rotate, (5, 10, 20, 30, 45), "degrees, \N{PLUS-MINUS SIGN}"),
    # From one of BreakHis' lenses to the next: 2 from 100X and 200X, 2.5 from 40X.
    "magnification": Corruption(magnify, (1.1, 1.25, 1.5, 2, 2.5), "zoom factor"),
}


def applicable(corruptions: Sequence[str], stained: bool) -> list[str]:
    """Those of the corruptions that make sense: stain only where images are of H&E-stained tissue."""
    return [name for name in corruptions if stained or name != STAIN]
