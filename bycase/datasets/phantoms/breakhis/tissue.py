"""The geometry of a field of view: epithelial structures, and the nuclei in and between them.

In all functions `rng` is the image's own generator, `anatomy` the image's, of `vary`, `field` the size and scale, and
`direction` that of the stroma's fibres, in radians.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bycase.datasets.phantoms.breakhis.anatomy import Anatomy
from bycase.datasets.phantoms.breakhis.outlines import Outlines, draw_border, map_depth

# At 40X a tile of BreakHis shows about 1.4 by 0.9 mm.
AREA_AT_40X = 1400.0 * 920.0
# Compartments are mapped at every third pixel: their borders are smooth.
STEP = 3


@dataclass(frozen=True)
class Field:
    """A field of view: `height` and `width` in pixels, `pixel` in micrometres."""

    height: int
    width: int
    pixel: float

    @property
    def size(self) -> NDArray[np.float64]:
        """Width and height in micrometres."""
        return np.array([self.width, self.height]) * self.pixel

    @property
    def coarse_shape(self) -> tuple[int, int]:
        """Shape of a map at every `STEP` pixels."""
        return self.height // STEP + 2, self.width // STEP + 2


@dataclass(frozen=True)
class Tissue:
    """What a field of view shows.

    Attributes
    ----------
    depth : ndarray of shape `Field.coarse_shape`, float32
        Where a point lies: 0 to 1 in a lumen, 1 to 2 in epithelium, from 2 to 3 outside, at every `STEP` pixels.
    direction : float
        Of the stroma's fibres, in radians from the x axis towards y.
    epithelial, stromal : Outlines
        Nuclei.
    """

    depth: NDArray[np.float32]
    direction: float
    epithelial: Outlines
    stromal: Outlines


def field_of_view(magnification: int, width: int, height: int) -> Field:
    """A field of `width` x `height` pixels with as much tissue as BreakHis' at that magnification, such as 40."""
    return Field(height, width, float(np.sqrt(AREA_AT_40X / (width * height)) * 40 / magnification))


def draw_tissue(rng: np.random.Generator, anatomy: Anatomy, field: Field) -> Tissue:
    """Draw the structures and nuclei of one field of view."""
    direction = float(rng.uniform(0, np.pi))
    structures, lumen = draw_structures(rng, anatomy, field, direction)
    depth = map_depth(structures, lumen, field.coarse_shape, field.pixel * STEP)
    epithelial = draw_epithelial_nuclei(rng, anatomy, structures, lumen)
    inside = _look_up(depth, epithelial, field)
    epithelial = epithelial[(inside > 1) & (inside < 2.1)]
    stromal = draw_stromal_nuclei(rng, anatomy, field, direction)
    inside = _look_up(depth, stromal, field)
    form = anatomy.architecture
    stromal = stromal[((inside > 2.05) & (form.ground != "space")) | ((inside < 0.9) & (form.core == "stroma"))]
    return Tissue(depth, direction, epithelial, stromal)


def draw_structures(
    rng: np.random.Generator, anatomy: Anatomy, field: Field, direction: float
) -> tuple[Outlines, NDArray[np.float64]]:
    """Draw the epithelial structures of a field and around it, on a jittered lattice along the fibres.

    Returns
    -------
    structures : Outlines
        The n structures.
    lumen : ndarray of shape (n,), float64
        Radius of each one's core over its own, in [0, 0.85].
    """
    form = anatomy.architecture
    pitch = form.radius * np.sqrt(np.pi * form.elongation / form.coverage)
    stretch = form.elongation ** (0.5 * form.alignment)
    # Structures from beyond the field reach into it.
    half = np.linalg.norm(field.size) / 2 + 1.5 * form.radius * form.elongation
    along = np.arange(-half, half + pitch * stretch, pitch * stretch)
    across = np.arange(-half, half + pitch / stretch, pitch / stretch)
    u, v = np.meshgrid(along + rng.uniform(-0.5, 0.5) * pitch, across + rng.uniform(-0.5, 0.5) * pitch)
    u = u + np.where(np.arange(len(across)) % 2, pitch * stretch / 2, 0)[:, None]
    u = u + form.scatter * pitch * stretch * rng.uniform(-0.6, 0.6, u.shape)
    v = v + form.scatter * pitch / stretch * rng.uniform(-0.6, 0.6, v.shape)
    x = (u * np.cos(direction) - v * np.sin(direction)).ravel() + field.size[0] / 2
    y = (u * np.sin(direction) + v * np.cos(direction)).ravel() + field.size[1] / 2
    count = len(x)
    minor = form.radius * np.exp(rng.normal(0, 0.25, count))
    major = minor * (1 + (form.elongation - 1) * np.exp(rng.normal(0, 0.3, count)))
    angle = direction + (1 - form.alignment) * rng.uniform(-np.pi / 2, np.pi / 2, count) + rng.normal(0, 0.15, count)
    structures = Outlines(x, y, major, minor, angle, draw_border(rng, count, form.border))
    lumen = np.clip(form.lumen * np.exp(rng.normal(0, 0.2, count)), 0, 0.85)
    # The field is centred where a pathologist would: on a structure's rim.
    middle = int(np.argmin(np.hypot(x - field.size[0] / 2, y - field.size[1] / 2)))
    turn, radius = rng.uniform(0, 2 * np.pi), (1 + lumen[middle]) / 2
    x += field.size[0] / 2 - x[middle] + radius * minor[middle] * np.cos(turn)
    y += field.size[1] / 2 - y[middle] + radius * minor[middle] * np.sin(turn)
    near = _reaches_into(structures, field)
    return structures[near], lumen[near]


def draw_epithelial_nuclei(
    rng: np.random.Generator, anatomy: Anatomy, structures: Outlines, lumen: NDArray[np.float64]
) -> Outlines:
    """Line the structures' rims with nuclei: in layers around the core, the less in order the more atypical.

    `lumen` is the radius of each structure's core over its own. There are nuclei of all structures, where these overlap
    too.
    """
    gap = 2 * anatomy.nuclear_radius * anatomy.spacing
    layers = np.maximum(np.rint(structures.minor * (1 - lumen) / gap), 1).astype(int)
    owner, layer = _enumerate(layers)
    radius = lumen[owner] + (layer + 0.5) / layers[owner] * (1 - lumen[owner])
    perimeter = 2 * np.pi * radius * np.hypot(structures.major, structures.minor)[owner] / np.sqrt(2)
    in_ring = np.maximum(np.rint(perimeter / gap), 1).astype(int)
    ring, position = _enumerate(in_ring)
    owner, radius = owner[ring], radius[ring]
    turn = 2 * np.pi * (position / in_ring[ring] + rng.uniform(0, 1, len(in_ring))[ring])
    u = structures.major[owner] * radius * np.cos(turn)
    v = structures.minor[owner] * radius * np.sin(turn)
    cosine, sine = np.cos(structures.angle[owner]), np.sin(structures.angle[owner])
    jitter = rng.normal(0, anatomy.between(0.07, 0.45) * gap, (2, len(owner)))
    x = structures.x[owner] + u * cosine - v * sine + jitter[0]
    y = structures.y[owner] + u * sine + v * cosine + jitter[1]
    outward = np.arctan2(u * sine + v * cosine, u * cosine - v * sine)
    angle = outward + anatomy.between(0.1, 1.0) * rng.uniform(-np.pi / 2, np.pi / 2, len(owner))
    size = anatomy.nuclear_radius * np.exp(rng.normal(0, anatomy.between(0.08, 0.27), len(owner)))
    roundness = np.sqrt(np.clip(rng.normal(anatomy.between(0.82, 0.68), 0.1, len(owner)), 0.35, 1))
    border = draw_border(rng, len(owner), anatomy.between(0.03, 0.10))
    nuclei = Outlines(x, y, size / roundness, size * roundness, angle, border)
    return _thin(nuclei, anatomy.between(1.9, 1.3) * anatomy.nuclear_radius)


def _thin(nuclei: Outlines, distance: float) -> Outlines:
    """Leave out nuclei that lie nearer than this, in micrometres, to one before them."""
    pairs = cKDTree(np.column_stack([nuclei.x, nuclei.y])).query_pairs(distance, output_type="ndarray")
    kept = np.ones(len(nuclei), dtype=bool)
    kept[pairs.max(axis=1)] = False
    return nuclei[kept]


def draw_stromal_nuclei(rng: np.random.Generator, anatomy: Anatomy, field: Field, direction: float) -> Outlines:
    """Scatter spindle-shaped nuclei over the whole field along its fibres, as if no epithelium were in it."""
    count = rng.poisson(anatomy.architecture.cells * 1e-6 * np.prod(field.size))
    x, y = rng.uniform(0, field.size[:, None], (2, count))
    minor = 1.5 * np.exp(rng.normal(0, 0.2, count))
    major = minor * np.clip(rng.normal(3.5, 1, count), 1.2, 6)
    return Outlines(x, y, major, minor, direction + rng.normal(0, 0.3, count), draw_border(rng, count, 0.06))


def _enumerate(counts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For groups of these sizes: every member's group, and its position within the group."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - (np.cumsum(counts) - counts)[group]


def _look_up(depth: NDArray[np.float32], nuclei: Outlines, field: Field) -> NDArray[np.float32]:
    """Depth at the nuclei's centres; NaN for those that do not reach into the field."""
    row, column = (
        np.clip(np.rint(position / (field.pixel * STEP)).astype(int), 0, length - 1)
        for position, length in zip((nuclei.y, nuclei.x), depth.shape, strict=True)
    )
    return np.where(_reaches_into(nuclei, field), depth[row, column], np.float32(np.nan))


def _reaches_into(outlines: Outlines, field: Field) -> NDArray[np.bool_]:
    """Whether each outline may reach into the field."""
    width, height = field.size
    inside = (outlines.x > -outlines.reach) & (outlines.x < width + outlines.reach)
    return inside & (outlines.y > -outlines.reach) & (outlines.y < height + outlines.reach)
