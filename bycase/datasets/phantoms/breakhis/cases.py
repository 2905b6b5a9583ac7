"""Which cases, slide folders and images the archive holds, and how they are named."""

from dataclasses import dataclass

import numpy as np

from bycase.core.errors import UserError
from bycase.core.seeding import generator

MAGNIFICATIONS = (40, 100, 200, 400)
MALIGNANT_SHARE = 2 / 3
SLIDES = "BreaKHis_v1/histology_slides/breast"


@dataclass(frozen=True)
class Subtype:
    """A histological subtype as BreakHis names it; `weight` is its share of its class's cases."""

    code: str
    folder: str
    malignant: bool
    weight: float

    @property
    def letter(self) -> str:
        """The class's letter in names."""
        return "M" if self.malignant else "B"

    @property
    def path(self) -> str:
        """The subtype's folder below the archive's root."""
        return f"{SLIDES}/{'malignant' if self.malignant else 'benign'}/SOB/{self.folder}"


SUBTYPES = (
    Subtype("A", "adenosis", False, 0.2),
    Subtype("F", "fibroadenoma", False, 0.35),
    Subtype("PT", "phyllodes_tumor", False, 0.2),
    Subtype("TA", "tubular_adenoma", False, 0.25),
    Subtype("DC", "ductal_carcinoma", True, 0.45),
    Subtype("LC", "lobular_carcinoma", True, 0.15),
    Subtype("MC", "mucinous_carcinoma", True, 0.2),
    Subtype("PC", "papillary_carcinoma", True, 0.2),
)


@dataclass(frozen=True)
class Case:
    """One patient's material: `name` is year and number, `slides` the ids of its one or two slide folders."""

    name: str
    subtype: Subtype
    slides: tuple[str, ...]


@dataclass(frozen=True)
class Tile:
    """One image of the archive."""

    case: Case
    slide: str
    magnification: int
    number: int

    @property
    def folder(self) -> str:
        """The slide folder's path below the archive's root."""
        subtype = self.case.subtype
        return f"{subtype.path}/SOB_{subtype.letter}_{subtype.code}_{self.slide}"

    @property
    def path(self) -> str:
        """The image's path below the archive's root."""
        subtype = self.case.subtype
        name = f"SOB_{subtype.letter}_{subtype.code}-{self.slide}-{self.magnification}-{self.number:03d}.png"
        return f"{self.folder}/{self.magnification}X/{name}"


def draw_cases(count: int, seed: int) -> list[Case]:
    """Draw `count` cases: two thirds malignant, every subtype present, ids unique, benign cases first.

    Every fourth case of a class has two slide folders. A UserError says if `count` is too small for the eight subtypes.
    """
    if count < len(SUBTYPES):
        raise UserError(f"phantom.cases is {count}, but {len(SUBTYPES)} subtypes need as many cases or more")
    malignant = min(max(round(MALIGNANT_SHARE * count), 4), count - 4)
    rng = generator(seed, "phantom", "cases")
    numbers = rng.choice(np.arange(2000, 30000), size=count, replace=False)
    cases: list[Case] = []
    for is_malignant, in_class in ((False, count - malignant), (True, malignant)):
        subtypes = [subtype for subtype in SUBTYPES if subtype.malignant == is_malignant]
        for position, subtype in enumerate(_spread_subtypes(subtypes, in_class)):
            # BreakHis has two folders from 2015 among 82.
            year = 15 if position % 20 == 7 else 14
            name = f"{year}-{numbers[len(cases)]}"
            cases.append(Case(name, subtype, _name_slides(name, position)))
    return cases


def _spread_subtypes(subtypes: list[Subtype], cases: int) -> list[Subtype]:
    """Give each case a subtype: one each, then always the subtype furthest below its weight."""
    chosen = list(subtypes)
    while len(chosen) < cases:
        chosen.append(min(subtypes, key=lambda subtype: (chosen.count(subtype) + 1) / subtype.weight))
    return chosen


def _name_slides(name: str, position: int) -> tuple[str, ...]:
    """Name a case's slide folders by their block letters, in the ways that occur in BreakHis."""
    if position % 8 == 0:
        return f"{name}AB", f"{name}CD"
    if position % 8 == 4:
        return name, f"{name}C"
    if position % 8 == 2:
        return (f"{name}EF",)
    return (name,)


def plan_tiles(cases: list[Case], images: int) -> list[Tile]:
    """Spread the images over cases, magnifications and slide folders, as evenly as their number allows.

    Parameters
    ----------
    cases : list of Case
        Of both classes.
    images : int
        Exact number of images, at least one a case; a UserError refuses fewer.

    Returns
    -------
    list of Tile
        About two thirds malignant; numbered from 1 within a slide folder and magnification.
    """
    if images < len(cases):
        raise UserError(f"phantom.images is {images}, but {len(cases)} cases (phantom.cases) need one image each")
    by_class = [[case for case in cases if case.subtype.malignant == malignant] for malignant in (False, True)]
    benign, malignant = map(len, by_class)
    malignant_images = min(max(round(MALIGNANT_SHARE * images), malignant), images - benign)
    tiles: list[Tile] = []
    for class_cases, total in zip(by_class, (images - malignant_images, malignant_images), strict=True):
        # Going on with the next magnification where the last case stopped balances them over the class.
        turn = 0
        for position, case in enumerate(class_cases):
            share = (position + 1) * total // len(class_cases) - position * total // len(class_cases)
            tiles += _plan_case(case, share, turn)
            turn += share
    return tiles


def _plan_case(case: Case, images: int, turn: int) -> list[Tile]:
    taken: dict[tuple[str, int], int] = {}
    tiles: list[Tile] = []
    for index in range(images):
        magnification = MAGNIFICATIONS[(turn + index) % len(MAGNIFICATIONS)]
        slide = case.slides[index * len(case.slides) // images]
        number = taken[slide, magnification] = taken.get((slide, magnification), 0) + 1
        tiles.append(Tile(case, slide, magnification, number))
    return tiles
