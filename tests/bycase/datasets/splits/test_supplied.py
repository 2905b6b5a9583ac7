from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.datasets.duplicates import COLUMNS
from bycase.datasets.splits.protocol import describe, make_splits

NO_PAIRS = pd.DataFrame({column: [] for column in COLUMNS})
MakeParams = Callable[[dict[str, Any]], Params]


def manifest(parts: dict[str, str], folds: dict[str, str] | None = None) -> pd.DataFrame:
    """Two images, one of each class, of every case; a case's part or fold is that of its letter."""
    rows = []
    for case, part in parts.items():
        for label in ("Benign", "Malignant"):
            image = f"{label}/{case}.png"
            rows.append((image, label, label, 0, case, case, case, image, part, (folds or {}).get(case, "")))
    names = ("image", "label", "subtype", "magnification", "folder", "case", "group", "source")
    return pd.DataFrame(rows, columns=[*names, "supplied_part", "supplied_fold"])


def split(frame: pd.DataFrame, make_params: MakeParams, **changes: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    params = make_params({f"split.{key}": value for key, value in ({"protocol": "supplied"} | changes).items()}).split
    result = make_splits(frame, params, Path("x"), 7, NO_PAIRS)
    return result, describe(result, params, "mine", 7, NO_PAIRS, patients_known=False)


PARTS = {"a": "train", "b": "train", "c": "val", "d": "test"}


def test_parts_are_used_as_they_are(make_params: MakeParams) -> None:
    result, protocol = split(manifest(PARTS), make_params)
    assert result["part"].tolist() == result["supplied_part"].tolist()
    assert (protocol["protocol"], protocol["folds"], protocol["patients_known"]) == ("supplied", 1, False)


def test_validation_is_drawn_from_train_where_there_is_none(make_params: MakeParams) -> None:
    parts = dict.fromkeys("abcdefgh", "train") | {"z": "test"}
    result, _ = split(manifest(parts), make_params)
    assert set(result.loc[result["supplied_part"] == "train", "part"]) == {"train", "val"}
    assert set(result.loc[result["case"] == "z", "part"]) == {"test"}


def test_a_fold_of_its_own_is_the_test_part(make_params: MakeParams) -> None:
    folds = {letter: str(number % 3 + 9) for number, letter in enumerate("abcdefghi")}
    frame = manifest(dict.fromkeys(folds, ""), folds)
    result, protocol = split(frame, make_params, fold=1)
    assert set(result.loc[result["part"] == "test", "supplied_fold"]) == {"10"}
    assert (protocol["fold"], protocol["folds"]) == (1, 3)


def test_a_leak_is_refused_with_numbers_and_ways_out_and_can_be_asked_for(make_params: MakeParams) -> None:
    frame = manifest(PARTS)
    frame.loc[frame["image"] == "Benign/d.png", ["case", "folder", "group"]] = "a"
    with pytest.raises(UserError) as raised:
        split(frame, make_params)
    message = str(raised.value)
    assert "1 groups stand in more than one part, a among them, and 1 of 2 test images (50%)" in message
    assert "kfold" in message
    assert "supplied_leaky" in message
    result, protocol = split(frame, make_params, protocol="supplied_leaky")
    assert result["part"].tolist() == frame["supplied_part"].tolist()
    assert (protocol["cases_on_both_sides"], protocol["group"]) == (1, "image")


def test_duplicates_across_are_refused_and_counted(make_params: MakeParams) -> None:
    pair = {"image_a": "Benign/a.png", "image_b": "Benign/d.png", "kind": "exact", "cluster": 0}
    pairs = pd.DataFrame([{column: pair.get(column, 0) for column in COLUMNS}])
    params = make_params({"split.protocol": "supplied"}).split
    with pytest.raises(UserError, match="own parts leak: 1 pairs of duplicates .* Benign/a.png and Benign/d.png"):
        make_splits(manifest(PARTS), params, Path("x"), 7, pairs)
    leaky = make_params({"split.protocol": "supplied_leaky"}).split
    result = make_splits(manifest(PARTS), leaky, Path("x"), 7, pairs)
    assert describe(result, leaky, "mine", 7, pairs)["duplicates_on_both_sides"] == 1


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (manifest(dict.fromkeys("abc", "")), "has no parts and no folds of its own"),
        (manifest({"a": "train", "b": "", "c": "test"}), "2 images have no part of the data set's own, Benign/b.png"),
        (manifest({"a": "train", "b": "val"}), "own parts are train, val, none of them test"),
        (manifest(PARTS).drop(index=7), "own part test has no Malignant image"),
        (
            manifest(dict.fromkeys("abc", ""), {"a": "1", "b": "2"}),
            "2 images have no fold of the data set's own, Benign/c.png first; correct fold in its entry",
        ),
        (manifest(dict.fromkeys("ab", ""), dict.fromkeys("ab", "1")), "0 is none of the data set's 1 folds"),
    ],
)
def test_parts_that_cannot_be_used_stop_in_one_line(make_params: MakeParams, frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        split(frame, make_params)
