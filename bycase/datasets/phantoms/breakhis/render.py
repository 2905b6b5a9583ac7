"""From the geometry of a field of view to its image: concentrations of both stains, then light.

In all functions `rng` is the image's own generator, `tissue` what the field shows, `anatomy` the image's, `stain` the
case's, and `field` the size and scale.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bycase.datasets.phantoms.breakhis.anatomy import Anatomy
from bycase.datasets.phantoms.breakhis.fields import enlarge, fibre_field, smooth_field
from bycase.datasets.phantoms.breakhis.laboratory import Laboratory, scan
from bycase.datasets.phantoms.breakhis.outlines import Outlines, stamps
from bycase.datasets.phantoms.breakhis.stain import Stain, transmit
from bycase.datasets.phantoms.breakhis.tissue import STEP, Field, Tissue

# Amounts of haematoxylin and eosin in each compartment.
SPACE = (0.02, 0.02)
STROMA = (0.09, 0.36)
MUCIN = (0.14, 0.08)
CYTOPLASM = (0.24, 0.26)
GROUNDS = {"space": SPACE, "stroma": STROMA, "mucin": MUCIN}
NUCLEUS = (0.95, 0.10)
# Chromatin saturates: nuclei on top of each other are not twice as dark.
DARKEST = 1.35
# How much the ground varies along its fibres.
FIBRE = 0.22
# Mean amount of each stain in every field: left alone, the colour would tell the classes apart, not the tissue.
MEAN = (0.30, 0.24)


def render_tissue(
    rng: np.random.Generator,
    tissue: Tissue,
    anatomy: Anatomy,
    stain: Stain,
    field: Field,
    laboratory: Laboratory | None = None,
) -> NDArray[np.uint8]:
    """Render a field of view, by the scanner of a laboratory: uint8 of shape (height, width, 3), RGB."""
    concentrations = stain_compartments(rng, tissue, anatomy, field)
    chromatin = stain_nuclei(rng, tissue, anatomy, field)
    for stain_index, amount in enumerate(NUCLEUS):
        plane = concentrations[stain_index]
        # A nucleus displaces most of what its cell holds.
        plane *= 1 - np.float32(0.7) * np.minimum(chromatin, 1)
        plane += np.float32(amount) * chromatin
    for plane, mean in zip(concentrations, MEAN, strict=True):
        plane *= np.float32(mean / plane.mean(dtype=np.float64))
    light = stain.illumination * _falloff(field, stain.falloff)[:, :, None]
    passed = transmit(np.moveaxis(concentrations, 0, -1), stain.absorbance, light)
    return np.rint(scan(passed, laboratory) if laboratory else passed).astype(np.uint8)


def stain_compartments(rng: np.random.Generator, tissue: Tissue, anatomy: Anatomy, field: Field) -> NDArray[np.float32]:
    """Amounts of haematoxylin and eosin in lumina, cytoplasm and ground; float32 (2, height, width), not negative."""
    shape = field.height, field.width
    form = anatomy.architecture
    depth = enlarge(tissue.depth, shape, STEP)
    depth += np.float32(0.05) * smooth_field(rng, shape, 5 / field.pixel)
    rim = form.radius * (1 - form.lumen)
    edge = max(1.5, 1.5 * field.pixel) / rim
    out_of_core = _step(depth - 1, edge)
    in_ground = _step(depth - 2, edge)
    core = in_ground * 0 if form.lumen == 0 else 1 - out_of_core
    epithelium = 1 - core - in_ground
    fibres = 1 + np.float32(FIBRE) * fibre_field(rng, shape, tissue.direction, anatomy.texture / field.pixel, 5)
    grain = smooth_field(rng, shape, 3 / field.pixel)
    cloud = smooth_field(rng, shape, 60 / field.pixel)
    textures = {
        "stroma": fibres * (1 + np.float32(0.12) * cloud + np.float32(0.08) * grain),
        "mucin": 1 + np.float32(0.25) * cloud + np.float32(0.25) * (fibres - 1),
        "space": np.ones_like(grain),
    }
    # Fibres part where their profile is lowest.
    textures["stroma"] *= _step(fibres - np.float32(1 + FIBRE * ndtri(form.gaps)), 0.12)
    cytoplasm = 1 + np.float32(0.15) * grain + np.float32(0.1) * cloud
    # An open lumen holds secretion, which takes up eosin.
    secretion = (0.0, anatomy.secretion if form.core == "space" else 0.0)
    planes = [
        core * (np.float32(secretion[index]) + GROUNDS[form.core][index] * textures[form.core])
        + in_ground * (GROUNDS[form.ground][index] * textures[form.ground])
        + epithelium * (CYTOPLASM[index] * cytoplasm)
        for index in range(2)
    ]
    return np.maximum(np.stack(planes).astype(np.float32), 0)


def stain_nuclei(rng: np.random.Generator, tissue: Tissue, anatomy: Anatomy, field: Field) -> NDArray[np.float32]:
    """Amount of chromatin, in units of an ordinary nucleus; float32 (height, width) in [0, `DARKEST`]."""
    shape = field.height, field.width
    epithelial, stromal = tissue.epithelial, tissue.stromal
    uneven = anatomy.between(0.12, 0.3)
    chromatin = _stamp_nuclei(epithelial, shape, field, np.exp(rng.normal(0, uneven, len(epithelial))), 0.35)
    chromatin += _stamp_nuclei(stromal, shape, field, np.exp(rng.normal(-0.1, 0.2, len(stromal))), 0.1)
    chromatin *= 1 + np.float32(0.22) * smooth_field(rng, shape, 0.9 / field.pixel)
    return np.clip(chromatin, 0, DARKEST)


def _stamp_nuclei(
    nuclei: Outlines, shape: tuple[int, int], field: Field, amount: NDArray[np.float64], rim: float
) -> NDArray[np.float32]:
    canvas = np.zeros(shape[0] * shape[1])
    edge = np.maximum(0.6, 1.2 * field.pixel) / nuclei.minor
    edge, strength = edge.astype(np.float32), amount.astype(np.float32)
    for owner, place, radius in stamps(nuclei, shape, field.pixel):
        weight = _step(1 - radius, edge[owner]) * strength[owner]
        # Chromatin lies denser along the nuclear membrane.
        weight *= 1 - rim + rim * np.minimum(radius * radius, 1)
        canvas += np.bincount(place, weight, len(canvas))
    return canvas.reshape(shape).astype(np.float32)


def _step(value: NDArray[np.float32], width: float | NDArray[np.float32]) -> NDArray[np.float32]:
    """0 below zero and 1 above, with a linear slope of that width."""
    return np.clip(value / np.float32(width) + np.float32(0.5), 0, 1)


def _falloff(field: Field, falloff: float) -> NDArray[np.float64]:
    y, x = (np.linspace(-1, 1, length) ** 2 / 2 for length in (field.height, field.width))
    return 1 - falloff * (y[:, None] + x[None, :])
