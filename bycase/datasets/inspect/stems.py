"""Parts of file names that repeat: who is on the image may stand in its name, before what numbers the images."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bycase.core.expressions import composed
from bycase.datasets.inspect.class_names import class_words
from bycase.datasets.inspect.groups import NEVER, Reading

# Words before a number, and how much each speaks for a patient; lesions and slides count only where no patient is.
MARKERS = (
    ("patient", "patients", "pat", "pt", "pid", "subject", "subj", "sub", "person", "p"),
    ("case", "cases"),
    ("lesion",),
    ("slide", "wsi"),
)
SHARED = 0.95  # of names that must begin alike in kind
MOST_PARTS = 8
_RUN = re.compile(r"[^\W\d_]+|\d+|[\W_]+")
_CLASS = re.compile(r"(?:^|[\W_])(class|label|grade)[\W_]?(\d)(?=$|[\W_])", re.IGNORECASE)


def rank_of(word: str) -> int:
    """How much a word speaks for a patient, 0 the most; `NEVER` where it does not."""
    plain = word.strip(" _-").lower()
    return next((rank for rank, words in enumerate(MARKERS) if plain in words), NEVER)


def patient_readings(images: Sequence[Path]) -> Iterator[Reading]:
    """Every part of the names that could be a patient's: what they begin with, up to each change of kind.

    Yields
    ------
    Reading
        Numbers behind a usual word (``patient_12``) anywhere in the name, then beginnings, the shortest first.
    """
    names = _stems(images)
    yield from _marked(names)
    runs = [_RUN.findall(name) for name in names]
    kinds = [[_kind(run) for run in each] for each in runs]
    usual = Counter(tuple(each[:MOST_PARTS]) for each in kinds).most_common(1)[0][0]
    for cut in range(1, len(usual)):
        begin = usual[:cut]
        if begin[-1] == "-" or usual[cut] == ".":
            continue
        fits = [tuple(each[:cut]) == begin and len(each) > cut for each in kinds]
        if sum(fits) < SHARED * len(names):
            return
        columns = [{each[place] for each, fit in zip(runs, fits, strict=True) if fit} for place in range(cut + 1)]
        pattern = "".join(_pattern(kind, values) for kind, values in zip(begin, columns, strict=False))
        behind = _pattern(usual[cut], columns[cut])
        values = ("".join(each[:cut]) if fit else name for each, fit, name in zip(runs, fits, names, strict=True))
        expression = f"(?:^|/)(?P<patient>{pattern}){behind}[^/]*$"
        yield Reading(expression, f"a part of the name, {expression}", tuple(values))


def _marked(names: Sequence[str]) -> Iterator[Reading]:
    for rank, words in enumerate(MARKERS):
        found = [re.search(_marker(words), f"{name}.") for name in names]
        if sum(match is not None for match in found) >= SHARED * len(names):
            there = sorted({match["word"].lower() for match in found if match})
            expression = _marker(there).replace("?P<word>", "?:" if len(there) > 1 else "")
            expression = expression.replace(f"({there[0]})", there[0])
            values = (match["patient"] if match else name for match, name in zip(found, names, strict=True))
            yield Reading(expression, f"a part of the name, {expression}", tuple(values), rank)


def _marker(words: Sequence[str]) -> str:
    """An expression of one of the words before a number, in a name."""
    return rf"(?i)(?:^|[/\W_\d])(?P<patient>(?P<word>{'|'.join(words)})[ _-]?\d+)(?=\D)[^/]*$"


def label_readings(images: Sequence[Path]) -> Iterator[Reading]:
    """The class in names: ``class0``, a word of classes anywhere, or the letters that they begin with."""
    names = _stems(images)
    numbered = [_CLASS.search(name) for name in names]
    if images and all(numbered):
        expression = "(?i)(?:class|label|grade)[ _-]?(?P<label>\\d)[^/]*$"
        yield Reading(
            expression, f"a part of the name, {expression}", tuple(match[2] for match in numbered if match), 2
        )
    worded = [class_words(name) for name in names]
    if all(len(words) == 1 for words in worded):
        values = tuple(words[0] for words in worded)
        expression = rf"(?:^|\P{{L}})(?P<label>{'|'.join(sorted(set(values)))})(?:[^\p{{L}}/][^/]*)?$"
        yield Reading(expression, f"a part of the name, {expression}", values, 2)
    begins = [re.match(r"[^\W\d_]+", name) for name in names]
    if images and all(begins):
        expression = r"(?:^|/)(?P<label>\p{L}+)[^/]*$"
        values = tuple(match[0] for match in begins if match)
        yield Reading(expression, f"the letters that the names begin with, {expression}", values)


def _stems(images: Sequence[Path]) -> list[str]:
    return [composed(path.stem) for path in images]


def _kind(run: str) -> str:
    return "0" if run.isdigit() else "a" if run.isalpha() else "-"


def _pattern(kind: str, values: set[str]) -> str:
    """An expression of a run of letters, digits or other characters."""
    if len(values) == 1:
        return re.escape(next(iter(values))).replace("\\ ", " ").replace("\\-", "-")
    return {"0": r"\d+", "a": r"\p{L}+", "-": r"[^\p{L}\d/]+"}[kind]
