"""All files of a listing converted, and the manifest of those that could be."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bycase.core.parallel import map_on_all_cores
from bycase.datasets.layouts.listing import Listing, PublishedImage, Rejected
from bycase.images.convert import Converted, Job, convert
from bycase.tables.manifest import COLUMNS


@dataclass(frozen=True)
class Restructured:
    """The manifest, the files that were left out, and files that repeat another one byte for byte."""

    manifest: pd.DataFrame
    rejected: list[Rejected]
    copies: list[Rejected]


def convert_all(
    listing: Listing, raw: Path, folder: Path, classes: list[str], size: int, mode: str, workers: int | None = None
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

    Returns
    -------
    Restructured
        Of files with one name, those with other bytes than the first are numbered (``name~2.png``);
        those with the same bytes are left out and listed as copies.
    """
    for label in classes:
        (folder / label).mkdir()
    targets = _unique_targets(listing.images)
    jobs = [
        Job(raw / image.source, folder / target, size, mode)
        for image, target in zip(listing.images, targets, strict=True)
    ]
    rows: list[dict[str, object]] = []
    rejected = list(listing.rejected)
    copies: list[Rejected] = []
    first: dict[tuple[str, str], Path] = {}
    for image, target, converted in zip(
        listing.images, targets, map_on_all_cores(convert, jobs, "restructure", workers), strict=True
    ):
        if converted.error:
            rejected.append(Rejected(image.source, converted.error))
            continue
        key = (image.source.name, converted.sha256)
        if key in first:
            copies.append(Rejected(image.source, f"the same file as {first[key].as_posix()}"))
            converted.target.unlink()
            continue
        first[key] = image.source
        rows.append(_row(image, target, converted))
    return Restructured(pd.DataFrame(rows, columns=list(COLUMNS)), sorted(rejected, key=lambda r: r.source), copies)


def _unique_targets(images: list[PublishedImage]) -> list[Path]:
    """A path below the restructured folder for every image; a name's second file gets ``~2``."""
    seen: dict[Path, int] = {}
    targets = []
    for image in images:
        target = Path(image.label) / f"{image.source.stem}.png"
        seen[target] = seen.get(target, 0) + 1
        targets.append(target if seen[target] == 1 else target.with_stem(f"{target.stem}~{seen[target]}"))
    return targets


def _row(image: PublishedImage, target: Path, converted: Converted) -> dict[str, object]:
    return {
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
    }
