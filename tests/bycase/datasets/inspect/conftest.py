"""Folders of generated images, as people have them."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bycase.datasets.inspect.found import find
from bycase.datasets.inspect.inspection import Inspection, Options, inspect

Write = Callable[[Iterable[str]], Path]
Look = Callable[..., Inspection]


def write_image(path: Path, seed: int, size: tuple[int, int] = (40, 36)) -> None:
    """Random pixels; the file kind is the suffix'."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write_table(place: Path, name: str, rows: list[list[object]]) -> None:
    """A CSV file, its names in the first row."""
    (place / name).write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write images of these names below a folder, each with pixels of its own."""

    def write_all(names: Iterable[str]) -> Path:
        for seed, name in enumerate(names):
            write_image(tmp_path / "data" / name, seed)
        return tmp_path / "data"

    return write_all


@pytest.fixture
def place(write: Write) -> Path:
    """Twelve images, of which a table is to say what they are."""
    return write(f"{i}.png" for i in range(12))


@pytest.fixture
def look() -> Look:
    """Inspect a path with options."""

    def run(place: Path, **options: object) -> Inspection:
        with find(place) as found:
            only = Path(place.name) if found.kind == "table" else None
            return inspect(found, only, Options(**options))  # type: ignore[arg-type]

    return run
