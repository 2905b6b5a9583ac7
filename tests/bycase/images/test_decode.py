import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bycase.images.decode import DECODING_ERRORS, decode, read_pixels, reason
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


def tiff(values: NDArray[np.generic], sample_format: int, bits: int = 0, **further: int) -> bytes:
    """An uncompressed TIFF of pixels of any type, and further tags, as ``t274=6``; see TIFF 6.0, section 2.

    Grey, or of as many channels as the last of three axes has; ``t284=2`` has them one after another.
    """
    height, width = values.shape[0], values.shape[1]
    channels = values.shape[2] if values.ndim == 3 else 1
    data = (np.moveaxis(values, 2, 0) if further.get("t284") == 2 else values).tobytes()
    each = len(data) // channels if further.get("t284") == 2 else len(data)
    tags: dict[int, list[int]] = {256: [width], 257: [height], 259: [1], 262: [2 if channels > 2 else 1]}
    tags |= {258: [bits or values.itemsize * 8] * channels, 277: [channels], 278: [height]}
    tags |= {273: [8 + start for start in range(0, len(data), each)], 279: [each] * (len(data) // each)}
    tags |= {339: [sample_format] * channels} | {int(name[1:]): [value] for name, value in further.items()}
    place = 8 + len(data)
    entries, lists = b"", b""
    for tag, numbers in sorted(tags.items()):
        value = numbers[0] if len(numbers) == 1 else place + 6 + 12 * len(tags) + len(lists)
        lists += b"" if len(numbers) == 1 else struct.pack(f"<{len(numbers)}I", *numbers)
        entries += struct.pack("<HHII", tag, 4, len(numbers), value)
    return b"II*\0" + struct.pack("<I", place) + data + struct.pack("<H", len(tags)) + entries + bytes(4) + lists


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
    "floating point of 64 bits": tiff(RAMP.astype(np.float64), 3),
    "colour in floating point": tiff(np.stack([RAMP] * 3, axis=-1).astype(np.float32), 3),
    "colour in floating point, packed": by_opencv(np.stack([RAMP] * 3, axis=-1).astype(np.float32), ".tif"),
    "colour of 32 bits": tiff(np.stack([RAMP] * 3, axis=-1).astype(np.uint32), 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_twelve_bits_are_read_whatever_holds_them(form: str) -> None:
    read = read_pixels(FORMS[form])
    assert (read.values.lowest, read.values.highest) == (0, 4064)
    assert read.values.kind == ("float" if "floating point" in form else "integer")
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


COLOURS = (np.arange(30, dtype=np.uint8).reshape(2, 5, 3) * 8) + 3


def test_colours_of_a_tiff_keep_their_order() -> None:
    for values, form in ((COLOURS * np.uint16(257), 1), ((COLOURS / 255).astype(np.float32), 3)):
        np.testing.assert_array_equal(np.asarray(decode(tiff(values, form))), COLOURS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_of_many_bits_is_turned_once(orientation: int) -> None:
    expected = np.asarray(decode(tiff(COLOURS, 1, t274=orientation)))
    for values, form in ((COLOURS * np.uint16(257), 1), ((COLOURS / 255).astype(np.float32), 3)):
        read = read_pixels(tiff(values, form, t274=orientation))
        np.testing.assert_array_equal(np.asarray(read.to_rgb()), expected)
        assert read.notes == (("turned as its EXIF says",) if orientation > 1 else ())


def test_a_fourth_channel_of_a_tiff_is_opacity_only_where_it_says_so() -> None:
    deep = np.concatenate([COLOURS * np.uint16(257), np.full((2, 5, 1), 32896, np.uint16)], axis=-1)
    np.testing.assert_array_equal(np.asarray(decode(tiff(deep, 1, t338=0))), COLOURS)
    half = np.asarray(decode(tiff(deep, 1, t338=2))).astype(int)
    assert np.abs(half - (COLOURS * (128 / 255) + 127)).max() <= 1
    deep[..., :3] //= 2
    multiplied = np.asarray(decode(tiff(deep, 1, t338=1))).astype(int)
    assert np.abs(multiplied - half).max() <= 3


def test_white_may_be_zero_in_floating_point_of_64_bits() -> None:
    read = read_pixels(tiff((RAMP / 4095).astype(np.float64), 3, t262=0))
    np.testing.assert_array_equal(np.asarray(read.to_rgb())[..., 0], 255 - GREY8)


def test_the_first_of_several_images_is_taken_and_said() -> None:
    one = tiff((COLOURS / 255).astype(np.float32), 3)
    # A second directory, which is the first again.
    directory = struct.unpack_from("<I", one, 4)[0]
    end = directory + 2 + 12 * struct.unpack_from("<H", one, directory)[0]
    read = read_pixels(one[:end] + struct.pack("<I", directory) + one[end + 4 :])
    assert read.notes == ("first frame only",)
    np.testing.assert_array_equal(np.asarray(read.to_rgb()), COLOURS)


def test_a_tiff_that_claims_to_be_huge_is_refused_before_it_is_read() -> None:
    content = tiff((COLOURS / 255).astype(np.float32), 3)
    huge = content.replace(struct.pack("<HHII", 256, 4, 1, 5), struct.pack("<HHII", 256, 4, 1, 10**8))
    with pytest.raises(Image.DecompressionBombError):
        read_pixels(huge)


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
        (tiff(np.array([[0.0, np.inf]]), 3), "not finite"),
        (
            tiff(COLOURS.astype(np.float16), 3),
            "a TIFF of 3 channels of 16-bit floating point, which is not read; save it",
        ),
        (tiff(np.zeros((2, 2), np.int64), 2), "a TIFF of 1 channel of 64-bit integers with a sign, which is not read"),
        (tiff(np.zeros((2, 2, 5), np.uint8), 1), "a TIFF of 5 channels of 8-bit integers"),
        (tiff(COLOURS.astype(np.float32), 3, t284=2), "one plane after another, which is not read"),
        (tiff(COLOURS.astype(np.uint16), 1, t284=2), "one plane after another, which is not read"),
        (tiff(COLOURS.astype(np.float32), 3)[8:40], "not an image"),
    ],
)
def test_what_cannot_be_read_has_a_reason(content: bytes, words: str) -> None:
    with pytest.raises((OSError, ValueError)) as caught:
        read_pixels(content)
    assert words in reason(caught.value)


@pytest.mark.parametrize("cut", [4, 12, 40, -30, -4])
def test_a_damaged_tiff_of_floating_point_is_told_in_one_line(cut: int, capfd: pytest.CaptureFixture[str]) -> None:
    content = tiff((COLOURS / 255).astype(np.float32), 3)[:cut]
    with pytest.raises((OSError, ValueError, SyntaxError)) as caught:
        read_pixels(content)
    assert reason(caught.value)
    assert capfd.readouterr().err == ""


def test_a_header_that_says_anything_ends_in_a_reason(capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(tiff((COLOURS / 255).astype(np.float32), 3))
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(500):
        damaged = content.copy()
        for place in random.integers(8 + COLOURS.size * 4, len(content), random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        try:
            read_pixels(bytes(damaged))
        except DECODING_ERRORS:
            refused += 1
    assert 50 < refused < 500
    assert capfd.readouterr().err == ""
