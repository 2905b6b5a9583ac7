"""`python -m speed.restructure`: restructuring against a plain Pillow loop, in one run, and its memory.

Images are the phantom's, 700 x 460 pixels as BreakHis', or a folder's: `python -m speed.restructure FOLDER`.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from bycase.datasets.layouts.breakhis import CLASSES, read_layout
from bycase.datasets.layouts.listing import Listing
from bycase.datasets.phantoms.breakhis import write_phantom
from bycase.datasets.restructure import convert_all

SIZE = 224
COPIES = 10


def main() -> None:
    """Time both ways on the same images, then ten times as many for the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="images in BreakHis' layout; left out: the phantom")
    parser.add_argument("--images", type=int, default=1000, help="number of phantom images")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        raw = arguments.folder or Path(work) / "raw"
        if not arguments.folder:
            raw.mkdir()
            write_phantom(raw, seed=7, cases=40, images=arguments.images, width=700, height=460)
        listing = read_layout(raw)
        n = len(listing.images)
        read_all(raw, listing)
        plain = time_plain_loop(raw, listing, Path(work) / "plain")
        ours = time_restructuring(raw, listing, Path(work) / "ours")
        before = peak_megabytes()
        many = Listing(listing.images * COPIES, [], [])
        time_restructuring(raw, many, Path(work) / "many")
        after = peak_megabytes()
    sys.stdout.write(
        f"{n} images of {raw if arguments.folder else 'the phantom, 700 x 460'}\n"
        f"plain Pillow loop  {n / plain:8.1f} images/s\n"
        f"restructure        {n / ours:8.1f} images/s, with SHA-256 and perceptual hash\n"
        f"ratio              {plain / ours:8.2f}\n"
        f"peak memory        {before:8.0f} MB for {n} images, {after:.0f} MB for {n * COPIES}\n"
    )


def read_all(raw: Path, listing: Listing) -> None:
    """Bring the files into the system's cache, so that neither way pays for the disk."""
    for image in listing.images:
        (raw / image.source).read_bytes()


def time_plain_loop(raw: Path, listing: Listing, folder: Path) -> float:
    """Seconds of what a notebook does: open, resize, save, one after the other."""
    folder.mkdir()
    started = time.perf_counter()
    for image in listing.images:
        with Image.open(raw / image.source) as opened:
            resized = opened.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        resized.save(folder / image.source.name)
    return time.perf_counter() - started


def time_restructuring(raw: Path, listing: Listing, folder: Path) -> float:
    """Seconds of the stage's own conversion, on all cores."""
    folder.mkdir()
    started = time.perf_counter()
    convert_all(listing, raw, folder, list(CLASSES.values()), SIZE, "squash")
    return time.perf_counter() - started


def peak_megabytes() -> float:
    """The largest resident set so far of this process and of its largest child."""
    kilobytes = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kilobytes / 1024


if __name__ == "__main__":
    main()
