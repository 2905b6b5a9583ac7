"""What a case's tissue is like: its subtype's architecture, its atypia, and its own deviations from both."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

BENIGN_ATYPIA = 0.3
MALIGNANT_ATYPIA = 0.7
ATYPIA_SD = 0.2
IMAGE_ATYPIA_SD = 0.07
IMAGE_COVERAGE_SD = 0.25  # of the logarithm


@dataclass(frozen=True)
class Architecture:
    """How the epithelium is arranged: ducts, tubules, nests, strands or fronds in a ground.

    Attributes
    ----------
    radius : float
        Minor semi-axis of an epithelial structure, in micrometres.
    elongation : float
        Its major semi-axis over its minor one.
    lumen : float
        Radius of its core over its own, 0 (solid) to 0.8.
    coverage : float
        Share of the field that the structures would cover if none overlapped.
    border : float
        Unevenness of the outline; see `draw_border`.
    alignment : float
        0 (any direction) to 1 (along the fibres).
    scatter : float
        0 (on a lattice) to 1 (anywhere).
    cells : float
        Cells of the ground a square millimetre.
    gaps : float
        Share of the stroma where its fibres part, above 0 and below 1.
    core, ground : str
        What lies within the structures' lumina and between the structures.
    """

    radius: float
    elongation: float
    lumen: float
    coverage: float
    border: float
    alignment: float
    scatter: float
    cells: float
    gaps: float
    core: Literal["space", "stroma"] = "space"
    ground: Literal["stroma", "mucin", "space"] = "stroma"


ARCHITECTURES = {
    "A": Architecture(22, 1.3, 0.45, 0.55, 0.08, 0.0, 0.6, 700, 0.03),
    "F": Architecture(26, 4.0, 0.45, 0.40, 0.10, 0.5, 0.7, 1100, 0.03),
    "PT": Architecture(58, 3.0, 0.65, 0.42, 0.16, 0.6, 0.8, 1700, 0.02),
    "TA": Architecture(25, 1.2, 0.48, 0.72, 0.06, 0.0, 0.4, 500, 0.02),
    "DC": Architecture(48, 1.7, 0.05, 0.75, 0.16, 0.2, 0.9, 900, 0.13),
    "LC": Architecture(7, 9.0, 0.00, 0.55, 0.08, 0.8, 0.9, 800, 0.10),
    "MC": Architecture(42, 1.5, 0.05, 0.55, 0.18, 0.0, 0.9, 60, 0.03, ground="mucin"),
    "PC": Architecture(46, 3.2, 0.30, 1.20, 0.16, 0.5, 0.7, 500, 0.03, core="stroma", ground="space"),
}


@dataclass(frozen=True)
class Anatomy:
    """One case's tissue, or one image's.

    Attributes
    ----------
    architecture : Architecture
        Of the epithelium.
    atypia : float
        0 (small, round, evenly spaced nuclei in order) to 1 (large, uneven, crowded ones without order).
    size, crowding : float
        Factors on nuclear radius and on the nuclei's density, apart from what atypia does to them.
    texture : float
        Width of a stromal fibre, in micrometres.
    secretion : float
        Amount of eosin in open lumina.
    """

    architecture: Architecture
    atypia: float
    size: float
    crowding: float
    texture: float
    secretion: float

    def between(self, regular: float, atypical: float) -> float:
        """Value of a quantity that goes from `regular` to `atypical` with atypia."""
        return regular + self.atypia * (atypical - regular)

    @property
    def nuclear_radius(self) -> float:
        """Median over the epithelial nuclei, in micrometres."""
        return self.size * self.between(3.1, 4.7)

    @property
    def spacing(self) -> float:
        """Distance of neighbouring nuclei, in nuclear diameters."""
        return self.between(1.45, 1.0) / np.sqrt(self.crowding)


def draw_anatomy(rng: np.random.Generator, code: str, malignant: bool) -> Anatomy:
    """Draw a case's tissue by the case's own `rng`.

    `code` is the subtype's, a key of `ARCHITECTURES`; `malignant` says from which of two overlapping distributions the
    case's atypia comes.
    """
    usual = ARCHITECTURES[code]
    architecture = replace(
        usual,
        radius=usual.radius * np.exp(rng.normal(0, 0.18)),
        elongation=1 + (usual.elongation - 1) * np.exp(rng.normal(0, 0.25)),
        lumen=float(np.clip(usual.lumen + rng.normal(0, 0.1), 0, 0.8)),
        coverage=usual.coverage * np.exp(rng.normal(0, 0.2)),
        border=usual.border * np.exp(rng.normal(0, 0.2)),
        cells=usual.cells * np.exp(rng.normal(0, 0.4)),
    )
    mean = MALIGNANT_ATYPIA if malignant else BENIGN_ATYPIA
    return Anatomy(
        architecture,
        atypia=float(np.clip(rng.normal(mean, ATYPIA_SD), 0, 1)),
        size=float(np.exp(rng.normal(0, 0.08))),
        crowding=float(np.exp(rng.normal(0, 0.15))),
        texture=float(4 * np.exp(rng.normal(0, 0.3))),
        secretion=float(rng.uniform(0, 0.1)),
    )


def vary(anatomy: Anatomy, rng: np.random.Generator) -> Anatomy:
    """Draw what one field of view of a case is like, by the image's own `rng`."""
    usual = anatomy.architecture
    return replace(
        anatomy,
        architecture=replace(
            usual,
            radius=usual.radius * np.exp(rng.normal(0, 0.1)),
            coverage=usual.coverage * np.exp(rng.normal(0, IMAGE_COVERAGE_SD)),
            lumen=float(np.clip(usual.lumen + rng.normal(0, 0.05), 0, 0.8)),
        ),
        atypia=float(np.clip(anatomy.atypia + rng.normal(0, IMAGE_ATYPIA_SD), 0, 1)),
    )
