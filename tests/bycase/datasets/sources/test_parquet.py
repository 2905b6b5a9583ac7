"""Parquet files of images, without the Hub."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bycase.datasets.sources.parquet import suffix_of, unpack_parquet


def picture(kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), 7, np.uint8)).save(content, kind)
    return content.getvalue()


def unpack(download: Path, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The table that is written for one file of images."""
    (download / "data").mkdir(exist_ok=True)
    pq.write_table(pa.table({"image": rows}), download / "data/all.parquet")
    target = download / "out"
    target.mkdir()
    unpack_parquet(download, [Path("data/all.parquet")], target, 10**6)
    return pd.read_csv(target / "metadata.csv", dtype=str, keep_default_na=False)


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("PNG", ".png"), ("JPEG", ".jpg"), ("TIFF", ".tif"), ("BMP", ".bmp"), ("GIF", ".gif"), ("WEBP", ".webp")],
)
def test_the_content_tells_the_suffix(kind: str, suffix: str) -> None:
    assert suffix_of(picture(kind)) == suffix


def test_images_of_one_name_are_told_apart(tmp_path: Path) -> None:
    table = unpack(tmp_path, [{"bytes": picture(), "path": name} for name in ("a.png", "one/a.png", "A.jpg")])
    names = ["a.png", "a~image~000001.png", "A~image~000002.png"]
    assert table["file_name"].tolist() == [f"data/all/{name}" for name in names]
    assert sorted(path.name for path in (tmp_path / "out/data/all").iterdir()) == sorted(names)


def test_a_row_may_name_a_file_of_the_repository(tmp_path: Path) -> None:
    for name in ("a.png", "data/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    table = unpack(
        tmp_path, [{"bytes": each, "path": name} for each, name in ((None, "a.png"), (None, "b.png"), (b"BM", "c"))]
    )
    assert table["file_name"].tolist() == ["a.png", "data/b.png", "data/all/c.bmp"]


def test_a_fault_of_the_disk_is_not_taken_for_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        unpack_parquet(tmp_path, [Path("gone.parquet")], tmp_path, 10**6)
