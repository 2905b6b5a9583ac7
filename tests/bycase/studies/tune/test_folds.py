from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.studies.tune.context import inner_folds, read_search_data
from bycase.studies.tune.folds import (
    folds_of,
    make_tuning_folds,
    read_tuning_folds,
    take_pool,
    write_tuning_folds,
)
from bycase.studies.tune.search import made_from
from bycase.tables.manifest import write_manifest
from bycase.tables.splits import read_splits
from tests.fixtures.tune import make_manifest, make_splits


def test_folds_cover_the_pool_group_by_group(tuned: Any) -> None:
    params, _ = tuned()
    manifest, splits = make_manifest(), make_splits(make_manifest())
    pool = take_pool(splits, manifest)
    folds = make_tuning_folds(pool, params.split, 7, 3, 3)
    assert set(folds["outer"]) == {"final", "0", "1", "2"}
    for outer, rows in folds.groupby("outer"):
        assert sorted(rows["image"]) == pool["image"].tolist()
        assert set(rows["part"]) == {"inner0", "inner1", "inner2", *(["outer"] if outer != "final" else [])}
        assert not rows.drop_duplicates(["group", "part"])["group"].duplicated().any()
        labels = rows.merge(pool[["image", "label"]], on="image").groupby("part")["label"].nunique()
        assert (labels == 2).all()
    tested = folds[folds["part"] == "outer"]
    assert sorted(tested["image"]) == pool["image"].tolist()
    assert not set(folds["image"]) & set(splits.loc[splits["part"] == "test", "image"])


def test_a_poisoned_test_part_changes_nothing(tuned: Any) -> None:
    params, _ = tuned()
    manifest = make_manifest()
    splits = make_splits(manifest)
    test = splits["part"].eq("test").to_numpy()
    poisoned = manifest.copy()
    poisoned.loc[test, "label"] = "Poisoned"
    poisoned.loc[test, "sha256"] = "0"
    assert take_pool(splits, poisoned).equals(take_pool(splits, manifest))
    # Of the test part's images there is not even a file.
    before = make_tuning_folds(take_pool(splits, manifest), params.split, 7, 2, 2)
    assert make_tuning_folds(take_pool(splits, poisoned), params.split, 7, 2, 2).equals(before)


def test_a_search_depends_on_nothing_of_the_test_part(tuned: Any) -> None:
    params, tuning = tuned()
    before = made_from(params, tuning, read_search_data(params, "0"))
    manifest = make_manifest()
    test = make_splits(manifest)["part"].eq("test").to_numpy()
    swapped = manifest["label"].replace({"Benign": "Malignant", "Malignant": "Benign"})
    write_manifest(Path("data/manifest.csv"), manifest.assign(label=manifest["label"].where(~test, swapped)))
    assert made_from(params, tuning, read_search_data(params, "0")) == before
    write_manifest(Path("data/manifest.csv"), manifest.assign(label=manifest["label"].where(test, swapped)))
    assert made_from(params, tuning, read_search_data(params, "0")) != before


def test_inner_folds_train_on_what_they_are_not_scored_on(tuned: Any) -> None:
    params, _ = tuned()
    data = read_search_data(params, "1")
    groups = data.pool.set_index("image")["group"]
    assert len(data.inner) == 2
    for inner in data.inner:
        sides = [set(inner.train.images), set(inner.val.images), set(data.outer_images)]
        assert set.union(*sides) == set(data.pool["image"])
        for one in range(3):
            for other in range(one):
                assert not set(groups[list(sides[one])]) & set(groups[list(sides[other])])
    assert read_search_data(params, "final").outer_images.empty
    assert len(inner_folds(params, data.pool, data.folds)) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="group"), "column group missing"),
        (lambda frame: pd.concat([frame, frame.iloc[[0]]]), "stands twice in final"),
        (lambda frame: frame.assign(group="one"), "group one stands in several parts of 0"),
    ],
)
def test_what_straddles_is_refused_at_writing_and_reading(tuned: Any, change: Any, words: str) -> None:
    tuned()
    path = Path("data/tuning/folds.csv")
    frame = change(read_tuning_folds())
    with pytest.raises(UserError, match=words):
        write_tuning_folds(frame)
    frame.to_csv(path, index=False)
    with pytest.raises(UserError, match=words):
        read_tuning_folds()


def test_folds_of_another_split_or_search_are_refused(tuned: Any) -> None:
    tuned()
    splits, folds = read_splits(), read_tuning_folds()
    with pytest.raises(UserError, match="no search '7'; there are final, 0, 1"):
        folds_of("7", folds, splits)
    moved = splits.assign(part=splits["part"].replace({"test": "val", "val": "test"}))
    with pytest.raises(UserError, match="is of another split than data/splits.csv"):
        folds_of("0", folds, moved)


def test_too_few_groups_names_the_key(tuned: Any) -> None:
    params, _ = tuned()
    pool = take_pool(make_splits(make_manifest()), make_manifest())
    with pytest.raises(UserError, match=r"tuning/params.yaml: outer.folds: class Benign has 9 cases"):
        make_tuning_folds(pool, params.split, 7, 2, 12)
