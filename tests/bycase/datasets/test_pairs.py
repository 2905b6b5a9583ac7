from pathlib import Path

import numpy as np
import pytest

from bycase.core import rows
from bycase.datasets import pairs
from bycase.datasets.pairs import (
    TooManyPairsError,
    confirmed_pairs,
    exact_pairs,
    near_pairs,
    open_unit,
    similar_pairs,
    unit_rows,
)


def as_set(found: pairs.Pairs) -> set[tuple[int, int, float]]:
    return {(int(a), int(b), round(float(d), 4)) for a, b, d in zip(*found, strict=True)}


def clustered(n: int, features: int = 200, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(n // 4, features))
    return unit_rows((np.repeat(centres, 4, axis=0) + 0.2 * random.normal(size=(n, features))).astype(np.float32))


def test_exact_pairs_are_all_pairs_of_one_hash() -> None:
    assert as_set(exact_pairs(["x", "y", "x", "z", "x", "y"])) == {(0, 2, 0), (0, 4, 0), (2, 4, 0), (1, 5, 0)}
    assert as_set(exact_pairs(["x", "y"])) == set()


@pytest.mark.parametrize("distance", [0, 8, 20])
def test_near_pairs_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch, distance: int) -> None:
    monkeypatch.setattr(pairs, "HASHES_AT_A_TIME", 64)
    random = np.random.default_rng(1)
    hashes = [f"{value:016x}" for value in random.integers(0, 2**64, 300, dtype=np.uint64)]
    hashes += [
        hashes[3],
        f"{int(hashes[5], 16) ^ 0x1010:016x}",
        f"{int(hashes[299], 16) ^ 0xFF:016x}",
        "0" * 16,
        "f" * 16,
    ]
    values = [int(value, 16) for value in hashes]
    expected = {
        (a, b, (values[a] ^ values[b]).bit_count())
        for b in range(len(values))
        for a in range(b)
        if (values[a] ^ values[b]).bit_count() <= distance
    }
    found = [pair for chunk in near_pairs(hashes, distance) for pair in as_set(chunk)]
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert (3, 300, 0) in expected


@pytest.mark.parametrize("similarity", [0.5, 0.9, 0.96, 0.99])
@pytest.mark.parametrize("directions", [2, 64, 500])
def test_similar_pairs_are_those_of_brute_force(
    monkeypatch: pytest.MonkeyPatch, similarity: float, directions: int
) -> None:
    monkeypatch.setattr(pairs, "DIRECTIONS", directions)
    monkeypatch.setattr(pairs, "ROWS_AT_A_TIME", 100)
    monkeypatch.setattr(pairs, "SAMPLE", 50)
    unit = clustered(360)
    unit[7] = unit[300]
    unit[8] = 0
    first, second = np.nonzero(np.triu(unit.astype(np.float64) @ unit.T.astype(np.float64), 1) >= similarity)
    found = as_set(similar_pairs(unit, similarity))
    assert {pair[:2] for pair in found} == set(zip(first.tolist(), second.tolist(), strict=True))
    assert (7, 300) in {pair[:2] for pair in found}


def test_features_in_a_file_give_the_same_pairs_as_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS_AT_A_TIME", 100)
    features = 3 * clustered(360)
    features[8] = 0
    np.save(tmp_path / "partial.npy", features[:, None])
    partial = np.load(tmp_path / "partial.npy", mmap_mode="r")[:, 0]
    rows.save_rows(tmp_path / "whole.npy", partial)
    assert (np.load(tmp_path / "whole.npy") == features).all()
    expected = as_set(similar_pairs(unit_rows(features), 0.9))
    for array in (partial, np.load(tmp_path / "whole.npy", mmap_mode="r")):
        unit = open_unit(array)
        assert isinstance(unit, pairs.UnitRows)
        assert as_set(similar_pairs(unit, 0.9)) == expected
    assert as_set(similar_pairs(open_unit(features), 0.9)) == expected
    assert expected


def test_candidates_are_kept_only_where_features_agree() -> None:
    unit = unit_rows(np.array([[1, 0], [1, 0.1], [0, 1]], dtype=np.float32))
    candidates = [(np.array([0, 0]), np.array([1, 2]), np.array([3.0, 0.0]))]
    assert as_set(confirmed_pairs(candidates, unit, 0.9)) == {(0, 1, 3.0)}
    assert as_set(confirmed_pairs([], unit, 0.9)) == set()


def test_too_many_pairs_are_refused_and_one_of_their_images_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_PAIRS", 5)
    unit = unit_rows(np.array([[1, 0, -1], *[[1, 1, 1]] * 4], dtype=np.float32))
    for search in (
        lambda: exact_pairs(["y", *["x"] * 4]),
        lambda: confirmed_pairs(near_pairs(["0" * 16] * 5, 8), unit, 0.9),
        lambda: similar_pairs(unit, 0.9),
    ):
        with pytest.raises(TooManyPairsError) as caught:
            search()
        assert caught.value.place == 1
