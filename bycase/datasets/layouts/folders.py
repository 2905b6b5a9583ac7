"""Any folder of labelled images: class, patient, parts and columns by folders, or by expressions on the path.

A folder a class is what Keras' `image_dataset_from_directory`, torchvision's `ImageFolder` and Hugging Face's
`imagefolder` read.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bycase.core.errors import UserError
from bycase.core.params_layouts import FoldersParams
from bycase.datasets.layouts.listing import (
    Listing,
    PublishedImage,
    Rejected,
    is_image,
    is_mask,
    list_files,
    match_masks,
)
from bycase.datasets.layouts.naming import Labels, PathReader, make_image, name_cases

SECTION = "folders"  # of an entry of `datasets`


def read_folders(root: Path, folders: FoldersParams, classes: Sequence[str]) -> Listing:
    """List a folder of images; see `sort_folders`."""
    return sort_folders(list_files(root), folders, classes)


def sort_folders(files: Sequence[Path], folders: FoldersParams, classes: Sequence[str]) -> Listing:
    """Sort files into images, unusable ones and others, by their paths alone.

    Parameters
    ----------
    files : sequence of Path
        Relative to the raw folder.
    folders : FoldersParams
        Where class, patient, slide, part, fold and columns stand.
    classes : sequence of str
        The data set's.

    Returns
    -------
    Listing
        An image whose path does not say its class, or names no patient where `folders` asks for one, is rejected.
        Masks, by their names or folders, stand in the ``masks`` of their images; without an image they are other files.

    Raises
    ------
    UserError
        If a label is of no class, or an expression is not valid, matches no image or takes too long.
    """
    labels = Labels(folders.names, classes, f"{SECTION}.names")
    reader = PathReader(folders.places, SECTION)
    names = [*classes, *folders.names]
    pictures = [path for path in files if is_image(path)]
    masks = [path for path in pictures if is_mask(path, names)]
    kept = sorted(set(pictures) - set(masks))
    images: list[PublishedImage] = []
    rejected: list[Rejected] = []
    for source in kept:
        try:
            values = reader.read(source)
            label = _find_label(source, values, labels, folders)
            if label is not None:
                images.append(make_image(source, label, values, reader.columns, SECTION))
        except ValueError as error:
            rejected.append(Rejected(source, str(error)))
    reader.check(len(kept))
    labels.check()
    if kept and not images and folders.label == "auto":
        raise UserError(_no_class(kept, classes))
    matched, unmatched = match_masks(masks, [image.source for image in images])
    others = sorted([*(path for path in files if not is_image(path)), *unmatched])
    return Listing(
        name_cases(add_masks(images, matched)),
        rejected,
        others,
        left_out=dict(labels.left_out),
        notes=[f"{len(masks)} masks, by their names or folders, are no images"] if masks else [],
    )


def _find_label(source: Path, values: dict[str, str], labels: Labels, folders: FoldersParams) -> str | None:
    """The class; None where the image is left out, or its label is refused later."""
    if folders.label == "auto":
        found = [folder for folder in source.parts[:-1] if labels.knows(folder)]
        kinds = {labels.kind(folder) for folder in found}
        if not kinds:
            raise ValueError(f"none of its folders is named as a class ({', '.join(labels.all)}) or in {SECTION}.names")
        if len(kinds) > 1:
            raise ValueError(f"its folders name two classes: {' and '.join(found)}; set {SECTION}.label to a level")
        return labels.find(found[-1])
    if not values.get("label"):
        raise ValueError(f"no label: {SECTION}.label finds none")
    return labels.find(values["label"])


def add_masks(images: list[PublishedImage], masks: dict[Path, list[Path]]) -> list[PublishedImage]:
    """The images with their masks; see `bycase.datasets.layouts.listing.match_masks`."""
    return [replace(image, masks=tuple(masks[image.source])) if image.source in masks else image for image in images]


def _no_class(pictures: list[Path], classes: Sequence[str]) -> str:
    there = sorted({folder for path in pictures for folder in path.parts[:-1]})[:12]
    return (
        f"{SECTION}.label: none of {len(pictures)} images lies in a folder named as a class ({', '.join(classes)}); "
        f"folders there: {', '.join(there) or 'none'}; map them by {SECTION}.names, or set {SECTION}.label to a folder "
        "level or an expression"
    )
