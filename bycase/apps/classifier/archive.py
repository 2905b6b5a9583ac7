"""`models/classifier.keras`: a Keras file with two members more, `classifier.json` and `reference.npz`.

The three that Keras writes are copied as they are, so that `keras.saving.load_model` opens the file too. Nothing in it
is pickled. Members bear no date: the same content gives the same bytes.
"""

import io
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from bycase.apps.classifier.info import ClassifierCard
from bycase.apps.classifier.reference import Reference
from bycase.core.errors import UserError
from bycase.core.files import replace_file
from bycase.tables.models import MODELS

CLASSIFIER = MODELS / "classifier.keras"
KERAS_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
CARD, REFERENCE = "classifier.json", "reference.npz"

LARGEST = {"metadata.json": 1 << 20, "config.json": 1 << 26, "model.weights.h5": 1 << 33, CARD: 1 << 20}
LARGEST |= {REFERENCE: 1 << 32}
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_REFERENCE_ARRAYS = {"features": "f2", "images": "U", "labels": "i8"}


@dataclass(frozen=True)
class Parts:
    """What a classifier file holds beside the network."""

    card: ClassifierCard
    reference: Reference


def write_classifier(path: Path, network: Path, card: ClassifierCard, reference: Reference) -> None:
    """Write a classifier file.

    Parameters
    ----------
    path : Path
        With the suffix ``.keras``, without which Keras does not open it.
    network : Path
        A ``.keras`` file.
    card : ClassifierCard
        What the network's outputs mean, and what goes in.
    reference : Reference
        Its training images.
    """
    arrays = io.BytesIO()
    labels = reference.labels.astype(np.int64)
    np.savez(arrays, features=reference.features.astype(np.float16), images=reference.images, labels=labels)
    with (
        replace_file(path) as partial,
        zipfile.ZipFile(network) as source,
        zipfile.ZipFile(partial, "w") as target,
    ):
        for name in KERAS_MEMBERS:
            info = zipfile.ZipInfo(name, _NO_DATE)
            info.file_size = source.getinfo(name).file_size
            with source.open(name) as content, target.open(info, "w") as copy:
                shutil.copyfileobj(content, copy)
        target.writestr(zipfile.ZipInfo(CARD, _NO_DATE), card.model_dump_json(indent=2) + "\n")
        target.writestr(zipfile.ZipInfo(REFERENCE, _NO_DATE), arrays.getvalue())


def read_parts(path: Path) -> Parts:
    """Read and check a classifier file; the network in it is left alone.

    Raises
    ------
    UserError
        If the file is missing, damaged, no classifier, or holds more than one.
    """
    if not path.is_file():
        raise UserError(f"{path} not found: run 'dvc repro bundle' first, or name a classifier by --model")
    try:
        with zipfile.ZipFile(path) as opened:
            _check_members(path, opened)
            return Parts(_read_card(path, opened.read(CARD)), _read_reference(opened.read(REFERENCE)))
    except UserError:
        raise
    # zipfile, zlib and NumPy raise nearly anything on a damaged file.
    except Exception as error:
        raise UserError(f"{path} is no classifier, or damaged ({str(error)[:200]}); get it again") from None


def _check_members(path: Path, opened: zipfile.ZipFile) -> None:
    names = [member.filename for member in opened.infolist()]
    if set(names) == set(KERAS_MEMBERS):
        raise UserError(
            f"{path} is a network without classes, thresholds and reference: give the file of 'dvc repro bundle'"
        )
    expected = {*KERAS_MEMBERS, CARD, REFERENCE}
    odd = sorted(expected.symmetric_difference(names)) or [name for name in names if names.count(name) > 1]
    if odd:
        raise UserError(f"{path} is no classifier: member {odd[0]!r} is missing, twice or too many")
    for member in opened.infolist():
        if member.file_size > LARGEST[member.filename]:
            raise UserError(f"{path} is refused: {member.filename} unpacks to {member.file_size / 1e9:.1f} GB")


def _read_card(path: Path, content: bytes) -> ClassifierCard:
    try:
        return ClassifierCard.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or CARD
        raise UserError(
            f"{path}: {place}: {first['msg']}; this version cannot read it, run 'dvc repro bundle'"
        ) from None


def _read_reference(content: bytes) -> Reference:
    with np.load(io.BytesIO(content), allow_pickle=False) as opened:
        features, images, labels = (opened[name] for name in _REFERENCE_ARRAYS)
    kinds = (features.dtype.str[1:], images.dtype.kind, labels.dtype.str[1:])
    if kinds != tuple(_REFERENCE_ARRAYS.values()) or features.ndim != 2 or not len(features):
        raise ValueError("its reference is of another kind")
    if images.shape != (len(features),) or labels.shape != images.shape or not np.isfinite(features).all():
        raise ValueError("its reference does not fit together")
    return Reference(features.astype(np.float32), images, labels)
