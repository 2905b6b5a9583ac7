"""Random scalar fields over an image: smooth unevenness and the waviness of fibres."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.sparse import csr_array

# Standard deviation of a cubic B-spline field with unit-variance coefficients, averaged over positions.
SPLINE_SD = 0.479
MIN_CELL = 2.0


def smooth_field(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> NDArray[np.float32]:
    """Draw smooth noise: a cubic B-spline surface with independent normal coefficients.

    Parameters
    ----------
    rng : Generator
        Source of the coefficients.
    shape : tuple of (height, width)
        In pixels.
    cell : float
        Distance of the knots in pixels, about the size of a bump; at least `MIN_CELL` is used.

    Returns
    -------
    ndarray of shape (height, width), float32
        Mean about 0, standard deviation about 1.
    """
    rows, columns = (spline_matrix(length, max(cell, MIN_CELL)) for length in shape)
    coefficients = rng.standard_normal((rows.shape[1], columns.shape[1]), dtype=np.float32)
    return _surface(rows, columns, coefficients) / np.float32(SPLINE_SD)


def enlarge(coarse: NDArray[np.float32], shape: tuple[int, int], step: int) -> NDArray[np.float32]:
    """Bring a map sampled every `step` pixels to full `shape` by linear interpolation.

    `coarse` is float32 of shape (height // step + 2, width // step + 2), at the pixels 0, `step`, 2 `step` ...
    """
    rows, columns = (_linear_matrix(length, step) for length in shape)
    return _surface(rows, columns, coarse)


def fibre_field(
    rng: np.random.Generator, shape: tuple[int, int], direction: float, width: float, waviness: float
) -> NDArray[np.float32]:
    """Draw wavy parallel fibres: one-dimensional noise across a direction, displaced by smooth noise.

    Parameters
    ----------
    rng, shape
        As of `smooth_field`, like what is returned.
    direction : float
        Along the fibres, in radians from the x axis towards y.
    width : float
        Of a fibre, in pixels.
    waviness : float
        Standard deviation of the displacement, in fibre widths.
    """
    samples = 4
    scale = samples / max(width, MIN_CELL)
    height, length = shape
    y = np.arange(height, dtype=np.float32)[:, None] * np.float32(np.cos(direction) * scale)
    x = np.arange(length, dtype=np.float32)[None, :] * np.float32(np.sin(direction) * scale)
    wave = smooth_field(rng, shape, 12 * width) + np.float32(0.3) * smooth_field(rng, shape, 4 * width)
    across = y - x + wave * np.float32(samples * waviness)
    profile = smooth_field(rng, (4, 4096), samples)[0]
    return profile[across.astype(np.int32) % len(profile)]


def _surface(rows: csr_array, columns: csr_array, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    # Sparse products sum in a fixed order, so the result is the same to the bit on every machine.
    surface: NDArray[np.float32] = (columns @ np.ascontiguousarray((rows @ coefficients).T)).T
    return np.ascontiguousarray(surface)


@lru_cache(maxsize=256)
def spline_matrix(length: int, cell: float) -> csr_array:
    """Cubic B-spline basis of knot distance `cell` at the pixels 0 to `length` - 1, one row a pixel."""
    knots = np.arange(-3, np.ceil((length - 1) / cell) + 5) * cell
    return csr_array(BSpline.design_matrix(np.arange(length, dtype=float), knots, 3).astype(np.float32))


@lru_cache(maxsize=16)
def _linear_matrix(length: int, step: int) -> csr_array:
    pixels = np.arange(length)
    below, weight = np.divmod(pixels, step)
    weight = (weight / step).astype(np.float32)
    entries = (np.r_[1 - weight, weight], (np.r_[pixels, pixels], np.r_[below, below + 1]))
    return csr_array(entries, shape=(length, length // step + 2), dtype=np.float32)
