"""All files of a listing converted, the manifest of those that could be, the report, and the reasons to stop."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.parallel import BATCH, map_on_all_cores
from bycase.datasets.layouts.copies import list_copies
from bycase.datasets.layouts.listing import Listing, PublishedImage, Rejected
from bycase.images.blank import WORDS
from bycase.images.convert import Converted, Job, convert
from bycase.images.ranges import (
    TYPE_RANGES,
    Choice,
    PixelRange,
    UsedRange,
    Values,
    choose_range,
    describe_ranges,
    in_words,
)
from bycase.tables.manifest import COLUMNS


@dataclass(frozen=True)
class Restructured:
    """The manifest, the files that were left out, and files that repeat another one byte for byte.

    `pixel_values` and `ranges` say of each kind of pixels what values they have, and what was made black and white;
    `blank` are images of the manifest in which there is nothing to see, with what they are.
    """

    manifest: pd.DataFrame
    rejected: list[Rejected]
    copies: list[Rejected]
    pixel_values: dict[str, Values] = field(default_factory=dict)
    ranges: dict[str, UsedRange] = field(default_factory=dict)
    blank: list[Rejected] = field(default_factory=list)


def convert_all(
    listing: Listing,
    raw: Path,
    folder: Path,
    classes: list[str],
    size: int,
    mode: str,
    workers: int | None = None,
    value_range: Choice = None,
) -> Restructured:
    """Convert the images of a listing into ``folder/<class>/<name>.png``.

    Parameters
    ----------
    listing : Listing
        What the layout's reader found below `raw`.
    raw, folder : Path
        Where the files are, and an empty folder for the PNG files.
    classes : list of str
        The data set's classes, one folder each.
    size : int
        Side of the square, in pixels.
    mode : {'squash', 'crop', 'pad'}
        See `bycase.images.convert.resize`.
    workers : int, optional
        Number of processes; all cores where left out.
    value_range : {'type', 'data', 'picture'}, (low, high) or None
        See `bycase.images.ranges.choose_range`.

    Returns
    -------
    Restructured
        Of files with one name, those with other bytes than the first are numbered (``name~2.png``);
        those with the same bytes, label, case and part are left out and listed as copies.
    """
    for label in classes:
        (folder / label).mkdir()
    targets = _unique_targets(listing.images)
    jobs = _Jobs(listing.images, targets, raw, folder, size, mode)
    more = sorted({name for image in listing.images for name in image.more})
    rows: list[tuple[object, ...]] = []
    frames: list[pd.DataFrame] = []
    values: dict[str, Values] = {}
    kinds: list[str] = [""] * len(jobs)
    blank: dict[int, str] = {}
    rejected = list(listing.rejected)
    copies: list[Rejected] = []
    first: dict[tuple[str, ...], Path] = {}
    for number, converted in enumerate(map_on_all_cores(convert, jobs, "restructure", workers)):
        image = listing.images[number]
        if converted.error:
            rejected.append(Rejected(image.source, converted.error))
            continue
        key = (image.source.name, converted.sha256, image.label, _copy_case(image), image.part)
        if key in first:
            copies.append(Rejected(image.source, f"the same file as {first[key].as_posix()}"))
            converted.target.unlink()
            continue
        first[key] = image.source
        assert converted.pixel_values is not None
        kinds[number] = kind = converted.pixel_values.kind
        values[kind] = values[kind] + converted.pixel_values if kind in values else converted.pixel_values
        if converted.blank:
            blank[number] = converted.blank
        rows.append(_row(image, targets[number], converted, more))
        if len(rows) == BATCH:
            frames.append(pd.DataFrame(rows, columns=[*COLUMNS, *more]))
            rows = []
    frames.append(pd.DataFrame(rows, columns=[*COLUMNS, *more]))
    manifest = pd.concat(frames, ignore_index=True)
    ranges = {kind: choose_range(values[kind], value_range) for kind in sorted(values)}
    blank |= _convert_anew(manifest, kinds, ranges, jobs, workers)
    nothing = [Rejected(listing.images[number].source, WORDS[word]) for number, word in blank.items() if word]
    return Restructured(
        manifest,
        sorted(rejected, key=lambda r: r.source),
        copies,
        {kind: values[kind] for kind in ranges},
        ranges,
        sorted(nothing, key=lambda r: r.source),
    )


class _Jobs(Sequence[Job]):
    """The jobs of a listing, made when they are asked for: paths of all at once would cost more than the pictures."""

    def __init__(
        self, images: list[PublishedImage], targets: list[Path], raw: Path, folder: Path, size: int, mode: str
    ) -> None:
        self._images, self._targets, self._raw, self._folder = images, targets, raw, folder
        self._size, self._mode = size, mode
        self.ranges: dict[str, PixelRange | None] = {}

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, number: Any) -> Any:
        source, target = self._raw / self._images[number].source, self._folder / self._targets[number]
        return Job(source, target, self._size, self._mode, self.ranges)


def _convert_anew(
    manifest: pd.DataFrame, kinds: list[str], ranges: dict[str, UsedRange], jobs: _Jobs, workers: int | None
) -> dict[int, str]:
    """Convert the images whose kind is read by another range than its type's; gives what is in them by their number."""
    jobs.ranges = {kind: used.pixel_range for kind, used in ranges.items()}
    again = [n for n, kind in enumerate(kinds) if kind and jobs.ranges[kind] != TYPE_RANGES[kind]]
    blank: dict[int, str] = {}
    hashes: dict[str, str] = {}
    label = "restructure, by the range in use"
    if again:
        anew = map_on_all_cores(convert, [jobs[number] for number in again], label, workers)
        for number, converted in zip(again, anew, strict=True):
            blank[number] = converted.blank
            hashes[converted.target.relative_to(converted.target.parents[1]).as_posix()] = converted.phash
        manifest["phash"] = manifest["image"].map(hashes).fillna(manifest["phash"])
    return blank


def _copy_case(image: PublishedImage) -> str:
    """Copies are of one case; where none is named, the case is the image's own path or name."""
    return "" if Path(image.case).name.startswith(image.source.stem) else image.case


def _unique_targets(images: list[PublishedImage]) -> list[Path]:
    """A path below the restructured folder for every image; a name's second file gets ``~2``."""
    seen: dict[Path, int] = {}
    targets = []
    for image in images:
        target = Path(image.label) / f"{image.source.stem}.png"
        seen[target] = seen.get(target, 0) + 1
        targets.append(target if seen[target] == 1 else target.with_stem(f"{target.stem}~{seen[target]}"))
    return targets


def _row(image: PublishedImage, target: Path, converted: Converted, more: list[str]) -> tuple[object, ...]:
    """The values of the manifest's columns, and of those that only this data set has."""
    values = {
        "image": target.as_posix(),
        "label": image.label,
        "subtype": image.subtype,
        "magnification": image.magnification,
        "folder": image.folder,
        "case": image.case,
        "group": image.case,
        "width": converted.width,
        "height": converted.height,
        "sha256": converted.sha256,
        "phash": converted.phash,
        "source": image.source.as_posix(),
        "mask": "|".join(mask.as_posix() for mask in image.masks),
        "age": image.age,
        "sex": image.sex,
        "site": image.site,
        "confirmed_by": image.confirmed_by,
        "supplied_part": image.part,
        "supplied_fold": image.fold,
    }
    return *(values[column] for column in COLUMNS), *(image.more.get(name, "") for name in more)


REPORT = Path("metrics/restructure.json")


def bad_share(result: Restructured) -> float:
    """Rejected files and blank images as a share of all files that should be images; 0 where there are none."""
    total = len(result.manifest) + len(result.rejected)
    return (len(result.rejected) + len(result.blank)) / total if total else 0.0


def make_report(
    dataset: str,
    source: str,
    listing: Listing,
    result: Restructured,
    expected: int | None,
    patients_known: bool = True,
) -> dict[str, Any]:
    """The content of ``metrics/restructure.json``.

    Parameters
    ----------
    dataset, source : str
        The data set's name in `params.yaml`, and where it came from.
    listing : Listing
        What was found in the raw folder.
    result : Restructured
        What became of it.
    expected : int, optional
        Images of the full data set, as published; None for a phantom, which is part of nothing, and for your own.
    patients_known : bool
        Whether anything names a patient.
    """
    manifest = result.manifest
    by_class: dict[str, dict[str, int]] = {}
    counts = Counter(zip(manifest["label"], manifest["magnification"], strict=True))
    for (label, magnification), n in sorted(counts.items()):
        by_class.setdefault(label, {})[f"{magnification}X" if magnification else "all"] = n
    return {
        "dataset": dataset,
        "source": source,
        "images": len(manifest),
        "expected": expected,
        "partial": expected is not None and len(manifest) < expected,
        "cases": int(manifest["case"].nunique()),
        "folders": int(manifest["folder"].nunique()),
        "patients_known": patients_known,
        "pixel_values": describe_ranges(result.pixel_values, result.ranges),
        "bad_share": round(bad_share(result), 6),
        "by_class": by_class,
        "rejected": [{"file": r.source.as_posix(), "reason": r.reason} for r in result.rejected],
        "blank": [{"file": r.source.as_posix(), "reason": r.reason} for r in result.blank],
        "copies": [{"file": r.source.as_posix(), "reason": r.reason} for r in result.copies],
        "copies_by_name": list_copies(listing.images),
        "rows_without_image": listing.rows_without_image,
        "left_out": listing.left_out,
        "notes": listing.notes,
        "not_images": [path.as_posix() for path in listing.others],
    }


def check_ranges(result: Restructured, key: str) -> None:
    """Refuse images of which nothing says what is black and white; `key` of `params.yaml` says it.

    Raises
    ------
    UserError
        Naming the kind of pixels and the choices.
    """
    described = describe_ranges(result.pixel_values, result.ranges)
    for kind, used in result.ranges.items():
        if used.origin == "unknown":
            values = result.pixel_values[kind]
            raise UserError(
                f"{in_words(kind, described[kind]).split(':')[0]}, from which black and white "
                f"cannot be known; set {key}: type (black {used.low:g}, white {used.high:g}), data "
                f"({values.lowest:g} and {values.highest:g}), picture (each image's own) or [black, white]"
            )


def check_bad_share(result: Restructured, limit: float, report: Path) -> None:
    """Refuse a data set of which more than `limit` (0 to 1) was rejected or is blank, naming the first file."""
    share = bad_share(result)
    if share > limit:
        first = (result.rejected or result.blank)[0]
        number = len(result.rejected) + len(result.blank)
        raise UserError(
            f"{number} files ({share:.1%}) cannot be used, more than max_bad_share {limit:.1%}; "
            f"the first: {first.source.as_posix()} ({first.reason}); all: {report}; mend them or raise max_bad_share"
        )


def check_labels(listing: Listing, classes: list[str], raw: Path) -> None:
    """Refuse a data set with a class that `params.yaml` does not list, naming all such."""
    unlisted = sorted({image.label for image in listing.images} - set(classes))
    if unlisted:
        raise UserError(
            f"{raw} holds images of class {', '.join(unlisted)}, which datasets.<name>.classes lacks; add it there"
        )


def check_classes(manifest: pd.DataFrame, classes: list[str], raw: Path) -> None:
    """Refuse a data set without images, or in which a class of `params.yaml` is missing, naming it."""
    if manifest.empty:
        raise UserError(f"{raw} holds no image in the layout of datasets.<name>.layout; check datasets.<name>.path")
    labels = set(manifest["label"])
    for label in classes:
        if label not in labels:
            raise UserError(f"{raw} holds no image of class {label}; found only {', '.join(sorted(labels))}")
