"""Haematoxylin and eosin: from concentrations to intensities by the Beer-Lambert law, and how cases differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Absorbance in red, green and blue for one unit of stain (Ruifrok & Johnston 2001).
HAEMATOXYLIN = (0.65, 0.70, 0.29)
EOSIN = (0.07, 0.99, 0.11)

ROTATION_SD = 7.0  # degrees
CONCENTRATION_SD = 0.25  # of the logarithm
BRIGHTNESS = (0.82, 1.0)
CAST_SD = 0.03


@dataclass(frozen=True)
class Stain:
    """How one case was stained and lit.

    Attributes
    ----------
    absorbance : ndarray of shape (2, 3), float64
        Absorbance in red, green and blue of one unit of haematoxylin and of eosin, the case's concentrations
        included; not negative.
    illumination : ndarray of shape (3,), float64
        Intensity in red, green and blue where nothing absorbs, in (0, 255].
    falloff : float
        Share of the illumination lost at the field's corners.
    """

    absorbance: NDArray[np.float64]
    illumination: NDArray[np.float64]
    falloff: float


def draw_stain(rng: np.random.Generator) -> Stain:
    """Draw a case's stain and light by the case's own `rng`; nothing in it depends on the case's class."""
    vectors = np.array([rotate(vector, rng) for vector in (HAEMATOXYLIN, EOSIN)])
    concentrations = np.exp(rng.normal(0, CONCENTRATION_SD, size=2))
    light = 255 * rng.uniform(*BRIGHTNESS) * (1 - np.abs(rng.normal(0, CAST_SD, size=3)))
    return Stain(vectors * concentrations[:, None], light, float(rng.uniform(0, 0.12)))


def rotate(vector: tuple[float, float, float], rng: np.random.Generator) -> NDArray[np.float64]:
    """Turn an absorbance vector (red, green, blue) by a random angle in a random direction.

    The angle is normal with a standard deviation of `ROTATION_SD` degrees. The result, float64 of shape (3,), has the
    same length, but for components that would be negative and are 0 instead.
    """
    start = np.array(vector)
    length = np.linalg.norm(start)
    across = rng.normal(size=3)
    across -= across @ start / length**2 * start
    across *= length / np.linalg.norm(across)
    angle = np.deg2rad(rng.normal(0, ROTATION_SD))
    return np.maximum(np.cos(angle) * start + np.sin(angle) * across, 0)


def transmit(
    concentrations: NDArray[np.floating], absorbance: NDArray[np.floating], illumination: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Light that passes stained tissue, by the Beer-Lambert law.

    Parameters
    ----------
    concentrations : ndarray of shape (..., n_stains)
        Amount of each stain in the light's path, not negative.
    absorbance : ndarray of shape (n_stains, 3)
        Absorbance of one unit of each stain in red, green and blue, to base e.
    illumination : ndarray of shape (3,) or (..., 3)
        Intensity before the tissue.

    Returns
    -------
    ndarray of shape (..., 3), float64
        ``illumination * exp(-concentrations @ absorbance)``, in the unit of `illumination`.

    References
    ----------
    Ruifrok, A. C. and Johnston, D. A. (2001). Quantification of histochemical staining by color deconvolution.
    Analytical and Quantitative Cytology and Histology, 23(4), 291-299.
    """
    # A sum over stains rather than a matrix product, whose last bits depend on the machine's BLAS; and in double
    # precision, so that the last bits of `exp`, which depend on the processor, vanish in rounding to uint8.
    density = sum(
        concentrations[..., stain, None].astype(np.float64) * absorbance[stain] for stain in range(len(absorbance))
    )
    return illumination * np.exp(-density)
