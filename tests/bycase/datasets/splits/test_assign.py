import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.splits.folds import assign_groups

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
def test_shares_are_exact_where_they_can_be(seed: int) -> None:
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
