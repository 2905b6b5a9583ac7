"""`data/fingerprints/`: what every image is recognised by, whatever network is trained later."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.files import replace_folder, write_csv, write_json
from bycase.core.rows import save_rows
from bycase.datasets.orientations import SIDE, make_thumbnail
from bycase.tables.partial_features import Extract, PartialFeatures, fill
from bycase.tables.results import open_array, read_results, read_table

FINGERPRINTS = Path("data/fingerprints")

# The one pre-trained backbone that comes with the requirements; fixed, so that audits of two experiments agree.
BACKBONE = "efficientnetlite"
FEATURES = 1280

Read = Callable[[list[str]], NDArray[np.uint8]]


@dataclass(frozen=True)
class Fingerprints:
    """What ``data/fingerprints`` holds.

    Attributes
    ----------
    images : list of str
        Paths below ``data/restructured``, in the manifest's order.
    pixel_sha256 : list of str
        Hash of the restructured RGB pixels and their size.
    phash : list of str
        64-bit perceptual hash of the published image, 16 hexadecimal digits.
    features : ndarray of shape (n_images, n_features), float32
        Of the reference backbone, not normalised; a memory map where read from a file.
    thumbnails : ndarray of shape (n_images, 32, 32), uint8, or None
        See `bycase.datasets.orientations.make_thumbnail`; None where nobody asks for turned images.
    """

    images: list[str]
    pixel_sha256: list[str]
    phash: list[str]
    features: NDArray[np.float32]
    thumbnails: NDArray[np.uint8] | None = None


def hash_pixels(pixels: NDArray[np.uint8]) -> str:
    """The SHA-256 of an RGB image's size and pixels (height, width, 3), uint8, hexadecimal."""
    digest = hashlib.sha256(f"{pixels.shape[1]}x{pixels.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def compute_fingerprints(
    manifest: pd.DataFrame, read: Read, extract: Extract, partial_folder: Path, fingerprint: str, batch_size: int
) -> Fingerprints:
    """Fingerprint every image; features that an interrupted run has left are used.

    Parameters
    ----------
    manifest : DataFrame with the columns ``image``, ``sha256`` and ``phash``
        One row an image.
    read : callable
        Image names to uint8 RGB (n, size, size, 3).
    extract : callable
        The reference backbone: float32 RGB (n, size, size, 3) in [0, 255] to float32 (n, `FEATURES`).
    partial_folder : Path
        Where unfinished features lie. It is kept afterwards: DVC empties a stage's outputs before it runs,
        and neither a waiver nor a threshold should cost another pass of the backbone.
    fingerprint : str
        Of all that the features depend on; see `bycase.core.fingerprint`.
    batch_size : int
        Images at a time.

    Raises
    ------
    UserError
        If a perceptual hash of the manifest is not one.
    """
    images = manifest["image"].tolist()
    check_perceptual_hashes(manifest)
    partial = PartialFeatures(partial_folder, (len(images), 1, FEATURES), fingerprint)

    def unchanged(pixels: NDArray[np.uint8], _: int) -> Iterator[NDArray[np.float32]]:
        yield pixels.astype(np.float32)

    fill(partial, images, read, unchanged, extract, batch_size, "fingerprints")
    hashes: list[str] = []
    thumbnails = np.empty((len(images), SIDE, SIDE), np.uint8)
    for start in range(0, len(images), batch_size):
        for pixels in read(images[start : start + batch_size]):
            thumbnails[len(hashes)] = make_thumbnail(pixels)
            hashes.append(hash_pixels(pixels))
    return Fingerprints(images, hashes, manifest["phash"].tolist(), partial.array[:, 0], thumbnails)


def check_perceptual_hashes(manifest: pd.DataFrame) -> None:
    """Refuse a manifest with a perceptual hash that is not 16 hexadecimal digits."""
    for image, phash in zip(manifest["image"], manifest["phash"], strict=True):
        if not re.fullmatch("[0-9a-f]{16}", phash):
            raise UserError(
                f"data/manifest.csv: phash '{phash}' of {image} is not 64 bits in hexadecimal; "
                "run 'dvc repro -f restructure'"
            )


def write_fingerprints(fingerprints: Fingerprints, made_by: dict[str, Any], path: Path = FINGERPRINTS) -> None:
    """Write ``features.npy``, ``index.csv`` and ``made_by.json``, all or none."""
    with replace_folder(path) as folder:
        save_rows(folder / "features.npy", fingerprints.features)
        columns = {
            "image": fingerprints.images,
            "pixel_sha256": fingerprints.pixel_sha256,
            "phash": fingerprints.phash,
        }
        write_csv(folder / "index.csv", pd.DataFrame(columns))
        write_json(folder / "made_by.json", made_by)


def read_fingerprints(path: Path = FINGERPRINTS) -> Fingerprints:
    """Open the fingerprints without reading the features into memory; refused if not there or not whole."""
    index = read_table(path / "index.csv", "audit", dtype=str)
    features = open_array(path / "features.npy", "audit")
    if len(index) != len(features):
        raise UserError(f"{path}: {len(features)} features of {len(index)} images; run 'dvc repro -f audit'")
    return Fingerprints(index["image"].tolist(), index["pixel_sha256"].tolist(), index["phash"].tolist(), features)


def read_made_by(path: Path = FINGERPRINTS) -> dict[str, Any]:
    """What made the fingerprints: model, weights, pooling, image_size, resize."""
    return read_results(path / "made_by.json", "audit")
