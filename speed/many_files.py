"""`python -m speed.many_files [--images N] [--csv FILE]`: 277,000 small images through inspect and the stages to split.

The images are generated: patches of 50 pixels, PNG and JPEG, a folder a patient and in it one a class, as those of
the invasive ductal carcinoma patches that are often trained on (Janowczyk and Madabhushi 2016, Deep learning for
digital pathology image analysis, Journal of Pathology Informatics 7:29). Every file has content of its own.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bycase.core.files import write_csv
from bycase.core.parallel import map_on_all_cores
from speed.stages import ROOT, measure, print_head

IMAGES, SIDE, PER_PATIENT = 277_000, 50, 993
POSITIVE_SHARE = 0.28
JPEG_EVERY = 10  # every tenth patient's images are JPEG
STAGES = ("download", "restructure", "audit", "split")
NAME = "many"


@dataclass(frozen=True)
class Patient:
    """One patient's number, images and the file kind."""

    number: int
    images: int
    suffix: str


def main(words: list[str] | None = None) -> None:
    """Print seconds, processor seconds and peak memory of every step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--folder", type=Path, help="where to work and to leave all; left out: a temporary folder")
    parser.add_argument("--csv", type=Path, help="write the table to this file as well")
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.folder or Path(temporary)
        images = work / "images"
        if not images.is_dir():
            write_images(images, arguments.images)
        (work / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        print_head()
        rows = [measure("inspect", ["bycase", "inspect", str(images.resolve()), "--write", NAME], work)]
        choose_dataset(work / "params.yaml")
        rows += [measure(stage, [f"stages.{stage}"], work) for stage in STAGES]
        if arguments.csv:
            write_csv(arguments.csv, pd.DataFrame(rows).assign(images=arguments.images))


def write_images(folder: Path, images: int) -> None:
    """Draw so many images below a folder, on all cores."""
    patients = list(divide(images))
    for _ in map_on_all_cores(partial(write_patient, folder), patients, "images"):
        pass


def divide(images: int) -> Iterator[Patient]:
    """Patients of about `PER_PATIENT` images each, or fewer images where there are few."""
    number = max(20, images // PER_PATIENT)
    for each in range(number):
        share = images // number + (each < images % number)
        yield Patient(8000 + 3 * each, share, "jpg" if each % JPEG_EVERY == 0 else "png")


def write_patient(folder: Path, patient: Patient) -> None:
    """Draw a patient's images into ``<patient>/<class>/``."""
    random = np.random.default_rng(patient.number)
    stain = random.normal(0, 14, 3)
    for label in (0, 1):
        (folder / str(patient.number) / str(label)).mkdir(parents=True)
    for place in range(patient.images):
        label = int(random.random() < POSITIVE_SHARE)
        x, y = 51 + 50 * (place % 60), 51 + 50 * (place // 60)
        name = f"{patient.number}_idx5_x{x}_y{y}_class{label}.{patient.suffix}"
        draw_patch(random, stain, label).save(folder / str(patient.number) / str(label) / name)


def draw_patch(random: np.random.Generator, stain: NDArray[np.float64], label: int) -> Image.Image:
    """A patch of pink ground with fat, fibres and nuclei, which are more and larger in class 1."""
    ground = np.array([222, 168, 200]) + stain + random.normal(0, 12, 3)
    coarse = ground + random.normal(0, 22, (int(random.integers(2, 9)), int(random.integers(2, 9)), 3))
    patch = Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(patch)
    for _ in range(random.poisson(1.2)):
        _ellipse(pen, random, random.uniform(6, 22), np.array([246, 242, 245]))
    for _ in range(random.poisson(3)):
        ends = random.uniform(-10, SIDE + 10, 4)
        pen.line(ends.tolist(), fill=_colour(ground - [30, 60, 30]), width=int(random.integers(1, 5)))
    for _ in range(random.poisson(28 if label else 10)):
        _ellipse(pen, random, random.uniform(1.5, 5 if label else 3), np.array([98, 62, 140]) + stain)
    noise = random.normal(0, 5, (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(np.asarray(patch) + noise, 0, 255).astype(np.uint8))


def _ellipse(pen: ImageDraw.ImageDraw, random: np.random.Generator, size: float, colour: NDArray[np.float64]) -> None:
    x, y = random.uniform(0, SIDE, 2)
    width, height = size * random.uniform(0.6, 1.4, 2)
    box = (x - width, y - height, x + width, y + height)
    pen.ellipse(box, fill=_colour(colour + random.normal(0, 10, 3)))


def _colour(values: NDArray[np.float64]) -> tuple[int, int, int]:
    red, green, blue = np.clip(values, 0, 255).astype(int).tolist()
    return red, green, blue


def choose_dataset(params: Path) -> None:
    """Make the new entry the chosen one, with the images' own size."""
    content = yaml.safe_load(params.read_text(encoding="utf-8"))
    content["dataset"] = NAME
    content["datasets"][NAME]["image_size"] = SIDE
    content["audit"]["batch_size"] = 128
    params.write_text(yaml.safe_dump(content), encoding="utf-8")


if __name__ == "__main__":
    main()
