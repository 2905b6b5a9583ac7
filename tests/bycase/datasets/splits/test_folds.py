from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.splits.folds import assign_groups, make_folds

SHARES = {"train": 0.55, "val": 0.2, "test": 0.25}


def toy(groups_of: dict[str, int], images: int = 4) -> pd.DataFrame:
    """Groups of equal size by ``label/subtype``."""
    rows = [
        {"label": stratum.split("/")[0], "subtype": stratum.split("/")[1], "case": f"{stratum}{group}"}
        for stratum, n in groups_of.items()
        for group in range(n)
        for _ in range(images)
    ]
    return pd.DataFrame(rows)


# 70 cases of very different sizes cannot be divided exactly; a random assignment is off by .17 in the median.
@pytest.mark.parametrize(
    ("key", "seeds", "of_images", "of_class"),
    [("case", 5, 0.05, 0.1), ("folder", 5, 0.03, 0.05), ("image", 2, 0.001, 0.001)],
)
def test_no_group_straddles_and_parts_have_about_their_share_of_every_class(
    full_manifest: pd.DataFrame, key: str, seeds: int, of_images: float, of_class: float
) -> None:
    wanted = pd.Series(SHARES)
    for seed in range(seeds):
        part = assign_groups(full_manifest, SHARES, seed, key)
        assert part.index.equals(full_manifest.index)
        assert part.groupby(full_manifest[key]).nunique().max() == 1
        assert (part.value_counts(normalize=True) - wanted).abs().max() <= of_images
        by_class = pd.crosstab(full_manifest["label"], part, normalize="index")
        assert (by_class - wanted).abs().to_numpy().max() <= of_class


@pytest.mark.parametrize("seed", range(5))
def test_shares_of_subsets_are_exact_where_they_can_be(seed: int) -> None:
    frame = toy({"Benign/A": 8, "Benign/F": 4, "Malignant/DC": 20})
    part = assign_groups(frame, {"train": 0.5, "val": 0.25, "test": 0.25}, seed, "case")
    counts = pd.crosstab(frame["subtype"], part)
    assert counts.loc["A"].to_dict() == {"test": 8, "train": 16, "val": 8}
    assert counts.loc["F"].to_dict() == {"test": 4, "train": 8, "val": 4}
    assert counts.loc["DC"].to_dict() == {"test": 20, "train": 40, "val": 20}


def test_the_same_seed_gives_the_same_parts_whatever_the_order_of_rows(full_manifest: pd.DataFrame) -> None:
    part = assign_groups(full_manifest, SHARES, 7, "case")
    shuffled = full_manifest.sample(frac=1, random_state=0)
    assert assign_groups(shuffled, SHARES, 7, "case").reindex(part.index).equals(part)


def test_different_seeds_give_different_parts(full_manifest: pd.DataFrame) -> None:
    assert len({tuple(assign_groups(full_manifest, SHARES, seed, "case")) for seed in range(5)}) == 5


@pytest.mark.parametrize("key", ["case", "folder"])
def test_fewer_groups_than_parts_are_refused_with_the_way_out(key: str) -> None:
    frame = toy({"Benign/A": 2, "Malignant/DC": 9}).rename(columns={"case": key})
    with pytest.raises(
        UserError,
        match=f"class Benign has 2 {key}s, fewer than the 3 parts train, val, test: .*finer split.group",
    ):
        assign_groups(frame, SHARES, 7, key)


def test_as_many_groups_as_parts_are_enough() -> None:
    frame = toy({"Benign/A": 3, "Malignant/DC": 3})
    part = assign_groups(frame, SHARES, 7, "case")
    assert (pd.crosstab(frame["label"], part) == 4).to_numpy().all()


def test_shares_that_leave_a_part_without_a_class_are_refused() -> None:
    frame = toy({"Benign/A": 3, "Malignant/DC": 3})
    frame = pd.concat([frame, frame[frame["case"] == "Benign/A0"].sample(4000, replace=True, random_state=0)])
    frame = frame.reset_index(drop=True)
    with pytest.raises(UserError, match=r"no split by case gives each of train, val, test every class; change split\."):
        assign_groups(frame, {"train": 0.998, "val": 0.001, "test": 0.001}, 7, "case")


def test_one_group_of_two_classes_stays_together() -> None:
    frame = toy({"Benign/A": 5, "Malignant/DC": 5})
    frame.loc[frame["case"] == "Malignant/DC0", "case"] = "Benign/A0"
    part = assign_groups(frame, SHARES, 7, "case")
    assert part.groupby(frame["case"]).nunique().max() == 1


def test_a_huge_group_does_not_make_the_search_endless() -> None:
    random = np.random.default_rng(0)
    sizes = [5000, *random.integers(1, 5, 60)]
    frame = pd.DataFrame(
        {
            "case": np.repeat(np.arange(61).astype(str), sizes),
            "label": np.repeat(np.where(np.arange(61) % 2, "Benign", "Malignant"), sizes),
            "subtype": "x",
        }
    )
    part = assign_groups(frame, SHARES, 7, "case")
    assert set(part) == set(SHARES)


SplitMaker = Callable[..., SplitParams]
DuplicatesOf = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def full_folds(full_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf) -> pd.DataFrame:
    """Five folds, twice, of all 7,909 images by case."""
    return make_folds(full_manifest, split_params(), 7, 5, 2, duplicates_of())


def test_every_image_is_tested_once_a_repeat_and_no_group_straddles(
    full_folds: pd.DataFrame, full_manifest: pd.DataFrame
) -> None:
    assert list(full_folds.columns) == ["image", "repeat", "fold", "part", "group"]
    assert len(full_folds) == len(full_manifest) * 5 * 2
    tested = full_folds[full_folds["part"] == "test"]
    for _, rows in tested.groupby("repeat"):
        assert sorted(rows["image"]) == sorted(full_manifest["image"])
    for _, rows in full_folds.groupby(["repeat", "fold"]):
        assert sorted(rows["image"]) == sorted(full_manifest["image"])
        assert rows.groupby("group")["part"].nunique().max() == 1
    case_of = full_manifest.set_index("image")["case"]
    assert full_folds["group"].tolist() == case_of[full_folds["image"]].tolist()


def test_every_part_of_every_fold_is_like_the_whole(full_folds: pd.DataFrame, full_manifest: pd.DataFrame) -> None:
    whole = full_manifest.set_index("image")
    of_class = whole["label"].value_counts()
    cases = whole.groupby("label")["case"].nunique()
    subtypes = set(whole["subtype"])
    for _, rows in full_folds.groupby(["repeat", "fold"]):
        rows = rows.join(whole[["label", "case", "subtype"]], on="image")
        shares = rows["part"].value_counts(normalize=True)
        assert shares["test"] == pytest.approx(0.2, abs=0.04)
        assert shares["val"] == pytest.approx(0.2, abs=0.04)
        assert set(rows.loc[rows["part"] == "train", "subtype"]) == subtypes
        for label in ("Benign", "Malignant"):
            test = rows[(rows["part"] == "test") & (rows["label"] == label)]
            assert len(test) / of_class[label] == pytest.approx(0.2, abs=0.06)
            assert test["case"].nunique() / cases[label] == pytest.approx(0.2, abs=0.055)


def test_repeats_are_other_folds_and_do_not_depend_on_their_number(
    full_folds: pd.DataFrame, full_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf
) -> None:
    tested = full_folds[full_folds["part"] == "test"].pivot_table(index="image", columns="repeat", values="fold")
    assert adjusted_rand_score(tested[0], tested[1]) < 0.3
    alone = make_folds(full_manifest, split_params(), 7, 5, 1, duplicates_of())
    first = full_folds[full_folds["repeat"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, first)


def test_another_seed_gives_other_folds(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf
) -> None:
    tables = [make_folds(small_manifest, split_params(), seed, 3, 1, duplicates_of()) for seed in (1, 1, 2)]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


@pytest.mark.parametrize(("folds", "validation"), [(2, 0.25), (3, 1 / 3), (6, 1 / 6)])
def test_shares_are_exact_where_they_can_be(
    small_manifest: pd.DataFrame,
    split_params: SplitMaker,
    duplicates_of: DuplicatesOf,
    folds: int,
    validation: float,
) -> None:
    table = make_folds(small_manifest, split_params(validation=validation), 7, folds, 2, duplicates_of())
    assert len(table) == 48 * folds * 2
    for _, rows in table.groupby(["repeat", "fold"]):
        rows = rows.merge(small_manifest[["image", "label", "case"]])
        cases = rows.groupby(["part", "label"])["case"].nunique().to_dict()
        for label in ("Benign", "Malignant"):
            assert cases["test", label] == 6 // folds
            if folds != 2:
                assert cases["val", label] == round(6 * validation)


def test_duplicates_of_two_cases_are_in_one_part_of_every_fold(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf
) -> None:
    images = small_manifest.drop_duplicates("case").set_index("case")["image"]
    duplicates = duplicates_of(
        (images["14-100"], images["14-101"], "near"),
        (images["14-101"], images["14-204"], "exact"),
        (images["14-102"], images["14-103"], "embedding"),
    )
    apart = {"joined": 0, "embedding": 0, "unmerged": 0}
    for merge in (True, False):
        table = make_folds(small_manifest, split_params(merge_duplicates=merge), 7, 3, 4, duplicates)
        part = table.pivot_table(index=["repeat", "fold"], columns="image", values="part", aggfunc="first")
        first = part[images["14-100"]]
        joined = (first != part[images["14-101"]]) | (first != part[images["14-204"]])
        apart["joined" if merge else "unmerged"] += int(joined.sum())
        apart["embedding"] += int((part[images["14-102"]] != part[images["14-103"]]).sum())
    assert apart["joined"] == 0
    assert apart["unmerged"] > 0
    assert apart["embedding"] > 0


def test_magnifications_and_group_are_those_of_the_parameters(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf
) -> None:
    params = split_params(group="folder", magnifications=[40])
    table = make_folds(small_manifest, params, 7, 3, 1, duplicates_of())
    assert set(table["image"]) == set(small_manifest.loc[small_manifest["magnification"] == 40, "image"])
    assert set(table["group"]) == {folder for folder in small_manifest["folder"] if folder.endswith("AB")}


def test_too_few_groups_for_the_folds_are_refused(
    small_manifest: pd.DataFrame, split_params: SplitMaker, duplicates_of: DuplicatesOf
) -> None:
    with pytest.raises(UserError, match="class Benign has 6 cases, fewer than the 7 parts fold 0, fold 1"):
        make_folds(small_manifest, split_params(), 7, 7, 1, duplicates_of())
    with pytest.raises(UserError, match=r"split\.validation 0\.5 and 2 folds leave nothing to train on"):
        make_folds(small_manifest, split_params(validation=0.5), 7, 2, 1, duplicates_of())


def test_balance_is_better_than_that_of_random_folds(full_folds: pd.DataFrame, full_manifest: pd.DataFrame) -> None:
    whole = full_manifest.set_index("image")
    tested = full_folds[(full_folds["part"] == "test") & (full_folds["repeat"] == 0)].set_index("image")["fold"]

    def imbalance(fold: pd.Series) -> float:
        counts = pd.crosstab(whole["subtype"], fold.reindex(whole.index))
        return float((counts.sub(counts.mean(axis=1), axis=0).abs().div(counts.mean(axis=1), axis=0)).mean().mean())

    cases = sorted(set(whole["case"]))
    random = np.random.default_rng(0)
    drawn = [dict(zip(cases, random.permutation(len(cases)) % 5, strict=True)) for _ in range(20)]
    assert imbalance(tested) < min(imbalance(whole["case"].map(fold_of)) for fold_of in drawn)
