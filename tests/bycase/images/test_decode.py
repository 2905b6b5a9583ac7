import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bycase.images.decode import decode, read_pixels, reason
from bycase.images.ranges import PixelRange, Values
from tests.fixtures.malformed import chunk, png

RAMP = np.arange(0, 4096, 32, dtype=np.uint16).reshape(8, 16)
TWELVE = PixelRange(0, 4095)
GREY8 = np.round(RAMP / 4095 * 255).astype(np.uint8)


def saved(values: NDArray[np.generic], kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    Image.fromarray(values).save(content, kind, **options)
    return content.getvalue()


def by_opencv(values: NDArray[np.generic], suffix: str) -> bytes:
    encoded: NDArray[np.uint8] = cv2.imencode(suffix, values)[1]
    return encoded.tobytes()


def tiff(values: NDArray[np.generic], sample_format: int, bits: int = 0) -> bytes:
    """An uncompressed TIFF of grey pixels of any type; see TIFF 6.0, section 2."""
    height, width = values.shape[0], values.shape[1]
    data = values.tobytes()
    shape = {256: width, 257: height, 258: bits or values.itemsize * 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height}
    tags = shape | {279: len(data), 339: sample_format}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


FORMS = {
    "16-bit PNG": saved(RAMP, "PNG"),
    "16-bit TIFF": saved(RAMP, "TIFF"),
    "16-bit JPEG 2000": saved(RAMP, "JPEG2000"),
    "16 bits a channel, PNG": by_opencv(np.stack([RAMP] * 3, axis=-1), ".png"),
    "16 bits a channel, TIFF": by_opencv(np.stack([RAMP] * 3, axis=-1), ".tif"),
    "32-bit integers": saved(RAMP.astype(np.int32), "TIFF"),
    "32-bit integers without sign": tiff(RAMP.astype(np.uint32), 1),
    "16-bit integers with sign": tiff(RAMP.astype(np.int16), 2),
    "floating point": saved(RAMP.astype(np.float32), "TIFF"),
}


@pytest.mark.parametrize("form", FORMS)
def test_twelve_bits_are_read_whatever_holds_them(form: str) -> None:
    read = read_pixels(FORMS[form])
    assert (read.values.lowest, read.values.highest) == (0, 4064)
    assert read.values.kind == ("float" if form == "floating point" else "integer")
    image = read.to_rgb(TWELVE)
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image)[..., 1], GREY8)


def test_floating_point_of_0_to_1_is_not_black() -> None:
    unit = (RAMP / 4095).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(decode(saved(unit, "TIFF")))[..., 0], GREY8)


def test_colours_keep_their_order() -> None:
    pixels = np.zeros((2, 3, 3), np.uint16)
    pixels[..., 2] = 65535  # red, in OpenCV's order
    assert np.asarray(decode(by_opencv(pixels, ".png")))[0, 0].tolist() == [255, 0, 0]


def test_transparency_of_16_bits_is_laid_on_white() -> None:
    pixels = np.zeros((1, 3, 4), np.uint16)
    pixels[0, :, 3] = (0, 32768, 65535)
    read = read_pixels(by_opencv(pixels, ".png"))
    assert "transparency laid on white" in read.notes
    assert np.asarray(read.to_rgb())[0, :, 0].tolist() == [255, 127, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bits_a_channel_are_turned_as_8_are(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = np.arange(6, dtype=np.uint8).reshape(2, 3, 1).repeat(3, axis=2) * 40
    expected = np.asarray(decode(saved(values, "PNG", exif=exif)))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values.astype(np.uint16) * 257)
    plain = png(3, 2, zlib.compress(rows), depth=16)
    turned = plain[:33] + chunk(b"eXIf", exif.tobytes()[6:]) + plain[33:]
    np.testing.assert_array_equal(np.asarray(decode(turned)), expected)


def test_white_may_be_zero() -> None:
    read = read_pixels(saved(RAMP, "TIFF", tiffinfo={262: 0}))
    np.testing.assert_array_equal(np.asarray(read.to_rgb(TWELVE))[..., 0], 255 - GREY8)


def test_a_tiff_says_its_range() -> None:
    read = read_pixels(saved(RAMP, "TIFF", tiffinfo={280: (16,), 281: (4095,)}))
    assert read.values == Values("integer", 0, 4064, PixelRange(16, 4095))
    said = read_pixels(saved(RAMP.astype(np.float32), "TIFF", tiffinfo={341: 5000.0}))
    assert said.values.declared == PixelRange(0, 5000)


def test_the_brightest_pixel_is_no_range() -> None:
    assert read_pixels(saved(RAMP, "TIFF", tiffinfo={281: (4064,)})).values.declared is None


def test_packed_12_bits_are_said() -> None:
    pairs = RAMP.reshape(-1, 2).astype(np.uint32)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    content = tiff(packed.astype(np.uint8).reshape(8, 24), 1, bits=12)
    content = content.replace(struct.pack("<HHII", 256, 4, 1, 24), struct.pack("<HHII", 256, 4, 1, 16))
    read = read_pixels(content)
    assert (read.values.highest, read.values.bits) == (4064, 12)


def test_significant_bits_of_a_png_are_said() -> None:
    info = PngInfo()
    info.add(b"sBIT", b"\x0c")
    assert read_pixels(saved(RAMP, "PNG", pnginfo=info)).values.bits == 12
    assert read_pixels(saved(RAMP, "PNG")).values.bits == 0


def test_values_of_8_bits_are_scaled_where_a_range_says_so() -> None:
    pixels = np.array([[[0, 10, 20], [20, 0, 5]]], np.uint8)
    read = read_pixels(saved(pixels, "PNG"))
    assert read.values == Values("8-bit", 0, 20)
    assert np.asarray(read.to_rgb(PixelRange(0, 20)))[0, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000"])
def test_newer_formats_are_read(kind: str) -> None:
    image = np.full((32, 32, 3), (10, 200, 90), np.uint8)
    read = np.asarray(decode(saved(image, kind, quality=90) if kind == "AVIF" else saved(image, kind)))
    assert np.abs(read.astype(int) - image).max() <= 6


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (saved(np.array([[0.0, np.nan]], np.float32), "TIFF"), "not finite"),
        (tiff(np.array([[-5, 5]], np.int8), 2), "8 bits with a sign"),
        (by_opencv(np.zeros((2, 2, 3), np.float32), ".tif"), "colour in floating point"),
    ],
)
def test_what_cannot_be_read_has_a_reason(content: bytes, words: str) -> None:
    with pytest.raises((OSError, ValueError)) as caught:
        read_pixels(content)
    assert words in reason(caught.value, content)
