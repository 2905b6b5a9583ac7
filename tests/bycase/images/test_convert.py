import hashlib
import io
import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bycase.images.convert import Converted, Job, convert, resize
from bycase.images.decode import decode

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
WHITE = (255, 255, 255)
NOISE = np.random.default_rng(0).integers(0, 256, (46, 70, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims to be this large, with data for one row of ten pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(31))) + chunk(b"IEND", b"")
    )


def with_exif(orientation: int, **options: object) -> bytes:
    """Two pixels, red left of blue, with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.array([[RED, BLUE]], dtype=np.uint8))
    return encoded(image, "PNG", exif=exif, **options)


def palette(transparent: int | None) -> bytes:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *GREEN])
    image.putdata([0, 1])
    return encoded(image) if transparent is None else encoded(image, transparency=transparent)


def animated_gif() -> bytes:
    frames = [Image.new("RGB", (2, 1), colour) for colour in (RED, BLUE)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def grey16(kind: str) -> bytes:
    values = np.array([[0, 200 * 257, 0xFFFF]], dtype=np.uint16)
    return encoded(Image.fromarray(values), kind)


def jpeg_with_damaged_exif() -> bytes:
    """EXIF with an orientation and a width that is text; the pixels are sound."""
    entries = struct.pack(">HHII", 0x0100, 2, 6, 38) + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4) + b"hello\0"
    return encoded(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\0\0" + tiff)


# What to decode, and the pixels that must come out, row by row.
DECODED = {
    "rgb": (encoded(Image.new("RGB", (1, 1), (1, 2, 3))), [(1, 2, 3)]),
    "grey": (encoded(Image.new("L", (1, 1), 77)), [(77, 77, 77)]),
    "one bit": (encoded(Image.new("1", (1, 1), 1)), [WHITE]),
    "16-bit grey PNG": (grey16("PNG"), [(0, 0, 0), (200, 200, 200), WHITE]),
    "16-bit grey TIFF": (grey16("TIFF"), [(0, 0, 0), (200, 200, 200), WHITE]),
    "palette": (palette(None), [RED, GREEN]),
    "palette with transparency": (palette(1), [RED, WHITE]),
    "grey with alpha": (encoded(Image.new("LA", (1, 1), (0, 51))), [(204, 204, 204)]),
    "alpha, opaque": (encoded(Image.new("RGBA", (1, 1), (*RED, 255))), [RED]),
    "alpha, clear": (encoded(Image.new("RGBA", (1, 1), (*RED, 0))), [WHITE]),
    "alpha, half": (encoded(Image.new("RGBA", (1, 1), (*RED, 128))), [(255, 127, 127)]),
    "transparent colour": (encoded(Image.new("RGB", (1, 1), RED), transparency=RED), [WHITE]),
    "transparent grey": (encoded(Image.new("L", (1, 1), 9), transparency=9), [WHITE]),
    "animated GIF": (animated_gif(), [RED, RED]),
    "EXIF half turn": (with_exif(3), [BLUE, RED]),
    "EXIF mirrored": (with_exif(2), [BLUE, RED]),
}


@pytest.mark.parametrize("kind", list(DECODED))
def test_published_file_becomes_8_bit_rgb(kind: str) -> None:
    content, expected = DECODED[kind]
    image = decode(content)
    assert image.mode == "RGB"
    assert np.asarray(image).reshape(-1, 3).tolist() == [list(pixel) for pixel in expected]


@pytest.mark.parametrize(("colour", "expected"), [((0, 255, 255, 0), RED), ((0, 0, 0, 0), WHITE)])
def test_cmyk_jpeg_keeps_its_colour(colour: tuple[int, ...], expected: tuple[int, ...]) -> None:
    image = decode(encoded(Image.new("CMYK", (16, 16), colour), "JPEG", quality=95))
    assert image.mode == "RGB"
    assert np.abs(np.asarray(image).astype(int) - expected).max() <= 4


@pytest.mark.parametrize(("orientation", "rows"), [(6, [RED, BLUE]), (8, [BLUE, RED])])
def test_exif_quarter_turn_swaps_width_and_height(orientation: int, rows: list[tuple[int, ...]]) -> None:
    image = decode(with_exif(orientation))
    assert image.size == (1, 2)
    assert [image.getpixel((0, y)) for y in range(2)] == rows


PNG = encoded(Image.fromarray(NOISE))
JPEG = encoded(Image.fromarray(NOISE), "JPEG")

DAMAGED = {
    "zero bytes": b"",
    "text": b"this is no image\n",
    "html": b"<!DOCTYPE html><html>404</html>",
    "PNG signature alone": PNG[:8],
    "PNG cut in its header": PNG[:20],
    "PNG cut in half": PNG[: len(PNG) // 2],
    "PNG cut before its last row": PNG[: len(PNG) - 400],
    "PNG with a flipped bit": PNG[:500] + bytes([PNG[500] ^ 1]) + PNG[501:],
    "JPEG cut in half": JPEG[: len(JPEG) // 2],
    "GIF header alone": animated_gif()[:13],
    "30,000 x 30,000 header": png_header(30_000, 30_000),
    "damaged EXIF": jpeg_with_damaged_exif(),
}


@pytest.mark.parametrize("kind", list(DAMAGED))
def test_file_that_does_not_decode_is_named_with_a_reason_and_nothing_is_written(tmp_path: Path, kind: str) -> None:
    source, target = tmp_path / "source.png", tmp_path / "target.png"
    source.write_bytes(DAMAGED[kind])
    converted = convert(Job(source, target, 32, "squash"))
    assert converted == Converted(target, error=converted.error)
    assert converted.error
    assert "0x" not in converted.error
    assert not target.exists()


@pytest.mark.parametrize("side", [9_500, 13_000, 30_000])
def test_header_that_claims_too_many_pixels_is_refused_before_decoding(tmp_path: Path, side: int) -> None:
    (tmp_path / "source.png").write_bytes(png_header(side, side))
    converted = convert(Job(tmp_path / "source.png", tmp_path / "target.png", 32, "squash"))
    assert re.match(rf"Image size \({side * side} pixels\) exceeds limit", converted.error)


def test_missing_file_is_named_with_a_reason(tmp_path: Path) -> None:
    converted = convert(Job(tmp_path / "none.png", tmp_path / "target.png", 32, "squash"))
    assert "No such file" in converted.error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_without_permission_is_named_with_a_reason(tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(PNG)
    source.chmod(0)
    assert convert(Job(source, tmp_path / "target.png", 32, "squash")).error == "no permission to read it"


def test_refused_permission_is_named_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    converted = convert(Job(tmp_path / "source.png", tmp_path / "target.png", 32, "squash"))
    assert converted.error == "no permission to read it"


def test_failing_to_write_is_no_fault_of_the_image(tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(PNG)
    with pytest.raises(FileNotFoundError):
        convert(Job(source, tmp_path / "absent" / "target.png", 32, "squash"))


def test_converted_image_has_the_size_asked_for_and_the_published_files_facts(tmp_path: Path) -> None:
    source, target = tmp_path / "source.png", tmp_path / "target.png"
    source.write_bytes(PNG)
    converted = convert(Job(source, target, 32, "squash"))
    with Image.open(target) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (32, 32))
    assert (converted.error, converted.width, converted.height) == ("", 70, 46)
    assert converted.sha256 == hashlib.sha256(PNG).hexdigest()
    assert converted.phash == perceptual_hash(Image.fromarray(NOISE))


def perceptual_hash(image: Image.Image) -> str:
    """The signs of the 64 lowest frequencies about their median, from the definition of the DCT-II."""
    pixels = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS), dtype=float)
    n = np.arange(32)
    cosines = np.cos(np.pi * n[:, None] * (2 * n + 1) / 64)
    low = (cosines @ pixels @ cosines.T)[:8, :8]
    bits = "".join("1" if above else "0" for above in (low > np.median(low)).ravel())
    return f"{int(bits, 2):016x}"


def bits_apart(first: str, second: str) -> int:
    return (int(first, 16) ^ int(second, 16)).bit_count()


def test_perceptual_hash_is_close_for_a_resized_jpeg_and_far_for_another_image(tmp_path: Path) -> None:
    smooth = Image.fromarray(NOISE).resize((8, 6)).resize((140, 92), Image.Resampling.BICUBIC)
    other = Image.fromarray(NOISE[::-1, ::-1]).resize((8, 6)).resize((140, 92), Image.Resampling.BICUBIC)
    files = {
        "png": encoded(smooth),
        "jpeg": encoded(smooth.resize((70, 46)), "JPEG", quality=80),
        "other": encoded(other),
    }
    hashes = {}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        hashes[name] = convert(Job(tmp_path / name, tmp_path / f"{name}.out", 32, "squash")).phash
    assert bits_apart(hashes["png"], hashes["jpeg"]) <= 4
    assert bits_apart(hashes["png"], hashes["other"]) >= 16


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


def striped(width: int, height: int, across: bool) -> Image.Image:
    """Red, green, blue: green is the square in the middle, red and blue a half of it each."""
    pixels = np.full((height, width, 3), GREEN, dtype=np.uint8)
    if across:
        pixels[:, : width // 4] = RED
        pixels[:, -(width // 4) :] = BLUE
    else:
        pixels[: height // 4] = RED
        pixels[-(height // 4) :] = BLUE
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("width", "height"), [(80, 40), (40, 80)])
def test_crop_keeps_exactly_the_square_in_the_middle(width: int, height: int) -> None:
    cropped = pixels_of(resize(striped(width, height, across=width > height), 40, "crop"))
    assert (cropped == GREEN).all()


@pytest.mark.parametrize(("width", "height"), [(80, 40), (40, 80)])
def test_pad_keeps_the_aspect_ratio_and_fills_with_the_mean_colour_of_the_border(width: int, height: int) -> None:
    pixels = np.full((height, width, 3), RED, dtype=np.uint8)
    pixels[0] = pixels[-1] = (100, 120, 140)
    pixels[:, 0] = pixels[:, -1] = (100, 120, 140)
    padded = pixels_of(resize(Image.fromarray(pixels), 80, "pad"))
    if height > width:
        padded, pixels = padded.transpose(1, 0, 2), pixels.transpose(1, 0, 2)
    assert (padded[20:60] == pixels).all()
    assert (padded[:20] == (100, 120, 140)).all()
    assert (padded[60:] == (100, 120, 140)).all()


def test_padding_is_the_mean_over_all_four_sides() -> None:
    pixels = np.zeros((40, 80, 3), dtype=np.uint8)
    pixels[0] = 240
    padded = pixels_of(resize(Image.fromarray(pixels), 80, "pad"))
    # 82 of 240 border pixels, each corner counted for both its sides.
    assert np.unique(padded[:20]).tolist() == [82]


def test_squash_keeps_the_whole_image_without_its_aspect_ratio() -> None:
    squashed = pixels_of(resize(striped(80, 40, across=True), 40, "squash"))
    assert (squashed[:, :8] == RED).all()
    assert (squashed[:, 12:28] == GREEN).all()
    assert (squashed[:, 32:] == BLUE).all()


@pytest.mark.parametrize("mode", ["squash", "crop", "pad"])
@pytest.mark.parametrize(("width", "height"), [(700, 460), (700, 456), (1, 50), (33, 33)])
def test_every_mode_gives_the_exact_square(mode: str, width: int, height: int) -> None:
    assert resize(Image.new("RGB", (width, height)), 96, mode).size == (96, 96)


def test_downscaling_averages_instead_of_picking_pixels() -> None:
    checkered = np.indices((128, 128)).sum(axis=0) % 2 * 255
    image = Image.fromarray(np.repeat(checkered[..., None], 3, axis=2).astype(np.uint8))
    assert np.abs(pixels_of(resize(image, 32, "squash")).astype(int) - 127)[2:-2, 2:-2].max() <= 3


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="stretch is none of squash, crop, pad"):
        resize(Image.new("RGB", (2, 2)), 32, "stretch")
