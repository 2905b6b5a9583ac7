"""`python -m docs.breakhis_part BREAKHIS FOLDER`: links to the images of two thirds of BreakHis' cases.

For an external test on the others: of each class every third case by name is left out.
"""

import argparse
import sys
from pathlib import Path

from bycase.datasets.layouts.breakhis import read_layout


def main(arguments: list[str] | None = None) -> None:
    """Write the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("breakhis", type=Path, help="a folder in BreakHis' layout")
    parser.add_argument("folder", type=Path, help="where the links go")
    options = parser.parse_args(arguments)
    if options.folder.exists():
        sys.exit(f"{options.folder} is there already; remove it or name another")
    images = read_layout(options.breakhis).images
    kept = choose_cases({(image.label, image.case) for image in images})
    chosen = [image for image in images if image.case in kept]
    for image in chosen:
        link = options.folder / image.source
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((options.breakhis / image.source).resolve())
    sys.stdout.write(f"{options.folder}: {len(chosen)} of {len(images)} images, {len(kept)} cases\n")


def choose_cases(cases: set[tuple[str, str]]) -> set[str]:
    """Of pairs of class and case, the cases without every third of each class."""
    left_out = set()
    for label in sorted({label for label, _ in cases}):
        left_out |= set(sorted(case for other, case in cases if other == label)[2::3])
    return {case for _, case in cases} - left_out


if __name__ == "__main__":
    main()
