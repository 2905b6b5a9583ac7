from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.tables.predictions import (
    check_disjoint,
    label_splits,
    make_predictions,
    read_predictions,
    write_predictions,
)

CLASSES = ("Benign", "Malignant")
NAME = Path("test.csv")


def part(n: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": [f"{i}.png" for i in range(n)],
            "group": [f"c{i // 2}" for i in range(n)],
            "label": [CLASSES[i % 2] for i in range(n)],
            "part": "test",
        }
    )


def probabilities(n: int = 4) -> np.ndarray:
    positive = np.random.default_rng(0).random(n)
    return np.column_stack([1 - positive, positive])


def test_written_predictions_come_back_to_the_last_bit(tmp_path: Path) -> None:
    frame = make_predictions(part(200), probabilities(200), CLASSES, NAME)
    path = tmp_path / "test.csv"
    write_predictions(path, frame, CLASSES)
    assert list(frame.columns) == ["image", "group", "label", "Benign", "Malignant"]
    pd.testing.assert_frame_equal(read_predictions(path, CLASSES), frame, check_exact=True)


def test_rows_keep_their_probabilities_when_sorted() -> None:
    values = probabilities()
    straight = make_predictions(part(), values, CLASSES, NAME)
    reversed_ = make_predictions(part().iloc[::-1], values[::-1], CLASSES, NAME)
    pd.testing.assert_frame_equal(straight, reversed_)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("Malignant", 1.5, "image 0.png has a probability outside"),
        ("Malignant", np.nan, "image 0.png has a probability outside"),
        ("Malignant", 0.123, "image 0.png do not sum to 1"),
        ("label", "Normal", "label 'Normal' is none of Benign, Malignant"),
        ("image", "1.png", "image 1.png stands twice"),
    ],
)
def test_bad_predictions_are_refused(tmp_path: Path, column: str, value: object, message: str) -> None:
    frame = make_predictions(part(), probabilities(), CLASSES, NAME)
    frame.loc[0, column] = value
    frame.to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(UserError, match=message):
        read_predictions(tmp_path / "test.csv", CLASSES)


def test_missing_file_column_and_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run 'dvc repro evaluate'"):
        read_predictions(tmp_path / "none.csv", CLASSES)
    path = tmp_path / "test.csv"
    make_predictions(part(), probabilities(), CLASSES, NAME).drop(columns="group").to_csv(path, index=False)
    with pytest.raises(UserError, match="column group missing"):
        read_predictions(path, CLASSES)
    path.write_text("image,group,label,Benign,Malignant\n")
    with pytest.raises(UserError, match="no image"):
        read_predictions(path, CLASSES)


def test_parts_that_share_a_group_or_an_image_are_refused() -> None:
    frame = make_predictions(part(), probabilities(), CLASSES, NAME)
    validation, test = frame[:2], frame[2:]
    check_disjoint(validation, test)
    with pytest.raises(UserError, match="group c0 is both in"):
        check_disjoint(validation, test.assign(group="c0"))
    with pytest.raises(UserError, match=r"image 1\.png is both in"):
        check_disjoint(frame[:2], frame[1:])


def test_an_image_of_the_split_without_a_manifest_row_is_named() -> None:
    manifest = part()[["image", "label"]]
    splits = part().drop(columns="label")
    assert list(label_splits(splits, manifest)["label"]) == list(part()["label"])
    with pytest.raises(UserError, match=r"image 0\.png is not in data/manifest\.csv"):
        label_splits(splits, manifest[1:])


def test_a_diverged_network_is_named() -> None:
    with pytest.raises(UserError, match="training diverged"):
        make_predictions(part(), np.full((4, 2), np.nan), CLASSES, NAME)
