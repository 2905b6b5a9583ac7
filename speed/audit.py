"""`python -m speed.audit`: seconds of the duplicate searches on synthetic hashes and features, and their recall.

Features come in clusters of ten, in 1,280 dimensions whose spread falls off as that of a real backbone's.
Both searches are exact; recall is checked against brute force on 500 rows all the same.
"""

import resource
import sys
import time

import numpy as np
from numpy.typing import NDArray

from bycase.datasets.pairs import near_pairs, similar_pairs, unit_rows

DISTANCE, SIMILARITY = 8, 0.96
CHECKED = 500


def make_hashes(n: int, random: np.random.Generator) -> NDArray[np.uint64]:
    """Random 64-bit hashes, one in ten of which is another one with up to 8 bits flipped."""
    values = random.integers(0, 2**64, n, dtype=np.uint64)
    for place in range(0, n - 1, 10):
        flips = random.integers(0, 64, 8, dtype=np.uint64)
        values[place + 1] = values[place] ^ np.bitwise_or.reduce(np.uint64(1) << flips)
    return values


def make_features(n: int, random: np.random.Generator, features: int = 1280) -> NDArray[np.float32]:
    """Unit rows of shape (n, features) in clusters of ten."""
    scale = (1 / np.sqrt(np.arange(1, features + 1))).astype(np.float32)
    rows = np.repeat(random.standard_normal((n // 10, features), np.float32), 10, axis=0)
    rows += 0.15 * random.standard_normal(rows.shape, np.float32)
    rows *= scale
    return unit_rows(rows)


def main() -> None:
    """Print one row a size."""
    random = np.random.default_rng(0)
    print(f"{'images':>8} {'search':>10} {'pairs':>9} {'seconds':>8} {'recall':>7} {'peak MB':>8}")  # noqa: T201
    for n in [int(size) for size in sys.argv[1:]] or [10_000, 100_000]:
        values = make_hashes(n, random)
        hashes = [f"{value:016x}" for value in values]
        started = time.perf_counter()
        pairs_found = {
            pair for a, b, _ in near_pairs(hashes, DISTANCE) for pair in zip(a.tolist(), b.tolist(), strict=True)
        }
        seconds = time.perf_counter() - started
        rows = np.arange(0, n, n // CHECKED)[:CHECKED]
        close = [np.nonzero(np.bitwise_count(values ^ values[row]) <= DISTANCE)[0] for row in rows]
        _print(n, "phash", len(pairs_found), seconds, _recall(rows, close, pairs_found))

        unit = make_features(n, random)
        started = time.perf_counter()
        first, second, _ = similar_pairs(unit, SIMILARITY)
        seconds = time.perf_counter() - started
        pairs_found = set(zip(first.tolist(), second.tolist(), strict=True))
        close = [np.nonzero(each >= SIMILARITY)[0] for each in unit[rows] @ unit.T]
        _print(n, "embedding", len(pairs_found), seconds, _recall(rows, close, pairs_found))


def _recall(rows: NDArray[np.int64], close: list[NDArray[np.int64]], pairs_found: set[tuple[int, int]]) -> float:
    expected = {
        (min(row, other), max(row, other))
        for row, others in zip(rows.tolist(), close, strict=True)
        for other in others.tolist()
        if other != row
    }
    return len(expected & pairs_found) / max(1, len(expected))


def _print(n: int, search: str, pairs: int, seconds: float, recall: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{n:>8} {search:>10} {pairs:>9} {seconds:>8.2f} {recall:>7.4f} {peak:>8.0f}")  # noqa: T201


if __name__ == "__main__":
    main()
