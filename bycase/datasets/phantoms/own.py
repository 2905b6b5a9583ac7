r"""BreakHis' phantom as people keep images of their own: in patients' folders, or flat with a table.

Read by ``folders: {label: -1, patient: 1, columns: {magnification: '(\d+)X'}}`` and by
``table: {patient: patient, columns: [magnification]}``.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bycase.datasets.layouts.breakhis import parse_name
from bycase.datasets.layouts.listing import PublishedImage
from bycase.datasets.phantoms.breakhis import write_phantom as write_breakhis

TABLE = "images.csv"


def write_folders(folder: Path, **size: Any) -> None:
    """Write ``<patient>/<class>/<patient>_<magnification>X_<number>.png``; `size` is that of BreakHis' phantom."""
    for number, (drawn, image) in enumerate(_draw(folder, size)):
        place = folder / image.case / image.label
        place.mkdir(parents=True, exist_ok=True)
        drawn.rename(place / f"{image.case}_{image.magnification}X_{number:05}.png")


def write_table(folder: Path, **size: Any) -> None:
    """Write ``images/<number>.png`` and a table of their labels, patients and magnifications."""
    (folder / "images").mkdir()
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("image", "label", "patient", "magnification"))
        for number, (drawn, image) in enumerate(_draw(folder, size)):
            drawn.rename(folder / "images" / f"{number:05}.png")
            writer.writerow((f"{number:05}", image.label, image.case, image.magnification))


def _draw(folder: Path, size: dict[str, Any]) -> Iterator[tuple[Path, PublishedImage]]:
    """The pictures of a phantom, in the order of their names, with what these say."""
    with TemporaryDirectory(dir=folder, prefix=".drawn-") as drawn:
        write_breakhis(Path(drawn), **size)
        for path in sorted(Path(drawn).rglob("*.png"), key=lambda each: each.name):
            yield path, parse_name(path.name)
