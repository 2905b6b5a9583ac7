"""Files that should be pictures and are not; their names say what is wrong."""

import gzip
import io
import pickle
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from PIL import Image

FORMATS = {"BMP": "bmp", "GIF": "gif", "JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp"}


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    """A good picture file of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(content, kind, **options)
    return content.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, data: bytes | None, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG file that claims what it is told."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = b"" if data is None else chunk(b"IDAT", data)
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def tiff(**tags: int) -> bytes:
    """A TIFF file of one directory without pixels; tags by number, as ``t256=1``."""
    entries = [struct.pack("<HHII", int(name[1:]), 4, 1, value) for name, value in sorted(tags.items())]
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + struct.pack("<I", 8)


def bmp(width: int, height: int, depth: int) -> bytes:
    """A BMP file that claims what it is told."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, depth, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + bytes(60)


def other_format(kind: str) -> bytes:
    """A sound picture of a format that is not accepted."""
    return picture(kind)


def unbounded(mode: str) -> bytes:
    """A TIFF file whose pixels have no fixed range."""
    content = io.BytesIO()
    Image.new(mode, (8, 8), 1).save(content, "TIFF")
    return content.getvalue()


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("a.png", picture())
    return content.getvalue()


def malformed() -> dict[str, bytes]:
    """Contents by file name, in the names' order."""
    noise = np.random.default_rng(1).bytes(3000)
    good = {suffix: picture(kind) for kind, suffix in FORMATS.items()}
    files = {f"half.{suffix}": content[: len(content) // 2] for suffix, content in good.items()}
    files |= {f"twelve_bytes.{suffix}": content[:12] for suffix, content in good.items()}
    files |= {f"head_and_zeros.{suffix}": content[:12] + bytes(2000) for suffix, content in good.items()}
    files |= {f"head_and_noise.{suffix}": content[:12] + noise for suffix, content in good.items()}
    files |= {f"behind_noise.{suffix}": noise[:7] + content for suffix, content in good.items()}
    files |= {f"empty.{suffix}": b"" for suffix in good}
    files |= {f"format_{kind}.png": other_format(kind) for kind in ("ICO", "PPM", "TGA", "PCX", "SGI", "PDF", "EPS")}
    sound = zlib.compress(bytes(30 * 121))
    files |= {
        "bad_crc.png": good["png"][:20] + b"\xff" + good["png"][21:],
        "bad_zlib.png": png(40, 30, noise),
        "no_data.png": png(40, 30, None),
        "no_width.png": png(0, 30, sound),
        "odd_depth.png": png(40, 30, sound, depth=7),
        "odd_colour.png": png(40, 30, sound, colour=9),
        "huge.png": png(60_000, 60_000, sound),
        "above_limit.png": png(10_000, 9_000, sound),
        "largest.png": png(2**31 - 1, 2**31 - 1, sound),
        "huge.bmp": bmp(60_000, 60_000, 24),
        "odd_depth.bmp": bmp(40, 30, 5),
        "negative.bmp": bmp(-40, 30, 24),
        "huge.gif": good["gif"][:6] + struct.pack("<HH", 65535, 65535) + good["gif"][10:],
        "no_frame.gif": b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0) + b";",
        "no_scan.jpg": good["jpg"][: good["jpg"].index(b"\xff\xda")] + b"\xff\xd9",
        "huge.tif": tiff(t256=60_000, t257=60_000, t258=8, t259=1, t262=1, t273=8, t279=8),
        "no_size.tif": tiff(t259=1, t262=1),
        "odd_compression.tif": tiff(t256=4, t257=4, t258=8, t259=60_001, t262=1, t273=8, t279=8),
        "beyond_the_end.tif": tiff(t256=4, t257=4, t258=8, t259=1, t262=1, t273=2**31, t279=16),
        "float.tif": unbounded("F"),
        "integer.tif": unbounded("I"),
        "wave.webp": b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        "text.png": b"this is no picture\n" * 20,
        "page.jpg": b"<!doctype html><script>alert(1)</script>",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
        "utf16.png": "no picture".encode("utf-16"),
        "zip.png": archive(),
        "gzip.png": gzip.compress(good["png"]),
        "pickle.png": pickle.dumps({"a": 1}),
        "program.png": b"\x7fELF" + bytes(100),
        "dicom.png": bytes(128) + b"DICM" + noise,
        "heic.jpg": b"\0\0\0\x18ftypheic" + noise,
        "jpeg2000.jpg": b"\0\0\0\x0cjP  \r\n\x87\n" + noise,
        "zeros.png": bytes(5000),
        "noise.png": noise,
        "one_byte.png": b"\x89",
    }
    return dict(sorted(files.items()))
