"""Which files are images by their names, and what others that people take for images need."""

from collections.abc import Mapping
from pathlib import PurePath

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jp2", ".j2k", ".jpx", ".jpf"}
    | {".heic", ".heif", ".dcm", ".dicom"}  # with pillow-heif, and with pydicom
)
_SLIDE = "a slide, too large for one picture: cut tiles from it, for instance with OpenSlide or tiatoolbox"
_ARRAY = "an array, of which nothing says what is black and white: save its images as PNG"
_VOLUME = "a volume: save the slices as PNG, for instance with SimpleITK"
WAYS = (
    dict.fromkeys((".svs", ".ndpi", ".mrxs", ".scn", ".vms", ".bif", ".czi", ".isyntax"), _SLIDE)
    | dict.fromkeys((".npy", ".npz", ".mat", ".h5", ".hdf5", ".pt", ".pkl"), _ARRAY)
    | dict.fromkeys((".nii", ".mha", ".mhd", ".nrrd"), _VOLUME)
    | {".tfrecord": "a file of many records: write its images as PNG", ".pdf": "a document: export its pictures as PNG"}
    | {".psd": "layers of an editor: export it as PNG", ".svg": "a drawing: export it as PNG"}
)


class NotReadError(ValueError):
    """Why a sound file is not read, and the way out, in one line."""


def why_not(path: PurePath) -> str:
    """Why a file that people take for an image is none, and what would make one of it; empty of others."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return WAYS.get(".nii" if suffixes[-2:] == [".nii", ".gz"] else path.suffix.lower(), "")


def describe_kinds(counts: Mapping[str, int], first: Mapping[str, PurePath], most: int = 4) -> str:
    """Files that are left out, by their suffix: ``3 .txt (a/x.txt, ...), 1 .npy (b.npy: an array, ...)``."""
    words = []
    common = sorted(counts, key=lambda kind: (-counts[kind], kind))
    for kind in common[:most]:
        reason, more = why_not(first[kind]), ", ..." if counts[kind] > 1 else ""
        place = f"{first[kind].as_posix()}{more}{f': {reason}' if reason else ''}"
        words.append(f"{counts[kind]} {kind or 'without suffix'} ({place})")
    rest = sum(counts[kind] for kind in common[most:])
    return ", ".join([*words, *([f"{rest} of other kinds"] if rest else [])])
