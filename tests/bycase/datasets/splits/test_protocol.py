from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.duplicates import COLUMNS
from bycase.datasets.splits.groups import select_magnifications
from bycase.datasets.splits.protocol import describe, make_splits

RAW = Path("none")
NO_DUPLICATES = pd.DataFrame(columns=list(COLUMNS))


def write_fold(place: Path, part_of: dict[str, str], fold: int = 1) -> Path:
    path = place / f"dsfold{fold}.txt"
    path.write_text("".join(f"{name}|40|{fold}|{part}\n" for name, part in part_of.items()))
    return path


def names_of(frame: pd.DataFrame) -> "pd.Series[str]":
    return frame["source"].str.rsplit("/", n=1).str[-1]


def by_case(frame: pd.DataFrame, test_cases: set[str]) -> dict[str, str]:
    """Each image's official part, given the cases in test."""
    parts = frame["case"].isin(test_cases).map({True: "test", False: "train"})
    return dict(zip(names_of(frame), parts, strict=True))


@pytest.mark.parametrize("group", ["case", "folder", "image"])
def test_groups_are_of_the_asked_kind_and_do_not_straddle(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], group: str
) -> None:
    frame = make_splits(small_manifest, split_params(group=group), RAW, 7, NO_DUPLICATES)
    assert frame["image"].tolist() == small_manifest["image"].tolist()
    assert frame["group"].tolist() == small_manifest[group].tolist()
    assert frame.groupby("group")["part"].nunique().max() == 1
    assert set(frame["part"]) == {"train", "val", "test"}
    assert set(frame["fold"]) == {0}


def test_shares_are_those_of_validation_and_test(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams]
) -> None:
    params = split_params(group="image", validation=0.25, test=0.125)
    counts = make_splits(small_manifest, params, RAW, 7, NO_DUPLICATES)["part"].value_counts()
    assert (counts["train"], counts["val"], counts["test"]) == (30, 12, 6)


@pytest.mark.parametrize(("wanted", "there"), [([], {40, 200}), ([200], {200}), ([40, 100, 200], {40, 200})])
def test_only_the_wanted_magnifications_are_split(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], wanted: list[int], there: set[int]
) -> None:
    frame = make_splits(small_manifest, split_params(magnifications=wanted), RAW, 7, NO_DUPLICATES)
    assert set(frame["magnification"]) == there
    assert len(frame) == small_manifest["magnification"].isin(there).sum()


def test_magnification_without_images_is_refused_with_those_there_are(small_manifest: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="split.magnifications: no image at 100, 400; there are 40, 200"):
        select_magnifications(small_manifest, [100, 400])


def test_magnification_without_a_class_is_refused(small_manifest: pd.DataFrame) -> None:
    lacking = small_manifest[(small_manifest["magnification"] == 200) | (small_manifest["label"] == "Malignant")]
    with pytest.raises(UserError, match="split.magnifications: no Benign image at 40"):
        select_magnifications(lacking, [40])


@pytest.mark.parametrize("in_raw", [True, False])
def test_official_test_part_is_as_published_and_validation_is_carved_from_train_by_group(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], tmp_path: Path, in_raw: bool
) -> None:
    test_cases = {"14-100", "14-101", "14-200", "14-201"}
    path = write_fold(tmp_path, by_case(small_manifest, test_cases), fold=3)
    params = split_params(
        protocol="official", official_fold=3, folds_file=None if in_raw else str(path), validation=1 / 3
    )
    frame = make_splits(small_manifest, params, tmp_path if in_raw else RAW, 7, NO_DUPLICATES)
    assert set(frame.loc[frame["part"] == "test", "case"]) == test_cases
    assert frame["image"].tolist() == small_manifest["image"].tolist()
    assert frame.groupby("case")["part"].nunique().max() == 1
    # A third of all twelve cases, two of each class.
    validation = frame[frame["part"] == "val"]
    assert sorted(validation.groupby("label")["case"].nunique().items()) == [("Benign", 2), ("Malignant", 2)]
    assert set(frame["fold"]) == {3}


def test_official_fold_with_kaggles_table_uses_the_asked_fold(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], tmp_path: Path
) -> None:
    folds = {1: {"14-100", "14-200"}, 2: {"14-105", "14-205"}}
    rows = [
        {"fold": fold, "mag": 40, "grp": part, "filename": f"BreaKHis_v1/x/{name}"}
        for fold, cases in folds.items()
        for name, part in by_case(small_manifest, cases).items()
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "Folds.csv", index=False)
    for fold, cases in folds.items():
        frame = make_splits(
            small_manifest, split_params(protocol="official", official_fold=fold), tmp_path, 7, NO_DUPLICATES
        )
        assert set(frame.loc[frame["part"] == "test", "case"]) == cases


def test_official_fold_that_straddles_cases_is_refused_by_case_and_taken_by_folder(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], tmp_path: Path
) -> None:
    # One case's two slide folders on either side, as BreakHis' own folds have them.
    in_test = small_manifest["case"].isin({"14-100", "14-200"}) | (small_manifest["folder"] == "F-14-101AB")
    write_fold(tmp_path, dict(zip(names_of(small_manifest), in_test.map({True: "test", False: "train"}), strict=True)))
    with pytest.raises(
        UserError, match=r"fold 1 has 1 cases on both sides, 14-101 among them: .*split\.group to folder"
    ):
        make_splits(small_manifest, split_params(protocol="official"), tmp_path, 7, NO_DUPLICATES)
    params = split_params(protocol="official", group="folder")
    frame = make_splits(small_manifest, params, tmp_path, 7, NO_DUPLICATES)
    assert frame.groupby("folder")["part"].nunique().max() == 1
    described = describe(frame, params, "breakhis", 7, NO_DUPLICATES)
    assert (described["patient_disjoint"], described["cases_on_both_sides"]) == (False, 1)


def test_image_that_the_official_fold_does_not_list_is_named(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], tmp_path: Path
) -> None:
    parts = by_case(small_manifest, {"14-100", "14-200"})
    lost = names_of(small_manifest).iloc[5]
    del parts[lost]
    write_fold(tmp_path, parts)
    with pytest.raises(UserError, match=f"official fold 1 does not list {lost}"):
        make_splits(small_manifest, split_params(protocol="official"), tmp_path, 7, NO_DUPLICATES)


@pytest.mark.parametrize("train_cases", [set(), {"14-100", "14-200"}])
def test_official_fold_with_too_little_to_train_on_is_refused(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], tmp_path: Path, train_cases: set[str]
) -> None:
    write_fold(tmp_path, by_case(small_manifest, set(small_manifest["case"]) - train_cases))
    with pytest.raises(UserError, match="leaves nothing of the official fold's train part"):
        make_splits(small_manifest, split_params(protocol="official"), tmp_path, 7, NO_DUPLICATES)


def test_missing_folds_file_names_the_two_ways_out(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="set split.folds_file, or split.protocol to fractions"):
        make_splits(small_manifest, split_params(protocol="official"), tmp_path, 7, NO_DUPLICATES)


@pytest.mark.parametrize("group", ["case", "image"])
def test_description_says_how_the_split_was_made_and_counts_what_it_holds(
    small_manifest: pd.DataFrame, split_params: Callable[..., SplitParams], group: str
) -> None:
    params = split_params(group=group, magnifications=[200])
    frame = make_splits(small_manifest, params, RAW, 7, NO_DUPLICATES)
    described = describe(frame, params, "breakhis", 7, NO_DUPLICATES)
    assert {key: described[key] for key in ("dataset", "protocol", "group", "seed", "fold", "magnifications")} == {
        "dataset": "breakhis",
        "protocol": "fractions",
        "group": group,
        "seed": 7,
        "fold": 0,
        "magnifications": [200],
    }
    parts = {case: set(rows["part"]) for case, rows in frame.groupby("case")}
    assert described["patient_disjoint"] is all(len(found) == 1 for found in parts.values())
    assert described["patient_disjoint"] is (group == "case")
    assert described["cases_on_both_sides"] == sum("test" in found and len(found) > 1 for found in parts.values())
    for part, counts in described["counts"].items():
        rows = frame[frame["part"] == part]
        assert counts == {
            "images": len(rows),
            "groups": len(set(rows[group])),
            "cases": len(set(rows["case"])),
            "by_class": {label: (rows["label"] == label).sum() for label in ("Benign", "Malignant")},
            "by_subtype": {name: (rows["subtype"] == name).sum() for name in sorted(set(rows["subtype"]))},
        }
    assert sum(counts["images"] for counts in described["counts"].values()) == len(frame)


def test_case_shared_by_train_and_validation_alone_is_not_patient_disjoint_yet_outside_test(
    split_params: Callable[..., SplitParams],
) -> None:
    frame = pd.DataFrame(
        {"case": ["a", "a", "b"], "part": ["train", "val", "test"], "image": list("xyz"), "label": "B", "subtype": "A"}
    ).assign(group=list("xyz"))
    params = split_params(group="image")
    described = describe(frame, params, "x", 7, NO_DUPLICATES)
    assert (described["patient_disjoint"], described["cases_on_both_sides"]) == (False, 0)
