"""Another laboratory's stain and another scanner: what external images differ by, whatever they show."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from bycase.datasets.phantoms.breakhis.stain import Stain

BRIGHTEST = 255.0


@dataclass(frozen=True)
class Laboratory:
    """How a laboratory differs from the one of the phantom; see `bycase.core.params_data.LaboratoryParams`.

    Attributes
    ----------
    haematoxylin, eosin : float, above 0
        Optical density of each stain, as a multiple.
    cast : tuple of three floats, in (0, 1]
        Share of the light in red, green and blue that the scanner's lamp gives.
    gamma : float, above 0
        Exponent of the scanner's response; above 1 darkens the middle tones.
    blur : float, from 0 up
        Standard deviation of the scanner's point spread, in pixels.
    """

    haematoxylin: float
    eosin: float
    cast: tuple[float, float, float]
    gamma: float
    blur: float


def restain(stain: Stain, laboratory: Laboratory) -> Stain:
    """A case's stain and light as this laboratory has them; optical densities are multiplied, and so is the light."""
    strength = np.array([laboratory.haematoxylin, laboratory.eosin])
    return replace(
        stain,
        absorbance=stain.absorbance * strength[:, None],
        illumination=stain.illumination * np.array(laboratory.cast),
    )


def scan(light: NDArray[np.float64], laboratory: Laboratory) -> NDArray[np.float64]:
    """What the laboratory's scanner makes of light: blurred by its optics, then bent by its response.

    Parameters
    ----------
    light : ndarray of shape (height, width, 3), float64, in [0, 255]
        What passed the tissue, in red, green and blue.
    laboratory : Laboratory
        Whose scanner.

    Returns
    -------
    ndarray of shape (height, width, 3), float64, in [0, 255]
    """
    sharp = light if laboratory.blur == 0 else gaussian_filter(light, (laboratory.blur, laboratory.blur, 0))
    if laboratory.gamma == 1:
        return sharp
    bent: NDArray[np.float64] = BRIGHTEST * (sharp / BRIGHTEST) ** laboratory.gamma
    return bent
