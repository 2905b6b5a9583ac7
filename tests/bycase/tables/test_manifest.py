from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.tables.manifest import COLUMNS, OPTIONAL, read_manifest, write_manifest


def manifest_of(*images: str) -> pd.DataFrame:
    rows = [
        dict.fromkeys(COLUMNS, "x") | {"image": image, "magnification": 40, "width": 700, "height": 460}
        for image in images
    ]
    return pd.DataFrame(rows)


def test_manifest_is_sorted_by_image_and_reads_back_alike(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    frame = manifest_of("b.png", "a.png").assign(case=["007", "1e5"], folder=["NA", ""], unasked=1)
    write_manifest(path, frame)
    read = read_manifest(path)
    assert tuple(read.columns) == (*COLUMNS, "unasked")
    assert read["image"].tolist() == ["a.png", "b.png"]
    assert read["case"].tolist() == ["1e5", "007"]
    assert read["folder"].tolist() == ["", "NA"]
    assert read[["magnification", "width", "height"]].to_numpy().tolist() == [[40, 700, 460]] * 2


@pytest.mark.parametrize("column", [column for column in COLUMNS if column not in OPTIONAL])
def test_missing_column_is_named_at_write_and_at_read(tmp_path: Path, column: str) -> None:
    path = tmp_path / "manifest.csv"
    frame = manifest_of("a.png").drop(columns=column)
    with pytest.raises(UserError, match=f"column {column} missing"):
        write_manifest(path, frame)
    assert not path.exists()
    frame.to_csv(path, index=False)
    with pytest.raises(UserError, match=f"column {column} missing"):
        read_manifest(path)


def test_optional_columns_are_empty_where_they_are_not_given(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    write_manifest(path, manifest_of("a.png").drop(columns=[*OPTIONAL]).assign(age="70"))
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    read = read_manifest(path)
    assert read[list(OPTIONAL)].iloc[0].to_dict() == dict.fromkeys(OPTIONAL, "") | {"age": "70"}
    read.drop(columns=[*OPTIONAL]).to_csv(path, index=False)
    assert (read_manifest(path)[list(OPTIONAL)] == "").all(axis=None)


def test_image_that_stands_twice_is_named_at_write_and_at_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    frame = manifest_of("a.png", "b.png", "b.png")
    with pytest.raises(UserError, match=r"image b\.png stands twice"):
        write_manifest(path, frame)
    assert not path.exists()
    frame.to_csv(path, index=False)
    with pytest.raises(UserError, match=r"image b\.png stands twice"):
        read_manifest(path)


def test_missing_manifest_names_the_stage_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"manifest\.csv not found: run 'dvc repro restructure' first"):
        read_manifest(tmp_path / "manifest.csv")
