"""Generated ultrasound-like images in BUSI's layout, for runs and tests without real data.

They imitate what makes BUSI hard to score honestly: a patient has several images and nothing in the layout
says so, one image stands under two names, and gain and depth differ from patient to patient. Nothing measured
on them says anything about real tissue.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from bycase.core.errors import UserError
from bycase.core.seeding import generator
from bycase.datasets.phantoms.shapes import Floats, depth_inside, share_out, smooth_noise

FOLDER = "Dataset_BUSI_with_GT"
SHARES = {"benign": 437, "malignant": 210, "normal": 133}  # of the published data set
LEAST = 4  # patients of a class, so that train, val and test can each have one
SEVERAL = 0.15  # share of benign images with a second lesion


@dataclass(frozen=True)
class Scan:
    """One image: its class, its number there, and the patient whom the layout does not name."""

    label: str
    number: int
    patient: int

    @property
    def name(self) -> str:
        """The file name without suffix."""
        return f"{self.label} ({self.number})"


def write_phantom(root: Path, *, cases: int, images: int, width: int, height: int, seed: int) -> None:
    """Write generated ultrasound images and their masks.

    Parameters
    ----------
    root : Path
        An existing empty folder; receives ``Dataset_BUSI_with_GT/{benign,malignant,normal}``.
    cases : int
        Number of patients, at least 12.
    images : int
        Exact number of images, masks not counted; more than `cases`. The last benign one has the
        first one's pixels.
    width, height : int
        Of every image, in pixels.
    seed : int
        Fixes every pixel.

    Raises
    ------
    UserError
        If there are too few cases for the classes, or too few images for the cases.
    """
    scans = plan_scans(cases, images)
    last = max(scan.number for scan in scans if scan.label == "benign")
    for label in SHARES:
        (root / FOLDER / label).mkdir(parents=True)
    for scan in scans:
        shown = Scan("benign", 1, 0) if (scan.label, scan.number) == ("benign", last) else scan
        image, masks = draw_scan(shown, width, height, seed)
        place = root / FOLDER / scan.label
        Image.fromarray(image).convert("RGB").save(place / f"{scan.name}.png", compress_level=1)
        for number, mask in enumerate(masks):
            suffix = f"_mask_{number}" if number else "_mask"
            Image.fromarray(mask).save(place / f"{scan.name}{suffix}.png", compress_level=1)


def plan_scans(cases: int, images: int) -> list[Scan]:
    """Which images there are; every patient has at least one, of one class."""
    if images <= cases:
        raise UserError(f"datasets.<name>.phantom: {images} images are too few for {cases} cases and a duplicate")
    patients = share_out(cases, list(SHARES.values()), LEAST)
    further = share_out(images - cases - 1, list(SHARES.values()), 0)
    further[0] += 1
    scans, first = [], 0
    for label, n, more in zip(SHARES, patients, further, strict=True):
        scans += [Scan(label, number + 1, first + number % n) for number in range(n + more)]
        first += n
    return scans


def draw_scan(scan: Scan, width: int, height: int, seed: int) -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]:
    """Draw one image and the masks of its lesions; the patient fixes tissue and gain, the number all else.

    Returns
    -------
    image : ndarray of shape (height, width), uint8
        Grey.
    masks : list of ndarray of shape (height, width), uint8
        255 inside a lesion, else 0; a normal image has one empty mask, as published.
    """
    patient = generator(seed, "busi", "patient", scan.patient)
    rng = generator(seed, "busi", "image", scan.name)
    shape = (height, width)
    echo, depth = _draw_tissue(patient, rng, shape)
    masks = []
    lesions = {"benign": 1 + int(rng.random() < SEVERAL), "malignant": 1, "normal": 0}[scan.label]
    for lesion in range(lesions):
        inside = _place_lesion(rng, shape, scan.label == "malignant", lesion, lesions)
        echo += _lesion_echo(rng, inside, scan.label == "malignant")
        masks.append(np.where(inside > 0, 255, 0).astype(np.uint8))
    grey = _form_image(rng, echo - patient.uniform(0.5, 1.1) * depth, patient.uniform(0.9, 1.15))
    return grey, masks or [np.zeros(shape, np.uint8)]


def _draw_tissue(
    patient: np.random.Generator, rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Log echo strength of skin, fat, gland and muscle, which lie in wavy layers; and the depth from 0 to 1."""
    height, width = shape
    depth = np.linspace(0, 1, height)[:, None] + 0.02 * smooth_noise(rng, (2, width), width / 8)[:1]
    fat, muscle = patient.uniform(0.18, 0.32), patient.uniform(0.7, 0.85)
    # Layers lie across the beam: texture is longer sideways than downwards.
    texture = np.repeat(smooth_noise(rng, (height, -(-width // 4)), height / 50), 4, axis=1)[:, :width]
    texture = patient.uniform(0.25, 0.45) * gaussian_filter(texture, (0, 4))
    echo = np.select([depth < 0.05, depth < fat, depth < muscle], [1.0, -0.7, 0.35], -0.35) + texture
    return gaussian_filter(echo, 1.5), np.broadcast_to(depth, shape)


def _place_lesion(
    rng: np.random.Generator, shape: tuple[int, int], malignant: bool, lesion: int, lesions: int
) -> Floats:
    """Where the lesion is: a benign one is smooth and wider than tall, a malignant one often is neither."""
    height, width = shape
    column = width * (rng.uniform(0.35, 0.65) if lesions == 1 else (0.28, 0.72)[lesion] + rng.uniform(-0.04, 0.04))
    size = height * rng.uniform(0.1, 0.2) / (1 if lesions == 1 else 1.4)
    ratio = rng.uniform(0.65, 1.15) if malignant else rng.uniform(1.1, 1.8)
    roughness = rng.uniform(0.1, 0.25) if malignant else rng.uniform(0.02, 0.08)
    return depth_inside(rng, shape, (height * rng.uniform(0.38, 0.55), column), (size, size * ratio), roughness)


def _lesion_echo(rng: np.random.Generator, inside: Floats, malignant: bool) -> Floats:
    """A dark lesion; below it brighter tissue where it is benign, a shadow where it is malignant."""
    dark = rng.uniform(1.0, 1.8) * np.clip(inside * 8, 0, 1)
    behind = (np.maximum.accumulate(inside > 0, axis=0) & (inside <= 0)).astype(float)
    tail = gaussian_filter(behind, 4) * (-rng.uniform(0.1, 0.9) if malignant else rng.uniform(0.0, 0.5))
    rim = rng.uniform(0.3, 0.8) * np.exp(-((inside / 0.12) ** 2)) if malignant else 0.0
    echo: Floats = tail + rim - dark
    return echo


def _form_image(rng: np.random.Generator, echo: Floats, gain: float) -> NDArray[np.uint8]:
    """Fully developed speckle on the echo strength, compressed to grey values as a scanner does."""
    spread = (0.9, 1.6)  # pixels: resolution is finer along the beam than across it
    real, imaginary = (gaussian_filter(rng.standard_normal(echo.shape), spread) for _ in range(2))
    amplitude = np.hypot(real, imaginary)
    amplitude *= np.exp(echo) / amplitude.mean()
    grey = 95 * gain * np.log1p(1.6 * amplitude)
    pixels: NDArray[np.uint8] = np.clip(grey, 0, 255).round().astype(np.uint8)
    return pixels
