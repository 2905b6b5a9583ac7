"""Readings: ways to tell the class or the patient of every image, and which of several is to be believed.

A reading counts as found only where no other one is as good; which of two such is right, only a person knows.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

FEWEST_GROUPS = 4  # that can be divided into train, validation and test
LEAST_IMAGES = 1.5  # a group, on average
LEAST_REPEATED = 0.5  # share of images that have another one of their group within their class
PURE = 0.9  # share of groups within one class from which a part of a name is believed without any usual word
COLUMN = "column "  # with which the words of a column's reading begin
NEVER = 9  # rank of a reading that no usual word speaks for


@dataclass(frozen=True)
class Reading:
    """A value for every image, and where it stands.

    Attributes
    ----------
    place : int or str
        As in an entry of `datasets`: a folder level, a column or an expression.
    words : str
        The same for the report.
    values : tuple of str
        In the order of the images.
    rank : int
        How much its name speaks for it, 0 the most; `NEVER`: nothing does.
    """

    place: int | str
    words: str
    values: tuple[str, ...]
    rank: int = NEVER


@dataclass(frozen=True)
class Choice:
    """The reading that is believed, if any; rivals, which leave it to a person; others, the same or finer."""

    chosen: Reading | None = None
    rivals: tuple[Reading, ...] = ()
    agreeing: tuple[Reading, ...] = ()
    finer: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Groups:
    """Groups of images: number, median of their images, shares of one class and repeated, see `LEAST_REPEATED`."""

    number: int
    images: float
    purity: float
    repeated: float
    examples: tuple[str, ...]


def describe_groups(values: Sequence[str], labels: Sequence[str]) -> Groups:
    """Count the groups that a reading makes of images with these labels."""
    sizes = Counter(values)
    within = Counter(zip(values, labels, strict=True))
    classes = Counter(value for value, _ in within)
    repeated = sum(n for n in within.values() if n > 1) / max(1, len(values))
    examples = [value for value, n in sizes.items() if n > 1][:3] or list(sizes)[:3]
    pure = sum(n == 1 for n in classes.values()) / max(1, len(sizes))
    return Groups(len(sizes), median(sizes.values()) if sizes else 0, pure, repeated, tuple(examples))


def is_grouping(values: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether a reading could be the patient's: several groups, of several images each, within classes."""
    groups = describe_groups(values, labels)
    return (
        groups.number >= FEWEST_GROUPS
        and len(values) >= LEAST_IMAGES * groups.number
        and groups.repeated >= LEAST_REPEATED
    )


def same_division(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two readings divide the images in the same way, whatever the names."""
    pairs = len(set(zip(first, second, strict=True)))
    return pairs == len(set(first)) == len(set(second))


def lies_within(fine: Sequence[str], coarse: Sequence[str]) -> bool:
    """Whether every group of the one lies in one group of the other."""
    return len(set(zip(fine, coarse, strict=True))) == len(set(fine))


def choose_patient(readings: Sequence[Reading], labels: Sequence[str]) -> Choice:
    """The reading that stands for a patient.

    Parameters
    ----------
    readings : sequence of Reading
        Columns first, then folder levels, then parts of names; those that repeat a division only confirm it.
    labels : sequence of str
        The classes.

    Returns
    -------
    Choice
        Of those with a usual word, the highest rank; a column called patient is believed whatever it holds, such as a
        healthy and an ill breast of one woman. Else the coarsest: what stays together there is together in all
        finer ones too. It is left to a person where two neither agree nor lie within one another, where folders lie
        within folders, and where a part of names goes across classes, as numbers of images also do.
    """
    fit = [reading for reading in readings if _is_called_patient(reading) or is_grouping(reading.values, labels)]
    named = [reading for reading in fit if reading.rank == min(each.rank for each in fit) < NEVER]
    kept = sorted(_distinct(named or fit), key=lambda reading: len(set(reading.values)))
    if not kept:
        return Choice()
    coarsest, *finer = kept
    if named:
        return Choice(None, tuple(kept)) if finer else _found(coarsest, fit)
    in_name = [isinstance(each.place, str) for each in kept]
    nested = all(lies_within(each.values, coarsest.values) for each in finer)
    if not nested or (in_name.count(False) > 1) or (in_name[0] and not all(in_name)):
        return Choice(None, tuple(kept))
    if in_name[0] and describe_groups(coarsest.values, labels).purity < PURE:
        return Choice(None, tuple(kept))
    return replace(_found(coarsest, fit), finer=tuple(finer))


def _is_called_patient(reading: Reading) -> bool:
    named = reading.rank == 0 and reading.words.startswith(COLUMN)
    return named and len(set(reading.values)) >= FEWEST_GROUPS


def _distinct(readings: Sequence[Reading]) -> list[Reading]:
    """The first reading of each division."""
    kept: list[Reading] = []
    for reading in readings:
        if not any(same_division(reading.values, each.values) for each in kept):
            kept.append(reading)
    return kept


def _found(chosen: Reading, readings: Sequence[Reading]) -> Choice:
    """A reading that is believed, with those that say the same; of expressions that do, the shortest is taken."""
    same = [each for each in readings if same_division(each.values, chosen.values)]
    if isinstance(chosen.place, str) and chosen.words.startswith("a part"):
        chosen = min((each for each in same if each.words.startswith("a part")), key=lambda each: len(str(each.place)))
    return Choice(chosen, (), tuple(each for each in same if each is not chosen))


def choose_label(readings: Sequence[Reading]) -> Choice:
    """The reading that names the class: the only one, or the only one of the highest rank."""
    best = [reading for reading in readings if reading.rank == min(each.rank for each in readings)]
    kept = _distinct(best)
    return _found(kept[0], readings) if len(kept) == 1 else Choice(None, tuple(kept))
