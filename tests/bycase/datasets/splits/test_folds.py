from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.splits.folds import make_folds

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
