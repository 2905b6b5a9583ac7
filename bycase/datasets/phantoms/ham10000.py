"""Generated dermatoscopy-like images in HAM10000's layout, for runs and tests without real data.

They imitate what makes HAM10000 hard to score honestly: a lesion has several photographs that differ in turn,
place and light only, classes are rare and look alike, and some metadata are missing. Nothing measured on them
says anything about real skin.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.core.seeding import generator
from bycase.datasets.phantoms.shapes import Floats, depth_inside, share_out, smooth_noise

FIRST_LESION, FIRST_IMAGE = 118, 24306  # numbers in names
LEAST = 4  # lesions of a class, so that train, val and test can each have one
JPEG_QUALITY = 90
SITES = ("back", "lower extremity", "trunk", "upper extremity", "abdomen", "face", "chest", "scalp", "unknown")
CONFIRMED_BY = ("histo", "follow_up", "consensus", "confocal")


@dataclass(frozen=True)
class Kind:
    """What a diagnosis looks like: colours as shares of red, green and blue, and how much it varies."""

    images: int  # in the published data set
    rim: tuple[float, float, float]
    core: tuple[float, float, float]
    roughness: float  # of the outline
    mottling: float  # contrast of blotches inside
    network: float  # contrast of fine dark lines


KINDS = {
    "akiec": Kind(327, (0.84, 0.58, 0.50), (0.78, 0.48, 0.40), 0.14, 0.06, 0.0),
    "bcc": Kind(514, (0.82, 0.60, 0.58), (0.66, 0.44, 0.44), 0.12, 0.08, 0.0),
    "bkl": Kind(1099, (0.68, 0.50, 0.38), (0.56, 0.40, 0.30), 0.10, 0.07, 0.03),
    "df": Kind(115, (0.70, 0.50, 0.42), (0.88, 0.74, 0.68), 0.06, 0.03, 0.04),
    "mel": Kind(1113, (0.52, 0.36, 0.30), (0.26, 0.20, 0.20), 0.18, 0.12, 0.06),
    "nv": Kind(6705, (0.62, 0.44, 0.34), (0.46, 0.31, 0.24), 0.06, 0.04, 0.06),
    "vasc": Kind(142, (0.74, 0.34, 0.36), (0.50, 0.14, 0.20), 0.09, 0.07, 0.0),
}


def write_phantom(root: Path, *, cases: int, images: int, width: int, height: int, seed: int) -> None:
    """Write generated photographs of skin lesions and their metadata.

    Parameters
    ----------
    root : Path
        An existing empty folder; receives ``HAM10000_images_part_1``, ``HAM10000_images_part_2`` and
        ``HAM10000_metadata.csv``.
    cases : int
        Number of lesions, at least 28.
    images : int
        Exact number of photographs, at least `cases`.
    width, height : int
        Of every photograph, in pixels.
    seed : int
        Fixes every pixel and every row.

    Raises
    ------
    UserError
        If there are too few cases for the classes, or too few images for the cases.
    """
    table = plan_photographs(cases, images, seed)
    folders = [root / f"HAM10000_images_part_{half}" for half in (1, 2)]
    for folder in folders:
        folder.mkdir()
    second_half = sorted(table["image_id"])[images // 2]
    for (lesion, diagnosis), rows in table.groupby(["lesion_id", "dx"]):
        skin = draw_lesion(str(lesion), str(diagnosis), width, height, seed)
        for image in rows["image_id"]:
            pixels = photograph(skin, image, width, height, seed)
            Image.fromarray(pixels).save(folders[image >= second_half] / f"{image}.jpg", quality=JPEG_QUALITY)
    write_csv(root / "HAM10000_metadata.csv", table)


def plan_photographs(cases: int, images: int, seed: int) -> pd.DataFrame:
    """The table of metadata, as published: one row a photograph, those of a lesion alike but for ``image_id``."""
    if images < cases:
        raise UserError(f"datasets.<name>.phantom: {images} images are too few for {cases} cases")
    rng = generator(seed, "ham10000", "metadata")
    diagnoses = np.repeat(list(KINDS), share_out(cases, [kind.images for kind in KINDS.values()], LEAST))
    lesions = pd.DataFrame(
        {
            "lesion_id": [f"HAM_{FIRST_LESION + number:07}" for number in range(cases)],
            "dx": rng.permutation(diagnoses),
            "dx_type": rng.choice(CONFIRMED_BY, cases, p=(0.53, 0.37, 0.09, 0.01)),
            "age": [f"{5 * number}.0" if number else "" for number in rng.integers(0, 18, cases)],
            "sex": rng.choice(("male", "female", "unknown"), cases, p=(0.52, 0.46, 0.02)),
            "localization": rng.choice(SITES, cases),
        }
    )
    # Every lesion once, the others at random: most with two photographs, some with more.
    rows = np.concatenate([np.arange(cases), rng.integers(0, cases, images - cases)])
    table = lesions.iloc[rng.permutation(rows)].reset_index(drop=True)
    table.insert(1, "image_id", [f"ISIC_{FIRST_IMAGE + number:07}" for number in range(images)])
    return table


def draw_lesion(lesion: str, diagnosis: str, width: int, height: int, seed: int) -> Floats:
    """Draw skin with one lesion in its middle; `lesion` and `diagnosis` fix skin, outline and colours.

    Returns
    -------
    ndarray of shape (side, side, 3), float64
        Red, green and blue in [0, 1]; large enough to be turned and moved below a photograph of that size.
    """
    rng, kind = generator(seed, "ham10000", "lesion", lesion), KINDS[diagnosis]
    size, side = min(width, height), int(1.7 * max(width, height))
    shape = (side, side)
    radii = size * rng.uniform(0.2, 0.36) * np.array([1, rng.uniform(0.75, 1.0)])
    inside = depth_inside(rng, shape, (side / 2, side / 2), (radii[0], radii[1]), kind.roughness)
    inside = gaussian_filter(inside, size / 90)
    # An uneven lesion is darkest off its middle.
    core = np.clip(inside * 1.6 + kind.mottling * 2 * smooth_noise(rng, shape, size / 10), 0, 1)[..., None]
    pigment = np.array(kind.rim) * (1 - core) + np.array(kind.core) * core
    pigment += rng.normal(0, 0.05) + rng.normal(0, 0.02, 3)
    pigment += kind.mottling * smooth_noise(rng, shape, size / 16)[..., None]
    lines = np.exp(-((smooth_noise(rng, shape, size / 70) / 0.35) ** 2))
    pigment -= kind.network * lines[..., None]
    cover = np.clip(inside * 7, 0, 1)[..., None]
    skin = np.array([0.88, 0.70, 0.62]) + rng.normal(0, 0.03) + rng.normal(0, 0.015, 3)
    skin = skin + 0.012 * smooth_noise(rng, shape, size / 50)[..., None]
    colours: Floats = np.clip(skin * (1 - cover) + pigment * cover, 0, 1)
    return colours


def photograph(skin: Floats, image: str, width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """Take one photograph of the skin of `draw_lesion`; the name of the `image` fixes turn, place and light.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        Red, green and blue.
    """
    rng = generator(seed, "ham10000", "image", image)
    turned = Image.fromarray((255 * skin).astype(np.uint8)).rotate(rng.uniform(0, 360), Image.Resampling.BICUBIC)
    left, top = ((len(skin) - np.array([width, height])) / 2 + rng.uniform(-0.07, 0.07, 2) * min(width, height)).astype(
        int
    )
    seen = np.asarray(turned.crop((left, top, left + width, top + height)), np.float64)
    rows, columns = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = rng.uniform(0.92, 1.06) * (1 - rng.uniform(0.05, 0.2) * (rows**2 + columns**2))
    seen = seen * light[..., None] * rng.normal(1, 0.015, 3) + rng.normal(0, 2, (height, width, 1))
    pixels: NDArray[np.uint8] = np.clip(seen, 0, 255).round().astype(np.uint8)
    return pixels
