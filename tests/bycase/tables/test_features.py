from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json
from bycase.tables.features import read_features

ARRAY = np.arange(24, dtype=np.float32).reshape(3, 2, 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "features.npy", ARRAY)
    write_csv(tmp_path / "index.csv", pd.DataFrame({"image": ["Benign/a.png", "Benign/b.png", "Malignant/NA"]}))
    write_json(tmp_path / "made_by.json", {"model": "resnet50v2"})
    return tmp_path


def test_rows_are_those_of_the_asked_images_in_their_order(folder: Path) -> None:
    features = read_features(folder)
    asked = pd.Series(["Malignant/NA", "Benign/a.png", "Malignant/NA"], index=[9, 4, 1])
    assert (features.array[features.rows(asked)] == ARRAY[[2, 0, 2]]).all()
    assert features.made_by == {"model": "resnet50v2"}


def test_features_are_not_read_into_memory(folder: Path) -> None:
    assert isinstance(read_features(folder).array, np.memmap)


def test_image_without_features_is_named_with_the_way_out(folder: Path) -> None:
    asked = pd.Series(["Benign/b.png", "Benign/lost.png", "Benign/a.png"], index=[7, 8, 9])
    with pytest.raises(UserError, match=r"no features of Benign/lost\.png; run 'dvc repro -f embed'"):
        read_features(folder).rows(asked)


@pytest.mark.parametrize("name", ["features.npy", "index.csv", "made_by.json"])
def test_missing_file_names_the_stage_that_makes_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"{name} not found: run 'dvc repro embed' first"):
        read_features(folder)
