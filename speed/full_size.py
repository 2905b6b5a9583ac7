"""`python -m speed.full_size [--images N] [--csv FILE]`: what every stage of a large run costs.

The images are the phantom's, 7,909 of 82 patients and of 700 x 460 pixels, at 224 pixels by the default network. Each
stage runs by itself, as under DVC but without DVC's hashing. In the default size it takes both cores for half an hour.
Data sets of patches are many small images: `--cases 1000 --images 100000 --width 50 --height 50 --size 50`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd

from bycase.core.files import write_csv
from bycase.core.machine import describe_machine
from speed.stages import measure, pipeline_modules, print_head, write_phantom_params

CASES, IMAGES = 82, 7909
WIDTH, HEIGHT, SIZE = 700, 460, 224


def main(words: list[str] | None = None) -> None:
    """Print seconds, processor seconds and peak memory of every stage, and of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--width", type=int, default=WIDTH, help="of the generated images, in pixels")
    parser.add_argument("--height", type=int, default=HEIGHT, help="likewise")
    parser.add_argument("--size", type=int, default=SIZE, help="of the restructured images, in pixels")
    parser.add_argument("--engine", default="keras", help="keras, openvino or auto")
    parser.add_argument("--stages", nargs="+", choices=list(pipeline_modules()), help="left out: all")
    parser.add_argument("--folder", type=Path, help="where to work and to leave all; left out: a temporary folder")
    parser.add_argument("--csv", type=Path, help="write the table to this file as well")
    arguments = parser.parse_args(words)
    phantom = {"cases": arguments.cases, "images": arguments.images}
    phantom |= {"width": arguments.width, "height": arguments.height}
    entry = {"image_size": arguments.size, "phantom": phantom}
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.folder or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        write_phantom_params(work, {"engine": arguments.engine, "datasets": {"phantom": entry}})
        sys.stdout.write(
            f"{describe_machine()}; {arguments.images} images of {arguments.cases} cases, {arguments.size} pixels\n"
        )
        print_head()
        modules = pipeline_modules()
        table = pd.DataFrame([measure(name, [modules[name]], work) for name in arguments.stages or modules])
        seconds, processor, peak = (table["seconds"].sum(), table["processor_seconds"].sum(), table["peak_mb"].max())
        sys.stdout.write(f"{'all':<16} {seconds:>9.0f} {processor:>10.0f} {peak:>8.0f}\n")
        if arguments.csv:
            write_csv(arguments.csv, table.assign(images=arguments.images, cases=arguments.cases))


if __name__ == "__main__":
    main()
