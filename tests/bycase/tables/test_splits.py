import json
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.tables.splits import read_protocol, read_splits, write_splits

GOOD = pd.DataFrame(
    {
        "image": ["d.png", "c.png", "b.png", "a.png"],
        "part": ["train", "train", "val", "test"],
        "fold": 0,
        "group": ["007", "007", "2", "1e3"],
    }
)

BAD = {
    "missing image": (GOOD.drop(columns="image"), "column image missing"),
    "missing part": (GOOD.drop(columns="part"), "column part missing"),
    "missing group": (GOOD.drop(columns="group"), "column group missing"),
    "missing fold": (GOOD.drop(columns="fold"), "column fold missing"),
    "duplicate": (GOOD.assign(image=["d.png", "d.png", "b.png", "a.png"]), "image d.png stands twice"),
    "unknown part": (GOOD.assign(part=["train", "dev", "val", "test"]), "part 'dev' is none of train, val, test"),
    "blank part": (GOOD.assign(part=["train", "", "val", "test"]), "part '' is none of train, val, test"),
    "no train": (GOOD.assign(part=["val", "val", "val", "test"]), "part train is empty"),
    "no val": (GOOD.assign(part=["train", "train", "train", "test"]), "part val is empty; change split.validation"),
    "no test": (GOOD.assign(part=["train", "train", "val", "val"]), "part test is empty"),
    "straddling": (GOOD.assign(group=["1", "2", "2", "3"]), "group 2 stands in 2 parts"),
    "straddling test": (GOOD.assign(group=["1", "2", "3", "1"]), "group 1 stands in 2 parts"),
}


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    return tmp_path / "splits.csv"


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    return tmp_path / "splits.json"


def test_split_reads_back_sorted_by_image_with_its_protocol(splits: Path, protocol: Path) -> None:
    write_splits(GOOD.assign(label="Benign"), {"group": "case", "seed": 7}, splits, protocol)
    read = read_splits(splits)
    assert list(read.columns) == ["image", "part", "fold", "group"]
    assert read["image"].tolist() == ["a.png", "b.png", "c.png", "d.png"]
    assert read["group"].tolist() == ["1e3", "2", "007", "007"]
    assert read_protocol(protocol) == {"group": "case", "seed": 7} == json.loads(protocol.read_text())


@pytest.mark.parametrize("kind", list(BAD))
def test_bad_split_is_refused_and_not_written(splits: Path, protocol: Path, kind: str) -> None:
    frame, message = BAD[kind]
    with pytest.raises(UserError) as raised:
        write_splits(frame, {}, splits, protocol)
    assert message in str(raised.value)
    assert not splits.exists()
    assert not protocol.exists()


@pytest.mark.parametrize("kind", list(BAD))
def test_split_that_was_changed_by_hand_is_refused_when_read(splits: Path, kind: str) -> None:
    frame, message = BAD[kind]
    frame.to_csv(splits, index=False)
    with pytest.raises(UserError) as raised:
        read_splits(splits)
    assert message in str(raised.value)


def test_missing_files_name_the_stage_that_makes_them(splits: Path, protocol: Path) -> None:
    with pytest.raises(UserError, match=r"splits\.csv not found: run 'dvc repro split' first"):
        read_splits(splits)
    with pytest.raises(UserError, match=r"splits\.json not found: run 'dvc repro split' first"):
        read_protocol(protocol)
