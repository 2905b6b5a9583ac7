"""`data/duplicates.csv`: pairs of duplicates, their clusters, and the pairs that a person has looked at and waived."""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.datasets.fingerprints import Fingerprints
from bycase.datasets.orientations import turned_pairs
from bycase.datasets.pairs import (
    MOST_PAIRS,
    Pairs,
    TooManyPairsError,
    confirmed_pairs,
    cosines,
    exact_pairs,
    near_pairs,
    open_unit,
    similar_pairs,
)
from bycase.tables.results import read_table

DUPLICATES = Path("data/duplicates.csv")

KINDS = ("exact", "near", "turned", "embedding")

# Kinds that show one picture twice; embedding neighbours may be two pictures of one kind of tissue.
SAME_PICTURE = ("exact", "near", "turned")

COLUMNS = (
    "image_a",  # before image_b in the order of text
    "image_b",
    "kind",  # one of KINDS; the first that holds
    "distance",  # exact: 0; near, turned: bits, 0 to 64; embedding: 1 - cosine similarity
    "similarity",  # cosine of the reference features, whatever the kind
    "same_group",
    "same_label",
    "cluster",  # component over pairs of `SAME_PICTURE`, from 0; -1 for embedding pairs
)

WAYS_OUT = {
    "exact": "",
    "near": ", or lower audit.near_distance or raise audit.near_similarity in params.yaml",
    "turned": ", or lower audit.near_distance in params.yaml",
    "embedding": ", or raise audit.embedding_similarity in params.yaml",
}

Waived = Collection[Sequence[str]]


def find_duplicates(
    manifest: pd.DataFrame,
    fingerprints: Fingerprints,
    near_distance: int,
    near_similarity: float,
    embedding_similarity: float,
) -> pd.DataFrame:
    """All pairs of duplicate images.

    Parameters
    ----------
    manifest : DataFrame with the columns ``image``, ``label`` and ``group``
        In the order of ``fingerprints.images``.
    fingerprints : Fingerprints
        Of the same images.
    near_distance : int
        Most bits, 0 to 64, in which the perceptual hashes of near duplicates differ; likewise of turned ones.
    near_similarity : float
        Least cosine similarity, 0 to 1, of near duplicates: on photographs of one dark spot on plain skin,
        perceptual hashes agree by chance, and features do not.
    embedding_similarity : float
        Least cosine similarity, 0 to 1, of embedding neighbours.

    Returns
    -------
    DataFrame with the columns `COLUMNS`
        One row a pair, sorted by kind, then by names.

    Raises
    ------
    UserError
        If there are more than `bycase.datasets.pairs.MOST_PAIRS` of a kind.
    """
    unit = open_unit(fingerprints.features)
    searches: dict[str, Callable[[], Pairs]] = {
        "exact": lambda: exact_pairs(fingerprints.pixel_sha256),
        "near": lambda: confirmed_pairs(near_pairs(fingerprints.phash, near_distance), unit, near_similarity),
        "embedding": lambda: similar_pairs(unit, embedding_similarity),
    }
    thumbnails = fingerprints.thumbnails
    if thumbnails is not None:
        searches["turned"] = lambda: turned_pairs(thumbnails, near_distance)
    by_kind = {
        kind: _search(kind, search, manifest["image"].tolist()) for kind in KINDS if (search := searches.get(kind))
    }
    frame = pd.concat(
        [
            pd.DataFrame({"first": first, "second": second, "kind": kind, "distance": apart})
            for kind, (first, second, apart) in by_kind.items()
        ],
        ignore_index=True,
    ).drop_duplicates(["first", "second"])
    first, second = frame["first"].to_numpy(np.int64), frame["second"].to_numpy(np.int64)
    names = np.array([manifest["image"].to_numpy(object)[first], manifest["image"].to_numpy(object)[second]])
    names = np.sort(names, axis=0)
    labels, groups = manifest["label"].to_numpy(object), manifest["group"].to_numpy(object)
    frame = frame.assign(
        image_a=names[0],
        image_b=names[1],
        distance=frame["distance"].clip(lower=0).round(4),
        similarity=cosines(unit, first, second).round(4),
        same_group=groups[first] == groups[second],
        same_label=labels[first] == labels[second],
        rank=frame["kind"].map({kind: rank for rank, kind in enumerate(KINDS)}),
    ).sort_values(["rank", "image_a", "image_b"], ignore_index=True)
    return frame.assign(cluster=number_clusters(frame)).loc[:, list(COLUMNS)]


def _search(kind: str, search: Callable[[], Pairs], images: Sequence[str]) -> Pairs:
    try:
        return search()
    except TooManyPairsError as error:
        raise UserError(
            f"more than {MOST_PAIRS:,} {kind} pairs of images, {images[error.place]} in very many of them: leave blank "
            f"and repeated images out of the data set{WAYS_OUT[kind]}"
        ) from None


def number_clusters(pairs: pd.DataFrame) -> NDArray[np.int64]:
    """The cluster of every pair: images joined by pairs of `SAME_PICTURE`, directly or through others.

    Parameters
    ----------
    pairs : DataFrame with the columns ``image_a``, ``image_b`` and ``kind``

    Returns
    -------
    ndarray of shape (n_pairs,), int64
        Numbered from 0 in the order of the clusters' smallest images; -1 for embedding pairs.
    """
    same = pairs["kind"].isin(SAME_PICTURE).to_numpy(bool)
    numbers = np.full(len(pairs), -1, dtype=np.int64)
    if same.any():
        images, places = np.unique(pairs.loc[same, ["image_a", "image_b"]].to_numpy(str), return_inverse=True)
        places = places.reshape(-1, 2)
        numbers[same] = number_components(places[:, 0], places[:, 1], len(images))[places[:, 0]]
    return numbers


def number_components(first: NDArray[np.intp], second: NDArray[np.intp], n: int) -> NDArray[np.int64]:
    """The component of every one of `n` nodes, numbered in the order of their first nodes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n, n))
    _, components = connected_components(graph, directed=False)
    # SciPy does not promise any order of its numbers.
    numbers, _ = pd.factorize(components)
    return numbers.astype(np.int64)


def list_members(duplicates: pd.DataFrame) -> pd.DataFrame:
    """The images of every cluster: one row each, with the columns ``image`` and ``cluster``."""
    same = duplicates[duplicates["kind"].isin(SAME_PICTURE)]
    sides = [same[["cluster"]].assign(image=same[column]) for column in ("image_a", "image_b")]
    return pd.concat(sides, ignore_index=True).drop_duplicates()


def write_duplicates(duplicates: pd.DataFrame, path: Path = DUPLICATES) -> None:
    """Write the pairs in their order."""
    write_csv(path, duplicates.loc[:, list(COLUMNS)])


def read_duplicates(path: Path = DUPLICATES) -> pd.DataFrame:
    """Read the pairs of duplicates; a UserError says if the file or one of the `COLUMNS` is missing."""
    frame = read_table(path, "audit", dtype=dict.fromkeys(COLUMNS[:3], str))
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; run 'dvc repro -f audit'")
    # Of an empty table pandas cannot tell the types.
    return frame.astype(
        {"distance": float, "similarity": float, "same_group": bool, "same_label": bool, "cluster": "int64"}
    )


def without_waived(duplicates: pd.DataFrame, waived: Waived) -> pd.DataFrame:
    """The pairs of `SAME_PICTURE` that are not waived, in either order of their images."""
    same = duplicates[duplicates["kind"].isin(SAME_PICTURE)]
    allowed = {tuple(sorted(pair)) for pair in waived}
    pairs = zip(same["image_a"], same["image_b"], strict=True)
    return same[np.array([pair not in allowed for pair in pairs], dtype=bool)]


def parse_waivers(pairs: Sequence[Sequence[str]], images: Collection[str], key: str) -> list[tuple[str, str]]:
    """Read waived pairs and sort the two names of each.

    Parameters
    ----------
    pairs : sequence of two names each, in either order
        As in `params.yaml`.
    images : collection of str
        All images of the manifest, paths below ``data/restructured``.
    key : str
        Where in `params.yaml` the pairs stand, for messages.

    Returns
    -------
    list of (str, str)
        The smaller name first.

    Raises
    ------
    UserError
        If a pair is not two different images that exist.
    """
    known = set(images)
    checked = []
    for pair in pairs:
        if len(set(pair)) != 2 or len(pair) != 2:
            raise UserError(f"{key}: {write_waiver(*pair)} is not a list of two different images")
        for name in pair:
            if name not in known:
                raise UserError(f"{key}: no image {name} in data/manifest.csv; write it as there, or remove the waiver")
        first, second = sorted(pair)
        checked.append((first, second))
    return checked


def write_waiver(*pair: str) -> str:
    """A pair as it may stand in `params.yaml`."""
    return json.dumps(pair, ensure_ascii=False)
