"""What the levels of folders say: class, patient, parts, folds."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bycase.core.expressions import composed
from bycase.datasets.inspect.class_names import CLASS_WORDS, words_of
from bycase.datasets.inspect.groups import NEVER, Reading
from bycase.datasets.inspect.stems import MARKERS, rank_of
from bycase.datasets.layouts.listing import is_fold_folder
from bycase.datasets.part_words import read_part

MOST_CLASSES = 40
MOST_NUMBERED = 10  # classes that differ by a number alone, as grades do
STRAY = 0.05  # most images, as a share, that may lie higher than the others
_NUMBER = re.compile(r"\d+$")
_MAGNIFICATION = re.compile(r"\d+[xX]")
_MARKED = re.compile(rf"(?i)({'|'.join(word for words in MARKERS for word in words)})[ _-]?\d+\w*")


def label_readings(images: Sequence[Path]) -> Iterator[Reading]:
    """Levels that could be the classes': 2 to `MOST_CLASSES` names, neither parts, folds nor numbered patients."""
    for reading in _levels(images):
        names = Counter(reading.values)
        numbered = all(_MARKED.fullmatch(name) for name in names)
        numbered = numbered or (len(names) > MOST_NUMBERED and len({_NUMBER.sub("", name) for name in names}) == 1)
        digits = all(name.isdigit() for name in names) and set(names) != {str(n) for n in range(len(names))}
        if 2 <= len(names) <= MOST_CLASSES and min(names.values()) > 1 and not numbered and not digits:
            known = sum(bool(words_of(name) & CLASS_WORDS) for name in names)
            numbers = all(name.isdigit() for name in names)
            rank = 0 if known == len(names) or (numbers and len(names) <= 10) else 1 if known else NEVER
            yield Reading(reading.place, reading.words, reading.values, rank)


def patient_readings(images: Sequence[Path], label: Reading | None) -> Iterator[Reading]:
    """Levels that could be a patient's: all that are neither the class, parts nor folds."""
    for reading in _levels(images):
        if label is None or reading.values != label.values:
            ranks = {rank_of(re.split(r"\d", name)[0]) for name in set(reading.values)}
            yield Reading(reading.place, reading.words, reading.values, max(ranks))


def without_stray(images: Sequence[Path]) -> list[Path]:
    """The images without the few, such as a logo beside the folders, that lie higher than all others."""
    depths = sorted(len(path.parts) for path in images)
    usual = depths[int(len(depths) * STRAY)]
    return [path for path in images if len(path.parts) >= usual]


def has_parts(images: Sequence[Path]) -> bool:
    """Whether most images lie in a folder named as a part."""
    there = sum(any(read_part(name) for name in path.parts[:-1]) for path in images)
    return there > len(images) / 2


def has_folds(images: Sequence[Path]) -> bool:
    """Whether most images lie in a folder named as a fold."""
    there = sum(any(is_fold_folder(name) for name in path.parts[:-1]) for path in images)
    return there > len(images) / 2


def _levels(images: Sequence[Path]) -> Iterator[Reading]:
    """The levels that all images have, from the top and, where depths differ, from the image.

    Left out are those with one name for all, parts, folds and magnifications.
    """
    folders = [tuple(map(composed, path.parts[:-1])) for path in images]
    depths = {len(each) for each in folders}
    shared = min(depths, default=0)
    levels = [*range(1, shared + 1), *(range(-1, -shared - 1, -1) if len(depths) > 1 else ())]
    for level in levels:
        values = tuple(each[level - 1 if level > 0 else level] for each in folders)
        names = set(values)
        if len(names) > 1 and not any(
            all(test(name) for name in names) for test in (read_part, is_fold_folder, _MAGNIFICATION.fullmatch)
        ):
            yield Reading(level, f"folder level {level}", values)
