"""`protocol: file` and `protocol: kfold`, and duplicates under every protocol."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.duplicates import write_waiver
from bycase.datasets.splits.folds import make_folds
from bycase.datasets.splits.protocol import describe, make_splits

SplitMaker = Callable[..., SplitParams]
DuplicatesOf = Callable[..., pd.DataFrame]
RAW = Path("none")


def write_file(path: Path, manifest: pd.DataFrame, part: pd.Series) -> str:
    pd.DataFrame({"image": manifest["image"], "part": part}).to_csv(path, index=False)
    return str(path)


def by_case(manifest: pd.DataFrame, validation: str = "val") -> pd.Series:
    parts = {"0": "test", "1": "test", "2": validation}
    return manifest["case"].str[-1].map(lambda digit: parts.get(digit, "train"))


def test_clean_file_is_the_split(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf, tmp_path: Path
) -> None:
    part = by_case(small_manifest)
    params = split_params(protocol="file", file=write_file(tmp_path / "s.csv", small_manifest, part))
    frame = make_splits(small_manifest, params, RAW, 7, duplicates_of())
    assert frame["part"].tolist() == part.tolist()
    assert frame["group"].tolist() == small_manifest["case"].tolist()
    described = describe(frame, params, "breakhis", 7, duplicates_of())
    assert (described["protocol"], described["file"]) == ("file", params.file)
    assert (described["fold"], described["folds"], described["repeat"]) == (0, 1, 0)


def test_validation_is_taken_from_train_by_group_where_the_file_has_none(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf, tmp_path: Path
) -> None:
    part = by_case(small_manifest, validation="train")
    file = write_file(tmp_path / "s.csv", small_manifest, part)
    frame = make_splits(
        small_manifest, split_params(protocol="file", file=file, validation=1 / 6), RAW, 7, duplicates_of()
    )
    assert (frame["part"] == "test").tolist() == (part == "test").tolist()
    cases = frame[frame["part"] == "val"].groupby("label")["case"].unique()
    assert [len(each) for each in cases] == [1, 1]
    assert frame.groupby("case")["part"].nunique().max() == 1
    greedy = split_params(protocol="file", file=file, validation=0.7, test=0.1)
    with pytest.raises(UserError, match=r"split\.validation 0\.7 leaves nothing of the train part"):
        make_splits(small_manifest, greedy, RAW, 7, duplicates_of())


def test_leaking_file_is_refused_but_where_the_group_allows_it(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf, tmp_path: Path
) -> None:
    part = by_case(small_manifest)
    of_case = part.mask(small_manifest["folder"] == "A-14-100AB", "train")
    of_folder = of_case.mask(small_manifest["image"] == small_manifest["image"].iloc[-1], "test")
    files = {
        "case": write_file(tmp_path / "case.csv", small_manifest, of_case),
        "folder": write_file(tmp_path / "folder.csv", small_manifest, of_folder),
    }
    refused = {
        (leak, group)
        for leak, file in files.items()
        for group in ("case", "folder", "image")
        if _refuses(small_manifest, split_params(protocol="file", file=file, group=group), duplicates_of())
    }
    assert refused == {("case", "case"), ("folder", "case"), ("folder", "folder")}
    with pytest.raises(
        UserError, match=r"leaks: 1 cases in more than one part, 14-100 among them, and 14% of its test images .*check"
    ):
        make_splits(small_manifest, split_params(protocol="file", file=files["case"]), RAW, 7, duplicates_of())
    params = split_params(protocol="file", file=files["folder"], group="image")
    frame = make_splits(small_manifest, params, RAW, 7, duplicates_of())
    assert frame["part"].tolist() == of_folder.tolist()
    assert describe(frame, params, "breakhis", 7, duplicates_of())["cases_on_both_sides"] == 2


def _refuses(manifest: pd.DataFrame, params: SplitParams, duplicates: pd.DataFrame) -> bool:
    try:
        make_splits(manifest, params, RAW, 7, duplicates)
    except UserError as error:
        return "leaks: " in str(error)
    return False


def test_file_may_name_more_than_the_wanted_magnification_but_not_less(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf, tmp_path: Path
) -> None:
    part = by_case(small_manifest)
    whole = write_file(tmp_path / "whole.csv", small_manifest, part)
    frame = make_splits(
        small_manifest, split_params(protocol="file", file=whole, magnifications=[200]), RAW, 7, duplicates_of()
    )
    assert len(frame) == 24
    only = small_manifest[small_manifest["magnification"] == 200]
    half = write_file(tmp_path / "half.csv", only, part.loc[only.index])
    again = make_splits(
        small_manifest, split_params(protocol="file", file=half, magnifications=[200]), RAW, 7, duplicates_of()
    )
    assert again.equals(frame)
    with pytest.raises(UserError, match="24 images that it does not name, .* split.magnifications"):
        make_splits(small_manifest, split_params(protocol="file", file=half), RAW, 7, duplicates_of())


@pytest.mark.parametrize(("fold", "repeat"), [(0, 0), (2, 0), (1, 3)])
def test_one_fold_of_the_single_pipeline_is_that_of_the_benchmark(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf, fold: int, repeat: int
) -> None:
    params = split_params(protocol="kfold", folds=3, fold=fold, repeat=repeat)
    frame = make_splits(small_manifest, params, RAW, 7, duplicates_of())
    table = make_folds(small_manifest, params, 7, 3, 4, duplicates_of())
    rows = table[(table["fold"] == fold) & (table["repeat"] == repeat)]
    assert frame[["image", "part", "group"]].to_numpy().tolist() == rows[["image", "part", "group"]].to_numpy().tolist()
    assert set(frame["fold"]) == {fold}
    described = describe(frame, params, "breakhis", 7, duplicates_of())
    assert {key: described[key] for key in ("protocol", "group", "seed", "fold", "folds", "repeat")} == {
        "protocol": "kfold",
        "group": "case",
        "seed": 7,
        "fold": fold,
        "folds": 3,
        "repeat": repeat,
    }


def test_duplicates_merge_groups_or_stop_the_split(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf
) -> None:
    images = small_manifest.drop_duplicates("case")["image"].tolist()
    # One picture from every case of a class in the next one but two, so that any unmerged split has some apart.
    pairs = [(images[i], images[i + 3], "near") for i in range(3)] + [(images[0], images[7], "exact")]
    duplicates = duplicates_of(*pairs)
    params = split_params(validation=0.3, test=0.3)
    frame = make_splits(small_manifest, params, RAW, 7, duplicates)
    part = frame.set_index("image")["part"]
    assert all(part[a] == part[b] for a, b, _ in pairs)
    assert describe(frame, params, "x", 7, duplicates)["merged_groups"] == 7
    assert frame.groupby("group")["case"].nunique().max() == 3

    unmerged = split_params(validation=0.3, test=0.3, merge_duplicates=False)
    plain = make_splits(small_manifest, unmerged, RAW, 7, duplicates_of())
    assert describe(plain, unmerged, "x", 7, duplicates)["merged_groups"] == 0
    in_test = (plain.set_index("image")["part"] == "test").to_dict()
    across = [(min(a, b), max(a, b)) for a, b, _ in pairs if in_test[a] != in_test[b]]
    assert across
    with pytest.raises(
        UserError, match=rf"{len(across)} pairs of duplicates stand in test and .*merge_duplicates"
    ) as e:
        make_splits(small_manifest, unmerged, RAW, 7, duplicates)
    assert any(write_waiver(*pair) in str(e.value) for pair in across)
    waived = make_splits(small_manifest, unmerged, RAW, 7, duplicates, across)
    assert waived.equals(plain)
    assert describe(waived, unmerged, "x", 7, duplicates)["duplicates_on_both_sides"] == len(across)
    with pytest.raises(UserError, match="pairs of duplicates"):
        make_splits(small_manifest, unmerged, RAW, 7, duplicates, across[1:])


@pytest.mark.parametrize("group", ["case", "image"])
def test_duplicates_across_parts_that_a_file_lays_down_stop_it_and_those_within_join(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf, tmp_path: Path, group: str
) -> None:
    part = by_case(small_manifest, validation="train")
    params = split_params(protocol="file", group=group, file=write_file(tmp_path / "s.csv", small_manifest, part))
    image = small_manifest.drop_duplicates("case").set_index("case")["image"]
    across = (image["14-100"], image["14-103"])
    within = (image["14-103"], image["14-104"])
    duplicates = duplicates_of((*across, "exact"), (*within, "near"))
    with pytest.raises(UserError, match=r"1 pairs of duplicates .*\(exact\): .*correct the split"):
        make_splits(small_manifest, params, RAW, 7, duplicates)
    frame = make_splits(small_manifest, params, RAW, 7, duplicates, [across])
    assert (frame["part"] == "test").tolist() == (part == "test").tolist()
    of_image = frame.set_index("image")
    assert of_image.loc[within[0], "group"] == of_image.loc[within[1], "group"]
    assert of_image.loc[within[0], "part"] == of_image.loc[within[1], "part"]
    assert of_image.loc[across[0], "group"] != of_image.loc[across[1], "group"]
    assert frame.groupby("group")["part"].nunique().max() == 1


def test_official_fold_with_a_duplicate_on_both_sides_is_refused(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf, tmp_path: Path
) -> None:
    part = by_case(small_manifest, validation="train")
    names = small_manifest["source"].str.rsplit("/", n=1).str[-1]
    lines = [f"{name}|40|1|{of}\n" for name, of in zip(names, part, strict=True)]
    (tmp_path / "dsfold1.txt").write_text("".join(lines))
    pair = (small_manifest.loc[part == "test", "image"].iloc[0], small_manifest.loc[part == "train", "image"].iloc[0])
    params = split_params(protocol="official")
    with pytest.raises(UserError, match="1 pairs of duplicates stand in test"):
        make_splits(small_manifest, params, tmp_path, 7, duplicates_of((*pair, "near")))
    make_splits(small_manifest, params, tmp_path, 7, duplicates_of((*pair, "near")), [pair])
    make_splits(small_manifest, params, tmp_path, 7, duplicates_of((*pair, "embedding")))
