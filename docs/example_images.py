"""`python -m docs.example_images FOLDER`: a folder of generated images as somebody might have it, for the tutorial.

A folder a class, and in the names a patient's number, the number of the image and the magnification:
``my_images/malignant/P07_3_200x.png``. Of one image there is a copy, as a browser leaves it.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bycase.datasets.layouts.breakhis import read_layout
from bycase.datasets.phantoms.breakhis import write_phantom

PATIENTS, IMAGES, WIDTH, HEIGHT, SEED = 30, 240, 175, 115, 3


def main(arguments: list[str] | None = None) -> None:
    """Write the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    if folder.exists():
        sys.exit(f"{folder} is there already; remove it or name another")
    write_examples(folder, PATIENTS, IMAGES)
    sys.stdout.write(f"{folder}: {IMAGES} generated images of {PATIENTS} patients, and a copy of one\n")


def write_examples(folder: Path, patients: int, images: int) -> None:
    """Write so many images of so many patients, and the copy."""
    with tempfile.TemporaryDirectory() as work:
        raw = Path(work)
        write_phantom(raw, cases=patients, images=images, width=WIDTH, height=HEIGHT, seed=SEED)
        listed = read_layout(raw).images
        numbers = {case: number for number, case in enumerate(sorted({image.case for image in listed}), start=1)}
        seen: Counter[str] = Counter()
        for image in listed:
            seen[image.case] += 1
            name = f"P{numbers[image.case]:02}_{seen[image.case]}_{image.magnification}x.png"
            target = folder / image.label.lower() / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(raw / image.source, target)
    shutil.copyfile(target, target.with_stem(f"{target.stem} (1)"))


if __name__ == "__main__":
    main()
