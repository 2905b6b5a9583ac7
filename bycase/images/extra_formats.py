"""HEIC and DICOM, which the packages of the extra `formats` read: pillow-heif and pydicom."""

import io
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.packages import how_to_install
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
        raise NotReadError(f"HEIC is read by pillow-heif: {how_to_install('pillow_heif')}; or save it as PNG")
    import pillow_heif

    pillow_heif.register_heif_opener()


def read_dicom(content: bytes) -> tuple[NDArray[Any], int, bool, list[str]]:
    """The first frame of a DICOM file, rescaled, and by its window where it has one; nothing else of it is kept.

    Returns
    -------
    pixels : ndarray of shape (height, width) or (height, width, 3)
        uint8 where a window was applied, or there are 8 bits; else as rescaled (PS3.3, section C.11.1).
    bits : int
        Significant ones of grey pixels that were not rescaled and have no sign; else 0.
    inverted : bool
        Whether the lowest value is white.
    notes : list of str
        What was done.

    Raises
    ------
    NotReadError
        If pydicom is not installed, there is no picture in the file, or its pixels cannot be read.
    """
    if find_spec("pydicom") is None:
        raise NotReadError(f"DICOM is read by pydicom: {how_to_install('pydicom')}; or save it as PNG")
    import pydicom
    from pydicom.pixels import pixel_array

    try:
        data = pydicom.dcmread(io.BytesIO(content))
        if "PixelData" not in data:
            raise NotReadError("DICOM without a picture")
        if int(data.Rows) * int(data.Columns) > LARGEST:
            raise NotReadError(f"more than {LARGEST / 1e6:.0f} million pixels")
        pixels, bits, notes = _interpret(pixel_array(data, index=0), data)
    except NotReadError:
        raise
    # Of a compression for which a further package is missing.
    except RuntimeError:
        compression = data.file_meta.TransferSyntaxUID.name
        raise NotReadError(f"DICOM with {compression}, which pydicom does not read by itself: decompress it") from None
    # What pydicom raises may name a patient.
    except Exception as error:
        raise NotReadError(f"DICOM whose pixels cannot be read ({type(error).__name__})") from None
    several = ["first frame only"] if int(data.get("NumberOfFrames", 1) or 1) > 1 else []
    return pixels, bits, data.PhotometricInterpretation == "MONOCHROME1", several + notes


def _interpret(stored: NDArray[Any], data: Any) -> tuple[NDArray[Any], int, list[str]]:
    """Pixels, bits and notes of `read_dicom`, from what is stored."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing

    if data.PhotometricInterpretation == "PALETTE COLOR":
        return apply_color_lut(stored, data), 0, []
    if stored.ndim == 3:
        return stored, 0, []
    values = apply_modality_lut(stored, data)
    if "VOILUTSequence" in data:
        limits = (0, 2 ** int(data.VOILUTSequence[0].LUTDescriptor[2]) - 1)
        return _to_8_bits(apply_voi(values, data), *limits), 0, ["grey", "DICOM's table of grey values"]
    if "WindowCenter" in data and "WindowWidth" in data:
        centre, width = (_first(data[name].value) for name in ("WindowCenter", "WindowWidth"))
        # What lies far outside becomes the lowest and highest value that pydicom gives.
        lowest, highest = apply_windowing(np.array([-1e9, 1e9]), data)
        notes = ["grey", f"DICOM's window of {width:g} about {centre:g}"]
        return _to_8_bits(apply_windowing(values, data), lowest, highest), 0, notes
    plain = values is stored and not int(data.PixelRepresentation)
    return values, int(data.BitsStored) if plain else 0, ["grey"]


def _to_8_bits(values: NDArray[Any], lowest: float, highest: float) -> NDArray[np.uint8]:
    share = (values.astype(np.float64) - lowest) / (highest - lowest)
    return (np.clip(share, 0, 1) * 255).round().astype(np.uint8)


def _first(value: Any) -> float:
    return float(value[0] if hasattr(value, "__len__") and not isinstance(value, str) else value)
