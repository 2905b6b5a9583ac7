from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.duplicates import COLUMNS
from bycase.datasets.splits.folds import make_folds
from bycase.datasets.splits.protocol import describe, make_splits
from bycase.tables.splits import check_splits

NO_DUPLICATES = pd.DataFrame(columns=list(COLUMNS))
SplitMaker = Callable[..., SplitParams]


def official_folds(manifest: pd.DataFrame, folder: Path) -> Path:
    """dsfold1.txt with two cases of each class in test."""
    names = manifest["source"].str.rsplit("/", n=1).str[-1]
    in_test = manifest["case"].isin(["14-100", "14-101", "14-200", "14-201"])
    path = folder / "dsfold1.txt"
    path.write_text("".join(f"{n}|40|1|{'test' if t else 'train'}\n" for n, t in zip(names, in_test, strict=True)))
    return path


def split_file(manifest: pd.DataFrame, folder: Path) -> Path:
    part = manifest["case"].str[-1].map({"0": "test", "1": "val"}).fillna("train")
    path = folder / "parts.csv"
    manifest[["image"]].assign(part=part).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("protocol", ["fractions", "kfold", "official", "file"])
def test_the_parts_stay_and_only_images_leave(
    small_manifest: pd.DataFrame, split_params: SplitMaker, tmp_path: Path, protocol: str
) -> None:
    changes: dict[str, Any] = {"protocol": protocol, "folds": 3, "fold": 1, "validation": 0.25}
    if protocol == "official":
        changes["folds_file"] = str(official_folds(small_manifest, tmp_path))
    if protocol == "file":
        changes["file"] = str(split_file(small_manifest, tmp_path))
    whole, without = (
        make_splits(small_manifest, split_params(**changes, held_out_magnification=m), tmp_path, 7, NO_DUPLICATES)
        for m in (None, 200)
    )
    kept = whole[(whole["part"] == "test") == (whole["magnification"] == 200)]
    pd.testing.assert_frame_equal(without, kept)
    assert set(without.loc[without["part"] != "test", "magnification"]) == {40}
    assert set(without.loc[without["part"] == "test", "magnification"]) == {200}
    tested = [set(frame.loc[frame["part"] == "test", "case"]) for frame in (whole, without)]
    assert tested[0] == tested[1]
    check_splits(without, tmp_path)


def test_every_fold_tests_the_same_patients_with_and_without(
    small_manifest: pd.DataFrame, split_params: SplitMaker
) -> None:
    whole, without = (
        make_folds(small_manifest, split_params(held_out_magnification=m), 7, 3, 2, NO_DUPLICATES) for m in (None, 40)
    )
    magnification = small_manifest.set_index("image")["magnification"]
    tests = without[without["part"] == "test"]
    assert set(tests["image"].map(magnification)) == {40}
    assert set(without.loc[without["part"] != "test", "image"].map(magnification)) == {200}
    assert sorted(tests["image"]) == sorted(magnification.index[magnification == 40].tolist() * 2)
    merged = without.merge(whole, on=["image", "repeat", "fold"])
    assert (merged["part_x"] == merged["part_y"]).all()
    assert len(merged) == len(without)


def test_the_protocol_says_what_was_held_out(small_manifest: pd.DataFrame, split_params: SplitMaker) -> None:
    for magnification in (None, 40):
        params = split_params(held_out_magnification=magnification)
        frame = make_splits(small_manifest, params, Path("none"), 7, NO_DUPLICATES)
        protocol = describe(frame, params, "phantom", 7, NO_DUPLICATES)
        assert protocol["held_out_magnification"] == magnification
        assert sum(part["images"] for part in protocol["counts"].values()) == len(frame)


def test_a_duplicate_that_leaves_with_its_magnification_is_no_fault(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: Callable[..., pd.DataFrame]
) -> None:
    whole = make_splits(small_manifest, split_params(merge_duplicates=False), Path("none"), 7, NO_DUPLICATES)
    at_200 = whole[whole["magnification"] == 200]
    pair = (at_200[at_200["part"] == "test"]["image"].iloc[0], at_200[at_200["part"] == "train"]["image"].iloc[0])
    for magnification, refused in ((None, True), (200, False)):
        params = split_params(merge_duplicates=False, held_out_magnification=magnification)
        arguments = (small_manifest, params, Path("none"), 7, duplicates_of((*pair, "near")))
        if refused:
            with pytest.raises(UserError, match="pairs of duplicates"):
                make_splits(*arguments)
        else:
            make_splits(*arguments)


@pytest.mark.parametrize(
    ("change", "magnification", "message"),
    [
        (lambda manifest: manifest.assign(magnification=0), 200, "has no magnifications; set it to null"),
        (lambda manifest: manifest, 400, "no image at 400; there are 40, 200"),
        (
            lambda manifest: manifest[(manifest["magnification"] == 40) | (manifest["label"] == "Malignant")],
            200,
            "200 leaves no Benign image in test",
        ),
        (lambda manifest: manifest[manifest["magnification"] == 40], 40, "40 leaves no Benign image in train"),
    ],
)
def test_what_cannot_be_held_out_is_refused(
    small_manifest: pd.DataFrame, split_params: SplitMaker, change: Callable[..., Any], magnification: int, message: str
) -> None:
    params = split_params(held_out_magnification=magnification)
    with pytest.raises(UserError, match=f"split.held_out_magnification.*{message}"):
        make_splits(change(small_manifest), params, Path("none"), 7, NO_DUPLICATES)
