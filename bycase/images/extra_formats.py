"""HEIC and DICOM, which further packages read: pillow-heif and pydicom."""

import io
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bycase.images.formats import NotReadError

HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
LARGEST = 89_478_485  # pixels, as of Pillow


def is_heic(content: bytes) -> bool:
    """Whether a file is HEIC or HEIF by its first bytes; AVIF, which Pillow reads, may have a brand of them too."""
    return content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS and b"avif" not in content[8:64]


def is_dicom(content: bytes) -> bool:
    """Whether a file is DICOM by its first bytes; PS3.10, section 7.1."""
    return content[128:132] == b"DICM"


def admit_heic() -> None:
    """Let Pillow read HEIC.

    Raises
    ------
    NotReadError
        If pillow-heif is not installed.
    """
    if find_spec("pillow_heif") is None:
        raise NotReadError("HEIC is read where pillow-heif is installed: pip install pillow-heif; or save it as PNG")
    import pillow_heif

    pillow_heif.register_heif_opener()


def read_dicom(content: bytes) -> tuple[NDArray[Any], int, list[str]]:
    """The first frame of a DICOM file, rescaled, and by its window where it has one; nothing else of it is kept.

    Returns
    -------
    pixels : ndarray of shape (height, width) or (height, width, 3)
        uint8 where a window was applied, or there are 8 bits; else as rescaled (PS3.3, section C.11.1).
    bits : int
        Significant ones of pixels that were neither rescaled nor have a sign, above 8; else 0.
    notes : list of str
        What was done.

    Raises
    ------
    NotReadError
        If pydicom is not installed, there is no picture in the file, or its pixels cannot be read.
    """
    if find_spec("pydicom") is None:
        raise NotReadError("DICOM is read where pydicom is installed: pip install pydicom; or save it as PNG")
    import pydicom
    from pydicom.pixels import apply_rescale, pixel_array

    try:
        data = pydicom.dcmread(io.BytesIO(content))
        if "PixelData" not in data:
            raise NotReadError("DICOM without a picture")
        if int(data.Rows) * int(data.Columns) > LARGEST:
            raise NotReadError(f"more than {LARGEST / 1e6:.0f} million pixels")
        stored = pixel_array(data, index=0)
    except NotReadError:
        raise
    # What pydicom raises may name a patient.
    except Exception as error:
        raise NotReadError(f"DICOM whose pixels cannot be read ({type(error).__name__})") from None
    notes = ["first frame only"] if int(data.get("NumberOfFrames", 1) or 1) > 1 else []
    if stored.ndim == 3:
        return stored, 0, notes
    notes.append("grey")
    values = apply_rescale(stored, data)
    inverted = data.PhotometricInterpretation == "MONOCHROME1"
    if "WindowCenter" in data and "WindowWidth" in data:
        centre, width = (_first(data[name].value) for name in ("WindowCenter", "WindowWidth"))
        # PS3.3, section C.11.2.1.2.1
        share = (values - (centre - 0.5)) / max(width - 1, 1) + 0.5
        pixels = (np.clip(share, 0, 1) * 255).round().astype(np.uint8)
        notes.append(f"DICOM's window of {width:g} about {centre:g}")
        return 255 - pixels if inverted else pixels, 0, notes
    if inverted:
        values = values.min() + values.max() - values
        notes.append("turned from negative")
    plain = values is stored and not int(data.PixelRepresentation)
    return values, int(data.BitsStored) if plain and not inverted else 0, notes


def _first(value: Any) -> float:
    return float(value[0] if hasattr(value, "__len__") and not isinstance(value, str) else value)
