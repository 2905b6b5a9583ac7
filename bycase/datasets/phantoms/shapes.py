"""What the small phantoms share: how many of each kind, smooth noise, and outlines."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from bycase.core.errors import UserError

Floats = NDArray[np.float64]


def share_out(total: int, weights: Sequence[float], least: int) -> list[int]:
    """Divide a number by positive weights into whole shares of at least `least`; refused if it is too small."""
    rest = total - least * len(weights)
    if rest < 0:
        raise UserError(
            f"datasets.<name>.phantom: {total} is too few for {len(weights)} classes of at least {least} each; "
            "raise cases and images"
        )
    ends = np.floor(np.cumsum(weights) / np.sum(weights) * rest + 0.5).astype(int)
    return [int(n) for n in np.diff(ends, prepend=0) + least]


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Floats:
    """Noise of mean 0 and standard deviation 1, with blobs of about `scale` pixels; of shape `shape`."""
    # Broad blobs are drawn small and enlarged, which costs a fraction of a broad filter's time.
    step = max(scale / 2, 1)
    small = gaussian_filter(rng.standard_normal([int(n / step) + 2 for n in shape]), scale / step, mode="wrap")
    noise = np.asarray(Image.fromarray(small.astype(np.float32)).resize(shape[::-1], Image.Resampling.BICUBIC), float)
    standard: Floats = (noise - noise.mean()) / noise.std()
    return standard


def depth_inside(
    rng: np.random.Generator,
    shape: tuple[int, int],
    centre: tuple[float, float],
    radii: tuple[float, float],
    roughness: float,
) -> Floats:
    """How far inside a closed outline each pixel lies.

    Parameters
    ----------
    rng : Generator
        Draws the outline: an ellipse, its radius disturbed by waves around it.
    shape : tuple of int
        Height and width, in pixels.
    centre, radii : tuple of float
        Row and column, in pixels.
    roughness : float
        Standard deviation of the disturbance, as a share of the radius; 0 is an ellipse.

    Returns
    -------
    ndarray of shape `shape`, float64
        1 at the centre, 0 on the outline, negative outside.
    """
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    y, x = (rows - centre[0]) / radii[0], (columns - centre[1]) / radii[1]
    waves = np.arange(2, 9)
    heights = rng.normal(0, 2 * roughness / waves)
    angles = np.linspace(-np.pi, np.pi, 721)
    swing = np.sin(angles[:, None] * waves + rng.uniform(0, 2 * np.pi, len(waves))) @ heights
    edge = np.interp(np.arctan2(y, x), angles, np.clip(1 + swing, 0.4, 1.6))
    inside: Floats = 1 - np.hypot(y, x) / edge
    return inside
