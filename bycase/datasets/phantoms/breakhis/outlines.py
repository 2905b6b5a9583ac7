"""Star-shaped outlines, the form of nuclei and of glands, and how they are brought onto a pixel grid."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HARMONICS = (2, 3, 4)
BATCH_PIXELS = 60_000
FAR = 3.0


@dataclass(frozen=True)
class Outlines:
    """Ellipses with an uneven border; lengths in micrometres from the field's upper left corner.

    Attributes
    ----------
    x, y : ndarray of shape (n,), float64
        Centres.
    major, minor : ndarray of shape (n,), float64
        Semi-axes, positive.
    angle : ndarray of shape (n,), float64
        Of the major axis, in radians from the x axis towards y.
    border : ndarray of shape (n, 2, 3), float64
        Cosine and sine coefficients of the harmonics 2, 3 and 4 of the border's relative radius.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    major: NDArray[np.float64]
    minor: NDArray[np.float64]
    angle: NDArray[np.float64]
    border: NDArray[np.float64]

    def __len__(self) -> int:
        """Number of outlines."""
        return len(self.x)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Outlines":
        """Keep the outlines that a mask or an index array chooses."""
        return Outlines(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @property
    def reach(self) -> NDArray[np.float64]:
        """Greatest distance of the border from the centre, at most; float64 of shape (n,), in micrometres."""
        return self.major * (1 + np.hypot(self.border[:, 0], self.border[:, 1]).sum(axis=1))


def draw_border(rng: np.random.Generator, count: int, amplitude: float) -> NDArray[np.float64]:
    """Draw the uneven borders of `count` outlines; float64 of shape (count, 2, 3).

    `amplitude` is about the standard deviation of the relative radius along the border; 0 leaves ellipses. All stays
    within ±2 standard deviations, and never so large that a radius would vanish.
    """
    spread = amplitude / np.sqrt(len(HARMONICS))
    return np.clip(rng.normal(0, 1, (count, 2, len(HARMONICS))), -2, 2) * min(spread, 0.14)


def map_depth(
    outlines: Outlines, core: NDArray[np.float64], shape: tuple[int, int], pixel: float
) -> NDArray[np.float32]:
    """Map cores, rims and what lies outside, where outlines overlap by the one in which a point is innermost.

    Parameters
    ----------
    outlines : Outlines
        The n outlines, in micrometres.
    core : ndarray of shape (n,), float64
        Radius of each one's core over its own, in [0, 1).
    shape : tuple of (height, width)
        Of the grid; point (0, 0) is the origin.
    pixel : float
        Micrometres between the grid's points.

    Returns
    -------
    ndarray of shape (height, width), float32
        0 to 1 in a core, 1 to 2 in a rim, 2 to `FAR` outside, linear in the relative radius.
    """
    depth = np.full(shape, FAR, dtype=np.float32)
    x, y = (np.arange(length) * pixel for length in (shape[1], shape[0]))
    for index in range(len(outlines)):
        one = outlines[np.array([index])]
        reach = 1.5 * one.reach[0]
        columns = slice(*np.searchsorted(x, [one.x[0] - reach, one.x[0] + reach]))
        rows = slice(*np.searchsorted(y, [one.y[0] - reach, one.y[0] + reach]))
        if columns.start == columns.stop or rows.start == rows.stop:
            continue
        dx = (x[columns] - one.x[0]).astype(np.float32)[None, None, :]
        dy = (y[rows] - one.y[0]).astype(np.float32)[None, :, None]
        radius = relative_radius(one, dx, dy)[0]
        inner = np.float32(core[index])
        rim = 1 + (radius - inner) / (1 - inner)
        window = depth[rows, columns]
        np.minimum(window, np.where(radius < inner, radius / max(inner, np.float32(1e-6)), rim), out=window)
    return depth


def stamps(
    outlines: Outlines, shape: tuple[int, int], pixel: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
    """Give, for batches of outlines, the pixels within each and how far out they lie.

    Parameters
    ----------
    outlines : Outlines
        In micrometres.
    shape : tuple of (height, width)
        Of the grid; pixel (0, 0) is centred on the origin.
    pixel : float
        Micrometres between pixels.

    Yields
    ------
    owner : ndarray of shape (n,), intp
        Index of the outline.
    place : ndarray of shape (n,), intp
        Flat index of a pixel inside the outline or up to a pixel outside.
    radius : ndarray of shape (n,), float32
        The pixel's `relative_radius`.
    """
    order = np.argsort(outlines.reach, kind="stable")
    half = np.ceil(outlines.reach[order] / pixel).astype(int) + 1
    start = 0
    while start < len(order):
        # One batch's stamps have its largest one's size, so a batch holds like sizes and a bounded area.
        alike = int(np.searchsorted(half, 1.25 * half[start] + 1, side="right")) - start
        fitting = BATCH_PIXELS // (2 * half[start] + 1) ** 2
        stop = start + max(min(alike, fitting), 1)
        yield _stamp(outlines, order[start:stop], half[stop - 1], shape, pixel)
        start = stop


def _stamp(
    outlines: Outlines, owners: NDArray[np.intp], half: int, shape: tuple[int, int], pixel: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    chosen = outlines[owners]
    offsets = np.arange(-half, half + 1)
    column = np.rint(chosen.x / pixel).astype(int)[:, None, None] + offsets[None, None, :]
    row = np.rint(chosen.y / pixel).astype(int)[:, None, None] + offsets[None, :, None]
    dx = (column * pixel - chosen.x[:, None, None]).astype(np.float32)
    dy = (row * pixel - chosen.y[:, None, None]).astype(np.float32)
    radius = relative_radius(chosen, dx, dy)
    limit = (1 + pixel / chosen.minor).astype(np.float32)[:, None, None]
    kept = (radius < limit) & (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    owner = np.broadcast_to(owners[:, None, None], radius.shape)[kept]
    return owner, (row * shape[1] + column)[kept], radius[kept]


def relative_radius(outlines: Outlines, dx: NDArray[np.float32], dy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance from each outline's centre relative to its border's in the same direction.

    Parameters
    ----------
    outlines : Outlines
        The n outlines, in micrometres.
    dx, dy : ndarray of shape (n or 1, 1, width) and (n or 1, height, 1), float32
        The points, from the outline's centre, in micrometres.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        0 at the centre, 1 on the border.
    """
    cosine, sine = np.cos(outlines.angle), np.sin(outlines.angle)
    axes = np.stack([cosine / outlines.major, sine / outlines.major, -sine / outlines.minor, cosine / outlines.minor])
    # From here all is sums, products, quotients and roots in single precision, which every machine rounds alike.
    single = axes.astype(np.float32)[:, :, None, None]
    along = single[0] * dx + single[1] * dy
    across = single[2] * dx + single[3] * dy
    radius = np.sqrt(along * along + across * across) + np.float32(1e-6)
    along /= radius
    across /= radius
    coefficients = outlines.border.astype(np.float32)[:, :, :, None, None]
    border = np.ones_like(radius)
    power_c, power_s = along, across
    for harmonic in range(len(HARMONICS)):
        # cos and sin of the next multiple of the angle, from those of the last.
        power_c, power_s = power_c * along - power_s * across, power_c * across + power_s * along
        border += coefficients[:, 0, harmonic] * power_c + coefficients[:, 1, harmonic] * power_s
    radius /= border
    return radius
