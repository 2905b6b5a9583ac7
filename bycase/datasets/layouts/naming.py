"""What paths and labels say of images, where an entry of `datasets` itself tells how to read them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from bycase.core.errors import UserError
from bycase.core.expressions import Expression, composed
from bycase.core.params_layouts import Where
from bycase.datasets.layouts.listing import PublishedImage, is_fold_folder, read_fold
from bycase.datasets.part_words import read_part
from bycase.tables.manifest import COLUMNS

KEYS = ("label", "patient", "slide", "part", "fold")
OWN_FIELDS = frozenset({"age", "sex", "site", "confirmed_by", "subtype", "magnification"})  # columns of every manifest
RESERVED = (frozenset(COLUMNS) | {"part", "cluster", "fold", "predicted", "probability"}) - OWN_FIELDS
UNKNOWN = frozenset({"", "unknown", "nan", "na", "n/a", "none", "null", "?"})
_WHOLE = re.compile(r"(-?\d+)\.0+")


def plain(text: str) -> str:
    """A label as labels are compared: blanks around it, case, and ways to write an accent make no difference."""
    return composed(text).strip().casefold()


class Labels:
    """From labels as they are found to classes.

    Parameters
    ----------
    names : mapping of str to str or None
        Label to class; None leaves its images out.
    classes : sequence of str
        Each is a label of its own, unless `names` says otherwise.
    key : str
        Of `names` in `params.yaml`, for messages.
    """

    def __init__(self, names: Mapping[str, str | None], classes: Sequence[str], key: str) -> None:
        self._classes: dict[str, str | None] = {plain(name): name for name in classes}
        self._classes |= {plain(label): name for label, name in names.items()}
        self._key, self.all = key, tuple(classes)
        self.left_out: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()

    def knows(self, label: str) -> bool:
        """Whether a text is a label."""
        return plain(label) in self._classes

    def kind(self, label: str) -> str | None:
        """The class of a label that is known; None where its images are left out."""
        return self._classes[plain(label)]

    def find(self, label: str) -> str | None:
        """The class; None for labels to be left out, and for unknown ones, which `check` refuses."""
        if self.knows(label):
            found = self.kind(label)
            if found is None:
                self.left_out[label] += 1
            return found
        self._unknown[label] += 1
        return None

    def check(self) -> None:
        """Refuse labels that are of no class, naming them."""
        if self._unknown:
            some = ", ".join(f"'{label}' ({n} images)" for label, n in self._unknown.most_common(5))
            rest = f" and {len(self._unknown) - 5} more" if len(self._unknown) > 5 else ""
            raise UserError(
                f"{self._key}: labels that are no class: {some}{rest}; map each to one of {', '.join(self.all)} "
                "(null leaves its images out), or add it to classes"
            )


class PathReader:
    """Values from an image's path, by folder levels and expressions.

    Parameters
    ----------
    places : mapping of str to int or str
        Key to where its value stands; see `bycase.core.params_layouts.FoldersParams`.
    section : str
        Of `params.yaml`, for messages.
    """

    def __init__(self, places: Mapping[str, Where], section: str) -> None:
        self._section = section
        self._levels = {key: place for key, place in places.items() if isinstance(place, int)}
        self._expressions = {
            key: Expression(place, f"{section}.{key}")
            for key, place in places.items()
            if isinstance(place, str) and place != "auto"
        }
        self._auto = {key for key, place in places.items() if place == "auto"} & {"part", "fold"}
        check_names(self.columns, section)
        self._groups = dict.fromkeys(self.names & {"patient", "slide"}, "")
        if set(self._groups) == {"slide"}:
            raise UserError(f"{section}: where slides are all that is known, they stand for the patients: name patient")
        self._matched = dict.fromkeys(self._expressions, False)
        self._last = ""

    @property
    def columns(self) -> set[str]:
        """What it may give a value for beside the keys."""
        return self.names - set(KEYS)

    @property
    def names(self) -> set[str]:
        """Everything that it may give a value for: keys, and the named groups of expressions."""
        groups = {group for expression in self._expressions.values() for group in expression.groups}
        return {*self._levels, *self._expressions, *self._auto, *groups}

    def read(self, path: PurePath) -> dict[str, str]:
        """The values of one path; what it does not say is empty, or left out.

        Raises
        ------
        ValueError
            If it has no folder of a level.
        """
        self._last = path.as_posix()
        folders = path.parts[:-1]
        values = dict(self._groups)
        for key, level in self._levels.items():
            if abs(level) > len(folders):
                raise ValueError(f"no folder at level {level}, of which {key} should be")
            values[key] = composed(folders[level - 1 if level > 0 else level]).strip()
        for key, expression in self._expressions.items():
            found = expression.search(self._last, key)
            if found is not None:
                self._matched[key] = True
                # A key's own place counts before a group of that name elsewhere.
                values = found | {name: value for name, value in values.items() if value} | {key: found.get(key, "")}
        for key, named in (("part", lambda name: read_part(name) != ""), ("fold", is_fold_folder)):
            if key in self._auto:
                values[key] = next((folder for folder in folders if named(folder)), "")
        return values

    def check(self, n_images: int) -> None:
        """Refuse an expression that none of the images matched."""
        for key, matched in self._matched.items():
            if n_images and not matched:
                raise UserError(
                    f"{self._section}.{key}: expression '{self._expressions[key].pattern}' matches none of {n_images} "
                    f"images, such as {self._last}; correct it"
                )


def check_names(columns: Iterable[str], section: str) -> None:
    """Refuse columns that would be taken for others of the manifest."""
    taken = sorted(set(columns) & RESERVED)
    if taken:
        raise UserError(
            f"{section}: '{taken[0]}' is a column of the manifest with a meaning of its own; name it otherwise"
        )


def make_image(
    source: Path, label: str, values: Mapping[str, str], columns: Iterable[str], section: str
) -> PublishedImage:
    """An image of what is known of it.

    Parameters
    ----------
    source : Path
        Below the raw folder.
    label : str
        Its class.
    values : mapping of str
        See `PathReader.read`; ``patient`` and ``slide`` only where they are known of the data set.
    columns : iterable of str
        Those of the values that are for the subgroup tables.
    section : str
        Of `params.yaml`, for messages.

    Raises
    ------
    ValueError
        If it lacks a patient or slide where the others have one, or its part or magnification is none.
    """
    for key in ("patient", "slide"):
        if key in values and not values[key]:
            raise ValueError(f"no {key}: {section}.{key} finds none")
    part = values.get("part", "")
    if part and not read_part(part):
        raise ValueError(f"part '{part}' is none of train, val, test")
    known = {name: value for name in columns if (value := clean(values.get(name, "")))}
    patient = composed(values.get("patient", ""))
    return PublishedImage(
        source,
        label,
        subtype=known.pop("subtype", label),
        magnification=_magnification(known.pop("magnification", "")),
        folder=composed(values.get("slide", patient)),
        case=patient,
        age=known.pop("age", ""),
        sex=known.pop("sex", ""),
        site=known.pop("site", ""),
        confirmed_by=known.pop("confirmed_by", ""),
        part=read_part(part),
        fold=read_fold(values.get("fold", "")),
        more=known,
    )


def _magnification(text: str) -> int:
    digits = text.strip().lower().removesuffix("x")
    if digits and not digits.isdigit():
        raise ValueError(f"magnification '{text}' is no number")
    return int(digits or 0)


def clean(value: str) -> str:
    """A value of a subgroup column; empty where it says that it is not known."""
    value = composed(value).strip()
    return "" if value.lower() in UNKNOWN else _WHOLE.sub(r"\1", value)


def name_cases(images: list[PublishedImage]) -> list[PublishedImage]:
    """Without a patient each image is a case of its own, by its stem or, where stems recur, by its path."""
    unnamed = [image.source for image in images if not image.case]
    stems = Counter(source.stem for source in unnamed)
    paths = Counter(source.with_suffix("") for source in unnamed)

    def name(source: Path) -> str:
        if stems[source.stem] == 1:
            return source.stem
        return (source.with_suffix("") if paths[source.with_suffix("")] == 1 else source).as_posix()

    return [
        image if image.case else replace(image, case=name(image.source), folder=name(image.source)) for image in images
    ]
