"""The benchmark of input batches, on few and small ones."""

from pathlib import Path

import pandas as pd
import pytest

from speed import input as benchmark


@pytest.mark.parametrize(("most", "numbers"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 4]), (6, [1, 2, 4, 6])])
def test_numbers_of_workers_double_up_to_all_cores(most: int, numbers: list[int]) -> None:
    assert benchmark.doubling(most) == numbers


def test_each_augmentation_alone_changes_what_its_name_says_and_nothing_else() -> None:
    for name, changes in benchmark.ALONE.items():
        chosen = benchmark.changes_of(name)
        assert chosen.model_dump(exclude=set(changes)) == benchmark.NOTHING.model_dump(exclude=set(changes))
        assert name in {"none", "geometry"} or set(changes) == {name}


def test_every_number_of_workers_and_augmentation_is_measured_beside_the_step(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    words = ["--size", "64", "--batch", "4", "--turns", "2", "--workers", "1", "2", "--model", "alexnet"]
    benchmark.main([*words, "--augmentations", "none", "stain_jitter", "params.yaml", "--csv", str(table)])
    rows = pd.read_csv(table)
    assert rows.columns.tolist() == ["workers", "augmentation", "images_per_second"]
    expected = [(number, name) for name in ("none", "stain_jitter", "params.yaml") for number in (1, 2)]
    assert list(zip(rows["workers"][:-1], rows["augmentation"][:-1], strict=True)) == expected
    assert rows["augmentation"].iloc[-1] == benchmark.STEP
    assert pd.isna(rows["workers"].iloc[-1])
    assert (rows["images_per_second"] > 0).all()
