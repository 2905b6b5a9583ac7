import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.splits.nested import check_counts, group_labels, keep_training_groups, nested_order

# 60 training groups: 42 of a, 15 of b, 3 of c; group g0 has images of two classes, most of a.
LABELS = pd.Series(["a"] * 42 + ["b"] * 15 + ["c"] * 3, index=[f"g{number:02}" for number in range(60)])


def make_splits() -> tuple[pd.DataFrame, "pd.Series[str]"]:
    rows = [(f"{group}_{k}", "train", group) for group in LABELS.index for k in range(3)]
    rows += [(f"v{k}", "val", f"v{k}") for k in range(4)] + [(f"t{k}", "test", f"t{k}") for k in range(6)]
    splits = pd.DataFrame(rows, columns=["image", "part", "group"])
    labels = splits.set_index("image")["group"].map(LABELS).fillna("a")
    labels["g00_2"] = "b"
    return splits, labels


def test_a_groups_class_is_its_most_frequent_of_training_images_alone() -> None:
    pd.testing.assert_series_equal(group_labels(*make_splits()), LABELS, check_names=False)


def test_every_beginning_looks_like_the_whole() -> None:
    order = nested_order(LABELS, np.random.default_rng(0))
    assert sorted(order) == LABELS.index.tolist()
    assert LABELS[order[:3]].tolist() == ["a", "b", "c"]
    shares = LABELS.value_counts(normalize=True)
    for n in range(10, 61):
        taken = LABELS[order[:n]].value_counts()
        assert (taken - n * shares).abs().max() <= 1


def test_the_order_follows_from_the_random_numbers_alone() -> None:
    order = nested_order(LABELS, np.random.default_rng(0))
    assert nested_order(LABELS.sample(frac=1, random_state=1), np.random.default_rng(0)) == order
    assert nested_order(LABELS, np.random.default_rng(1)) != order


def test_smaller_sets_lie_in_larger_ones_and_nothing_else_changes() -> None:
    splits, labels = make_splits()
    order = nested_order(group_labels(splits, labels), np.random.default_rng(0))
    kept = {n: keep_training_groups(splits, order[:n]) for n in (5, 10, 20, 60)}
    for smaller, larger in ((5, 10), (10, 20), (20, 60)):
        assert set(kept[smaller]["image"]) < set(kept[larger]["image"])
    pd.testing.assert_frame_equal(kept[60], splits)
    for n, subset in kept.items():
        assert subset.loc[subset["part"] == "train", "group"].nunique() == n
        others = subset[subset["part"] != "train"].reset_index(drop=True)
        pd.testing.assert_frame_equal(others, splits[splits["part"] != "train"].reset_index(drop=True))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([2, 10], "--patients 2: there are 3 classes, and each needs one of the patients; give at least 3"),
        (
            [10, 61],
            "--patients 61: fold 1 has 60 training patients, since others are validation and test; give at most",
        ),
    ],
)
def test_numbers_that_cannot_be_are_named(counts: list[int], words: str) -> None:
    splits, labels = make_splits()
    more = splits.assign(part=splits["part"].replace("val", "train"))
    folds = pd.concat([more.assign(fold=0), splits.assign(fold=1)])
    with pytest.raises(UserError, match=words):
        check_counts(counts, folds, labels, "patients")
    check_counts([3, 60], folds, labels, "patients")
