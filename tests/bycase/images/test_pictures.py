import io

import numpy as np
import pytest
from PIL import Image

from bycase.images.decode import decode
from bycase.images.pictures import PictureError, read_picture
from tests.fixtures import malformed as made

BAD = made.malformed()


def test_there_are_many() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_has_one_line_of_reason(name: str) -> None:
    with pytest.raises(PictureError) as caught:
        read_picture(BAD[name])
    reason = str(caught.value)
    assert reason
    assert reason == " ".join(reason.split())
    assert " at 0x" not in reason
    assert len(reason) < 250


@pytest.mark.parametrize("name", ["huge.png", "above_limit.png", "largest.png", "huge.bmp", "huge.gif", "huge.tif"])
def test_claims_of_many_pixels_are_named(name: str) -> None:
    with pytest.raises(PictureError, match="million"):
        read_picture(BAD[name])


@pytest.mark.parametrize("kind", made.FORMATS)
def test_every_format_gives_the_pixels_that_the_pipeline_sees(kind: str) -> None:
    content = made.picture(kind)
    read = read_picture(content)
    assert read.notes == []
    assert (read.image.mode, read.image.size) == ("RGB", (40, 30))
    np.testing.assert_array_equal(np.asarray(read.image), np.asarray(decode(content)))


def as_file(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def test_the_first_frame_is_taken_and_said() -> None:
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "lime")]
    for kind in ("GIF", "TIFF", "WEBP"):
        read = read_picture(as_file(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert read.notes == ["first frame only", "of one colour"]
        red, green, _ = np.asarray(read.image)[2, 2]
        assert red > 200
        assert green < 60


def test_exif_turns_and_is_said() -> None:
    image = Image.new("RGB", (4, 2), "black")
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    read = read_picture(as_file(image, "PNG", exif=exif))
    assert read.notes == ["turned as its EXIF says"]
    assert read.image.size == (2, 4)
    assert read.image.getpixel((1, 0)) == (255, 255, 255)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "L"), ("PNG", "1"), ("JPEG", "L"), ("TIFF", "L"), ("BMP", "L")])
def test_grey_is_said(kind: str, mode: str) -> None:
    read = read_picture(made.picture(kind, mode=mode))
    assert read.notes == ["grey"]
    pixels = np.asarray(read.image)
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled(kind: str) -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    read = read_picture(as_file(Image.fromarray(ramp), kind))
    assert read.notes == ["grey", "0 made black, 65535 white"]
    np.testing.assert_array_equal(np.asarray(read.image)[..., 1], (ramp // 257).astype(np.uint8))


def test_16_bits_a_channel_are_said() -> None:
    import zlib

    rows = b"".join(b"\0" + b"\x80\xff\x40\x00\x20\x00" + bytes([200 * row]) * 12 for row in range(2))
    read = read_picture(made.png(3, 2, zlib.compress(rows), depth=16))
    assert read.notes == ["0 made black, 65535 white"]
    assert np.asarray(read.image)[0, 0].tolist() == [0x80, 0x40, 0x20]


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("TIFF", "RGBA")])
def test_transparency_is_laid_on_white(kind: str, mode: str) -> None:
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode)
    read = read_picture(as_file(clear, kind))
    assert "transparency laid on white" in read.notes
    assert np.asarray(read.image).min() > 250


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_said(kind: str) -> None:
    read = read_picture(as_file(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), kind))
    assert read.notes == ["CMYK converted without its colour profile", "of one colour"]
    red, green, blue = np.asarray(read.image)[8, 8]
    assert red > 240
    assert max(green, blue) < 15


def test_a_palette_needs_no_note() -> None:
    assert read_picture(made.picture("PNG", mode="P")).notes == []


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bycase.images.pictures.MAX_BYTES", 10)
    with pytest.raises(PictureError, match="larger than"):
        read_picture(made.picture())
