"""The images that training reads in every epoch, decoded once."""

from collections.abc import Sequence
from pathlib import Path

from numpy.lib.format import write_array_header_1_0
from tqdm import tqdm

from bycase.core.rows import RowFile
from bycase.images.pixels import read_pixels

PIXELS = Path("data/checkpoints/pixels.npy")
BATCH = 64


def decode_once(images: Sequence[str], size: int, path: Path = PIXELS) -> RowFile:
    """Decode images into one file of pixels, 150 kB an image at 224 pixels.

    Parameters
    ----------
    images : sequence of str
        Paths below ``data/preprocessed``, in the order of the rows.
    size : int
        Side of the images, in pixels.
    path : Path
        Written anew; whoever trains deletes it in the end.

    Returns
    -------
    RowFile
        uint8 RGB (n_images, size, size, 3).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written as a stream: the pages of a memory map would count as memory until it is closed.
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(images), size, size, 3)}
    # Under its own name: nothing reads it but this run, and a killed one leaves no second file.
    with path.open("wb") as file:
        write_array_header_1_0(file, header)
        for start in tqdm(range(0, len(images), BATCH), desc="decode", disable=None, leave=False):
            file.write(read_pixels(images[start : start + BATCH]).tobytes())
    return RowFile(path)
