"""What restructuring found: counts, files left out, and the two reasons to stop."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.datasets.layouts.listing import Listing
from bycase.datasets.restructured import Restructured

REPORT = Path("metrics/restructure.json")


def count_by_class_and_magnification(manifest: pd.DataFrame) -> dict[tuple[str, int], int]:
    """Images by class and magnification."""
    pairs = zip(manifest["label"], manifest["magnification"], strict=True)
    return dict(sorted(Counter((str(label), int(magnification)) for label, magnification in pairs).items()))


def bad_share(result: Restructured) -> float:
    """Rejected files as a share of all files that should be images; 0 where there are none."""
    total = len(result.manifest) + len(result.rejected)
    return len(result.rejected) / total if total else 0.0


def make_report(
    dataset: str, source: str, listing: Listing, result: Restructured, expected: int | None
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
        Images of the full data set, as published; None for a phantom, which is part of nothing.
    """
    manifest = result.manifest
    by_class: dict[str, dict[str, int]] = {}
    for (label, magnification), n in count_by_class_and_magnification(manifest).items():
        by_class.setdefault(label, {})[f"{magnification}X" if magnification else "all"] = n
    return {
        "dataset": dataset,
        "source": source,
        "images": len(manifest),
        "expected": expected,
        "partial": expected is not None and len(manifest) < expected,
        "cases": int(manifest["case"].nunique()),
        "folders": int(manifest["folder"].nunique()),
        "rejected_share": round(bad_share(result), 6),
        "by_class": by_class,
        "rejected": [{"file": r.source.as_posix(), "reason": r.reason} for r in result.rejected],
        "copies": [{"file": r.source.as_posix(), "reason": r.reason} for r in result.copies],
        "rows_without_image": listing.rows_without_image,
        "not_images": [path.as_posix() for path in listing.others],
    }


def check_bad_share(result: Restructured, limit: float, report: Path) -> None:
    """Refuse a data set of which more than `limit` (0 to 1) had to be rejected.

    Raises
    ------
    UserError
        Naming the first rejected file.
    """
    share = bad_share(result)
    if share > limit:
        first = result.rejected[0]
        raise UserError(
            f"{len(result.rejected)} files ({share:.1%}) cannot be used, more than max_bad_share {limit:.1%}; "
            f"the first: {first.source.as_posix()} ({first.reason}); all: {report}; mend them or raise max_bad_share"
        )


def check_labels(listing: Listing, classes: list[str], raw: Path) -> None:
    """Refuse a data set with a class that `params.yaml` does not list.

    Raises
    ------
    UserError
        Naming them.
    """
    unlisted = sorted({image.label for image in listing.images} - set(classes))
    if unlisted:
        raise UserError(
            f"{raw} holds images of class {', '.join(unlisted)}, which datasets.<name>.classes lacks; add it there"
        )


def check_classes(manifest: pd.DataFrame, classes: list[str], raw: Path) -> None:
    """Refuse a data set without images, or in which a class of `params.yaml` is missing.

    Raises
    ------
    UserError
        Naming the class.
    """
    if manifest.empty:
        raise UserError(f"{raw} holds no image in the publisher's layout and naming; check datasets.<name>.path")
    found = set(manifest["label"])
    for label in classes:
        if label not in found:
            raise UserError(f"{raw} holds no image of class {label}; found only {', '.join(sorted(found))}")
