"""The layouts that can be read, and what is published about the data sets in them."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pandas as pd

from bycase.core.params_data import DatasetParams
from bycase.datasets.layouts import breakhis, busi, ham10000
from bycase.datasets.layouts.copies import join_copies
from bycase.datasets.layouts.folders import read_folders
from bycase.datasets.layouts.listing import About, Listing, PublishedImage, label_by_subtype
from bycase.datasets.layouts.table import read_table_layout
from bycase.datasets.part_words import read_part

# Of published data sets; each module has `ABOUT`, `FULL_IMAGES`, `read_layout` and `check_full`.
LAYOUTS: dict[str, ModuleType] = {"breakhis": breakhis, "busi": busi, "ham10000": ham10000}


def read_layout(data: DatasetParams, raw: Path) -> Listing:
    """List the files below a raw folder as an entry of `datasets` says."""
    listing = _read(data, raw)
    return replace(listing, images=join_copies(listing.images, data.names_patient))


def _read(data: DatasetParams, raw: Path) -> Listing:
    if data.folders is not None:
        return read_folders(raw, data.folders, data.classes)
    if data.table is not None:
        return read_table_layout(raw, data.table, data.classes)
    listing: Listing = LAYOUTS[data.layout].read_layout(raw)
    # Others have laid these data sets out in train and test folders.
    listing = replace(listing, images=[_with_part(image) for image in listing.images])
    return label_by_subtype(listing) if data.task == "subtype" else listing


def _with_part(image: PublishedImage) -> PublishedImage:
    part = next((part for folder in image.source.parts[:-1] if (part := read_part(folder))), "")
    return replace(image, part=part) if part else image


def count_full(data: DatasetParams) -> int | None:
    """Images of the full data set, as published; None for phantoms, and where nothing is published."""
    return None if data.source == "phantom" or data.layout not in LAYOUTS else LAYOUTS[data.layout].FULL_IMAGES


def check_full(data: DatasetParams, manifest: pd.DataFrame) -> None:
    """Refuse a published data set from Kaggle of which images are missing; see its module."""
    if data.source == "kaggle" and data.layout in LAYOUTS:
        LAYOUTS[data.layout].check_full(manifest)


def about_dataset(data: DatasetParams, name: str) -> About:
    """What is published about a data set; of your own, what is known of it here."""
    if data.layout in LAYOUTS:
        about: About = LAYOUTS[data.layout].ABOUT
        return about
    known = data.names_patient
    return About(
        title=f"{name}, images of the user's own",
        page="",
        licence="not stated",
        citation="none",
        group="patient" if known else "image",
        group_note=(
            f"What stands for a patient is read by datasets.{name}.{data.layout}.patient; whether it is one is for the "
            "data's owner to say."
            if known
            else "No patient is named: one patient's images may stand in several groups, unless they are duplicates."
        ),
        limits=(),
    )
