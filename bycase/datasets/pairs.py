"""Pairs of images that are alike, found without a matrix of all pairs.

All searches are exact: they miss no pair within their threshold.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bycase.core.rows import RowFile, file_below

# Two positions (a < b) and a distance for each of n pairs.
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]

# Positions of a table's rows, or a stretch of them.
Rows = slice | NDArray[np.int64]

# Millions of pairs mean blank images or a threshold that is far too wide, and no one can read them.
MOST_PAIRS = 5_000_000

HASHES_AT_A_TIME = 1024
ROWS_AT_A_TIME = 2048
PAIRS_AT_A_TIME = 16_384

# Directions that features are first compared in, and how much rounding may take off the bound there.
DIRECTIONS = 64
SAMPLE = 4096
ROUNDING = 1e-5


class TooManyPairsError(Exception):
    """There are more than `MOST_PAIRS`; `place` is the position of an image that is in very many of them."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


class UnitRows:
    """Features in a file, read and scaled to length 1 as they are asked for: memory does not grow with the file.

    Parameters
    ----------
    features : RowFile of shape (n_images, ..., n_features)
        Not normalised; all numbers of an image count as one row.
    """

    def __init__(self, features: RowFile) -> None:
        self._features = features

    def __len__(self) -> int:
        return self._features.shape[0]

    def __getitem__(self, rows: Rows) -> NDArray[np.float32]:
        places = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        return unit_rows(self._features.read(places).reshape(len(places), -1))


Unit = NDArray[np.float32] | UnitRows


def exact_pairs(hashes: Sequence[str]) -> Pairs:
    """All pairs with the same hash, at distance 0.

    Parameters
    ----------
    hashes : sequence of str, n_images long

    Raises
    ------
    TooManyPairsError
        If there are more than `MOST_PAIRS`.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(hashes):
        places[value].append(place)
    alike = [np.array(each) for each in places.values() if len(each) > 1]
    if sum(len(each) * (len(each) - 1) // 2 for each in alike) > MOST_PAIRS:
        raise TooManyPairsError(int(max(alike, key=len)[0]))
    return _join(_all_pairs(each) for each in alike)


def _all_pairs(places: NDArray[np.int64]) -> Pairs:
    first, second = np.triu_indices(len(places), 1)
    return places[first], places[second], np.zeros(len(first))


def near_pairs(hashes: Sequence[str], distance: int) -> Iterator[Pairs]:
    """Yield the pairs whose perceptual hashes differ in at most `distance` bits, some at a time.

    Parameters
    ----------
    hashes : sequence of str, n_images long
        64 bits, 16 hexadecimal digits each.
    distance : int
        0 to 64.

    References
    ----------
    Douze et al., The Faiss library, arXiv:2401.08281 (2024): its exhaustive binary index.
    """
    # It tells at length which of its builds it tries.
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)
    import faiss

    bits = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64)
    for start in range(0, len(bits), HASHES_AT_A_TIME):
        chunk = bits[start : start + HASHES_AT_A_TIME]
        # Each chunk is compared with itself and those before it, so that no pair is looked at twice.
        index.add(chunk)
        limits, apart, first = index.range_search(chunk, distance + 1)
        second = np.repeat(np.arange(start, start + len(chunk)), np.diff(limits.astype(np.int64)))
        earlier = first < second
        yield first[earlier], second[earlier], apart[earlier].astype(np.float64)


def confirmed_pairs(candidates: Iterable[Pairs], unit: Unit, similarity: float) -> Pairs:
    """Those pairs of `candidates` whose features have a cosine similarity of at least `similarity`.

    Parameters
    ----------
    candidates : iterable of pairs
        Such as `near_pairs`; their distances are kept.
    unit : ndarray of shape (n_images, n_features), float32, or `UnitRows`
        Rows of length 1; see `unit_rows`.
    similarity : float
        -1 to 1.

    Raises
    ------
    TooManyPairsError
        If there are more than `MOST_PAIRS`.
    """

    def confirmed() -> Iterator[Pairs]:
        for first, second, apart in candidates:
            alike = cosines(unit, first, second) >= similarity
            yield first[alike], second[alike], apart[alike]

    return collect_pairs(confirmed())


def similar_pairs(unit: Unit, similarity: float) -> Pairs:
    """All pairs of rows with a cosine similarity of at least `similarity`; distance = 1 - cosine.

    Rows are first compared in their few main directions. With p the part of a row x within them and r the
    length of the rest, x.y <= p_x.p_y + r_x r_y (Cauchy-Schwarz): what fails there fails in full, so no
    pair is missed, at a fraction of the multiplications. Parameters and errors as of `confirmed_pairs`.
    """

    def similar() -> Iterator[Pairs]:
        for first, second in _bounded_pairs(_main_directions(unit), similarity):
            cosine = cosines(unit, first, second)
            alike = cosine >= similarity
            yield first[alike], second[alike], 1.0 - cosine[alike]

    return collect_pairs(similar())


def collect_pairs(pairs: Iterable[Pairs]) -> Pairs:
    """All pairs in one, unless they are too many."""
    kept, number = [], 0
    for chunk in pairs:
        kept.append(chunk)
        number += len(chunk[0])
        if number > MOST_PAIRS:
            first, second, _ = _join(kept)
            raise TooManyPairsError(int(np.bincount(np.concatenate([first, second])).argmax()))
    return _join(kept)


def _main_directions(unit: Unit) -> NDArray[np.float32]:
    """Coordinates in the main directions, and the length of what they leave out, of every row."""
    sample = unit[:: max(1, len(unit) // SAMPLE)]
    vectors = np.linalg.eigh(sample.T @ sample).eigenvectors
    directions: NDArray[np.float32] = vectors[:, -DIRECTIONS:].astype(np.float32)
    bounds = np.empty((len(unit), directions.shape[1] + 1), dtype=np.float32)
    for start in range(0, len(unit), ROWS_AT_A_TIME):
        rows = unit[start : start + ROWS_AT_A_TIME]
        within = rows @ directions
        bounds[start : start + len(rows), :-1] = within
        bounds[start : start + len(rows), -1] = np.linalg.norm(rows - within @ directions.T, axis=1)
    return bounds


def _bounded_pairs(
    bounds: NDArray[np.float32], similarity: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    for start in range(0, len(bounds), ROWS_AT_A_TIME):
        for other in range(start, len(bounds), ROWS_AT_A_TIME):
            block = bounds[start : start + ROWS_AT_A_TIME] @ bounds[other : other + ROWS_AT_A_TIME].T
            # Of a flat array the few true places are found in a fraction of the time.
            first, second = np.divmod(np.flatnonzero(block >= similarity - ROUNDING), block.shape[1])
            first, second = first + start, second + other
            later = second > first
            yield first[later], second[later]


def unit_rows(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows of shape (n_images, n_features) to length 1; a row of zeros, which is like nothing, stays."""
    lengths = np.sqrt(np.einsum("ij,ij->i", features, features))[:, None]
    return np.asarray(features / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def open_unit(features: NDArray[np.float32]) -> Unit:
    """Features of shape (n_images, n_features) with rows of length 1; those of a file stay there."""
    return UnitRows(row_file) if (row_file := file_below(features)) else unit_rows(features)


def cosines(unit: Unit, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosine similarity of the rows `first` with the rows `second`, each of shape (n_pairs,)."""
    result = np.empty(len(first))
    for start in range(0, len(first), PAIRS_AT_A_TIME):
        chunk = slice(start, start + PAIRS_AT_A_TIME)
        result[chunk] = np.einsum("ij,ij->i", unit[first[chunk]], unit[second[chunk]])
    return result


def _join(chunks: Iterable[Pairs]) -> Pairs:
    listed = list(chunks)
    if not listed:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    first, second, apart = (np.concatenate(column) for column in zip(*listed, strict=True))
    return first, second, apart
