import io
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bycase.images import extra_formats
from bycase.images.decode import decode, read_pixels, reason
from bycase.images.pictures import PictureError, read_picture
from bycase.images.ranges import PixelRange, Values

needs_pydicom = pytest.mark.skipif(find_spec("pydicom") is None, reason="pydicom is not installed (extra formats)")
needs_heif = pytest.mark.skipif(find_spec("pillow_heif") is None, reason="pillow-heif is not installed (extra formats)")
RAMP = np.arange(0, 4096, 32, dtype=np.uint16).reshape(8, 16)


def dicom(pixels: NDArray[Any], photometric: str = "MONOCHROME2", bits: int = 0, **tags: Any) -> bytes:
    """A DICOM file of one patient, named SECRET, of one or (frames, rows, columns) several frames."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    colour = pixels.shape[-1] == 3
    frames = 1 if pixels.ndim - colour == 2 else pixels.shape[0]
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.PatientName = "SECRET"
    data.Rows, data.Columns = pixels.shape[-2 - colour : len(pixels.shape) - colour]
    data.SamplesPerPixel, data.PhotometricInterpretation = (3, "RGB") if colour else (1, photometric)
    if colour:
        data.PlanarConfiguration = 0
    data.BitsAllocated = 8 * pixels.itemsize
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    if frames > 1:
        data.NumberOfFrames = frames
    for name, value in tags.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    content = io.BytesIO()
    data.save_as(content, enforce_file_format=True)
    return content.getvalue()


@needs_pydicom
def test_stored_bits_of_a_dicom_are_its_range() -> None:
    read = read_pixels(dicom(RAMP, bits=12))
    assert (read.values, read.notes) == (Values("integer", 0, 4064, bits=12), ("grey",))


@needs_pydicom
def test_rescale_and_window_are_applied() -> None:
    stored = np.array([[0, 1024, 1064, 1103, 1104, 3000]], np.int16)
    tags = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": [40, 300], "WindowWidth": [80, 1500]}
    read = read_pixels(dicom(stored, **tags))
    assert read.notes == ("grey", "DICOM's window of 80 about 40")
    assert np.asarray(read.to_rgb())[0, :, 0].tolist() == [0, 0, 129, 255, 255, 255]


@needs_pydicom
def test_a_negative_is_turned() -> None:
    tags = {"WindowCenter": 128, "WindowWidth": 256}
    pixels = np.asarray(decode(dicom(np.array([[0, 255]], np.uint8), "MONOCHROME1", **tags)))
    assert pixels[0, :, 0].tolist() == [255, 0]


@needs_pydicom
def test_a_negative_of_12_bits_is_turned_by_the_range_of_its_data_set() -> None:
    read = read_pixels(dicom(RAMP, "MONOCHROME1", bits=12))
    assert (read.values, read.inverted) == (Values("integer", 0, 4064, bits=12), True)
    positive = read_pixels(dicom(RAMP, bits=12)).to_rgb(PixelRange(0, 4095))
    np.testing.assert_array_equal(np.asarray(read.to_rgb(PixelRange(0, 4095))), 255 - np.asarray(positive))
    plain = np.asarray(decode(dicom(np.array([[0, 200]], np.uint8), "MONOCHROME1")))
    assert plain[0, :, 0].tolist() == [255, 55]


@needs_pydicom
def test_of_several_frames_of_12_bits_the_first_is_taken_and_said() -> None:
    read = read_pixels(dicom(np.stack([RAMP, RAMP[::-1]]), bits=12))
    assert read.notes == ("first frame only", "grey")
    assert read.wide is not None
    np.testing.assert_array_equal(read.wide, RAMP)


@needs_pydicom
def test_a_rescale_without_a_window_keeps_its_units() -> None:
    """Of a data set, `value_range` or the values of all say what is black and white."""
    stored = np.array([[0, 1024, 2000, 3000]], np.int16)
    read = read_pixels(dicom(stored, RescaleSlope=2, RescaleIntercept=-1024))
    assert read.values == Values("integer", -1024, 4976)
    assert read_pixels(dicom(stored, RescaleSlope=0.5, RescaleIntercept=0.25)).values == Values("float", 0.25, 1500.25)


@needs_pydicom
def test_a_table_of_grey_values_is_applied() -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4, 1, 12], np.array([0, 1365, 2730, 4095], "<u2").tobytes()
    stored = np.array([[0, 1, 2, 3, 4, 9]], np.uint16)
    read = read_pixels(dicom(stored, VOILUTSequence=Sequence([table])))
    assert read.notes == ("grey", "DICOM's table of grey values")
    assert np.asarray(read.to_rgb())[0, :, 0].tolist() == [0, 0, 85, 170, 255, 255]


@needs_pydicom
def test_a_palette_gives_its_colours() -> None:
    names = {"Red": [0, 255, 0, 7], "Green": [0, 0, 255, 7], "Blue": [9, 9, 9, 9]}
    tags: dict[str, Any] = {f"{name}PaletteColorLookupTableDescriptor": [4, 0, 8] for name in names}
    tags |= {f"{name}PaletteColorLookupTableData": bytes(values) for name, values in names.items()}
    pixels = np.asarray(decode(dicom(np.array([[0, 1, 2, 3]], np.uint8), "PALETTE COLOR", **tags)))
    assert pixels[0].tolist() == [[0, 0, 9], [255, 0, 9], [0, 255, 9], [7, 7, 9]]


@needs_pydicom
def test_a_compression_that_is_not_read_is_named() -> None:
    import pydicom
    from pydicom.uid import JPEGLosslessSV1

    data = pydicom.dcmread(io.BytesIO(dicom(RAMP)))
    data.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    data.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    data["PixelData"].VR = "OB"
    changed = io.BytesIO()
    data.save_as(changed, enforce_file_format=True)
    with pytest.raises(
        ValueError, match=r"^DICOM with JPEG Lossless.*, which pydicom does not read by itself"
    ) as caught:
        read_pixels(changed.getvalue())
    assert "SECRET" not in str(caught.value)


@needs_pydicom
def test_the_first_frame_of_colour_is_taken() -> None:
    frames = np.zeros((2, 3, 4, 3), np.uint8)
    frames[0, ..., 0], frames[1, ..., 1] = 200, 100
    read = read_pixels(dicom(frames))
    assert read.notes == ("first frame only",)
    assert np.asarray(read.to_rgb())[0, 0].tolist() == [200, 0, 0]


@needs_pydicom
@pytest.mark.parametrize("cut", [140, 300, -5])
def test_a_damaged_dicom_names_nobody(cut: int) -> None:
    with pytest.raises(ValueError, match="DICOM") as caught:
        read_pixels(dicom(RAMP)[:cut])
    assert "SECRET" not in str(caught.value)


def test_without_pydicom_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra_formats, "find_spec", lambda name: None)
    content = bytes(128) + b"DICM"
    with pytest.raises(ValueError, match=r"make extras \(or pip install -r requirements-formats.txt\)") as caught:
        read_pixels(content)
    assert reason(caught.value).startswith("DICOM is read by pydicom")
    with pytest.raises(PictureError, match=r"^DICOM is read by pydicom"):
        read_picture(content)


@needs_heif
def test_heic_is_read() -> None:
    import pillow_heif

    pixels = np.full((32, 32, 3), (10, 200, 90), np.uint8)
    pillow_heif.register_heif_opener()
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "HEIF", quality=90)
    read = np.asarray(decode(content.getvalue()))
    assert np.abs(read.astype(int) - pixels).max() <= 6
    with pytest.raises((OSError, ValueError)) as caught:
        read_pixels(content.getvalue()[:200])
    assert "\n" not in reason(caught.value)


def test_without_pillow_heif_the_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra_formats, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pillow-heif: make extras \(or pip install -r requirements-formats.txt\)"):
        read_pixels(b"\0\0\0\x18ftypheic" + bytes(40))
