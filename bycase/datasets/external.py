"""The images of an external test set, brought to the form of the training images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_data import DatasetParams
from bycase.datasets.layouts.listing import Listing
from bycase.datasets.layouts.registry import read_layout
from bycase.datasets.restructure import check_bad_share, check_labels, check_ranges, convert_all
from bycase.images.ranges import describe_ranges
from bycase.tables.external import ABOUT


def restructure_external(
    name: str,
    entry: DatasetParams,
    own: DatasetParams,
    raw: Path,
    folder: Path,
    classes: Mapping[str, str | None],
    magnifications: Sequence[int],
) -> tuple[pd.DataFrame, dict[str, int], dict[str, dict[str, Any]]]:
    """Convert the external data set's images as the classifier's own were converted.

    Parameters
    ----------
    name : str
        The external data set's.
    entry, own : DatasetParams
        Its entry, which says how its files are read and what is black and white in them, and the classifier's, which
        says of what size and classes images are.
    raw, folder : Path
        Where the files are, and an empty folder for the PNG files.
    classes, magnifications
        See `select_images`.

    Returns
    -------
    manifest : DataFrame
        See `bycase.tables.manifest`; labels are the classifier's classes.
    left_out : dict of str to int
        See `select_images`, and ``unusable``: files that could not be read.
    pixel_values : dict
        See `bycase.images.ranges.describe_ranges`.

    Raises
    ------
    UserError
        If a class is in neither list, nothing says what is black and white, too many files cannot be used, or no image
        is left.
    """
    listing = read_layout(entry, raw)
    check_labels(listing, entry.classes, raw)
    chosen, left_out = select_images(listing, classes, magnifications)
    if not chosen.images:
        raise UserError(
            f"evaluate.external: none of the {len(listing.images)} images of the data set is left; check its path and "
            "evaluate.external_magnifications"
        )
    result = convert_all(chosen, raw, folder, own.classes, own.image_size, own.resize, value_range=entry.value_range)
    check_ranges(result, f"datasets.{name}.value_range")
    check_bad_share(result, entry.max_bad_share, ABOUT)
    left_out["unusable"] = len(result.rejected)
    return result.manifest, left_out, describe_ranges(result.pixel_values, result.ranges)


def select_images(
    listing: Listing, classes: Mapping[str, str | None], magnifications: Sequence[int]
) -> tuple[Listing, dict[str, int]]:
    """Give images the classifier's classes, and leave out those that have none or are of another magnification.

    Parameters
    ----------
    listing : Listing
        The external data set's.
    classes : mapping
        From its classes to the classifier's; None leaves the class out, and classes that are not there keep their name.
    magnifications : sequence of int
        Those wanted; empty: all.

    Returns
    -------
    listing : Listing
        What is left, relabelled.
    left_out : dict of str to int
        Images by the reason: ``class``, ``magnification``.
    """
    meant = {image.label: classes.get(image.label, image.label) for image in listing.images}
    known = [replace(image, label=label) for image in listing.images if (label := meant[image.label]) is not None]
    kept = [image for image in known if not magnifications or image.magnification in magnifications]
    left_out = {"class": len(listing.images) - len(known), "magnification": len(known) - len(kept)}
    return replace(listing, images=kept), left_out
