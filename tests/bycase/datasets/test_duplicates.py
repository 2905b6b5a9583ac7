from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets import pairs
from bycase.datasets.audit_report import check_labels, make_report
from bycase.datasets.duplicates import (
    COLUMNS,
    find_duplicates,
    number_clusters,
    parse_waivers,
    read_duplicates,
    write_duplicates,
)
from bycase.datasets.fingerprints import Fingerprints
from bycase.datasets.splits.groups import join_duplicates, pairs_across

# exact: c = g, under two labels; near: a ~ b; embedding: d ~ e; f has a's perceptual hash but other features.
NAMES = ["a", "b", "c", "d", "e", "f", "g"]
MANIFEST = pd.DataFrame({"image": NAMES, "label": list("XXXXXXY"), "group": list("1123456")})
AXES = np.eye(8, dtype=np.float32)
FOUND = Fingerprints(
    NAMES,
    ["pa", "pb", "pc", "pd", "pe", "pf", "pc"],
    [f"{v:016x}" for v in (0, 0b111, 2**64 - 1, 0xF0F0F0F0F0F0F0F0, 0x00FF00FF00FF00FF, 0, 0xFFFF0000FFFF0000)],
    np.stack([AXES[0], AXES[0] + 0.3 * AXES[7], AXES[1], 5 * AXES[2], AXES[2] + 0.1 * AXES[7], AXES[3], AXES[1]]),
)


def planted(near_distance: int = 8, near: float = 0.9, embedding: float = 0.98) -> pd.DataFrame:
    return find_duplicates(MANIFEST, FOUND, near_distance, near, embedding)


def test_planted_duplicates_are_found_and_only_those() -> None:
    found = planted()
    assert list(found.columns) == list(COLUMNS)
    rows = found.drop(columns="similarity").to_numpy().tolist()
    assert rows == [
        ["c", "g", "exact", 0.0, False, False, 1],
        ["a", "b", "near", 3.0, True, True, 0],
        ["d", "e", "embedding", pytest.approx(0.005, abs=1e-3), False, True, -1],
    ]


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [
        ("exact", "leave blank and repeated images out of the data set$"),
        ("near", "lower audit.near_distance or raise audit.near_similarity in params.yaml$"),
        ("embedding", "raise audit.embedding_similarity in params.yaml$"),
    ],
)
def test_too_many_pairs_end_with_an_image_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch, kind: str, way_out: str
) -> None:
    monkeypatch.setattr(pairs, "MOST_PAIRS", 5)
    n = 5
    apart, same = [f"{3**20 * (k + 1) * 2**30 % 2**64:016x}" for k in range(n)], ["0" * 16] * n
    features = np.ones((n, 3), np.float32)
    many = Fingerprints(
        NAMES[:n],
        ["x"] * n if kind == "exact" else NAMES[:n],
        same if kind == "near" else apart,
        features,
    )
    with pytest.raises(UserError, match=rf"more than 5,000,000 {kind} pairs of images, a in very many.*{way_out}"):
        find_duplicates(MANIFEST[:n], many, 8 if kind == "near" else 0, 0.9, 0.98)


@pytest.mark.parametrize(
    ("thresholds", "kinds"),
    [
        ((2, 0.9, 0.98), ["exact", "embedding"]),
        ((8, 0.97, 0.98), ["exact", "embedding"]),
        ((8, 0.9, 0.999), ["exact", "near"]),
        ((2, 0.9, 0.9), ["exact", "embedding", "embedding"]),
        ((8, 0.0, 0.98), ["exact", "near", "near", "near", "embedding"]),
    ],
)
def test_thresholds_decide(thresholds: tuple[int, float, float], kinds: list[str]) -> None:
    assert planted(*thresholds)["kind"].tolist() == kinds


def test_table_survives_writing_and_reading_even_when_empty(tmp_path: Path) -> None:
    for frame in (planted(), planted().iloc[:0]):
        write_duplicates(frame, tmp_path / "duplicates.csv")
        pd.testing.assert_frame_equal(read_duplicates(tmp_path / "duplicates.csv"), frame, check_dtype=len(frame) > 0)
        pairs_across(pd.DataFrame({"image": ["a"], "part": ["test"]}), read_duplicates(tmp_path / "duplicates.csv"))
    with pytest.raises(UserError, match="none.csv not found: run 'dvc repro audit' first"):
        read_duplicates(tmp_path / "none.csv")


def test_no_duplicates_at_all() -> None:
    found = find_duplicates(
        MANIFEST.iloc[2:4], Fingerprints(["c", "d"], ["1", "2"], FOUND.phash[2:4], AXES[:2]), 8, 0.9, 0.9
    )
    assert found.empty
    assert make_report(found, 2, {}, ())["clusters"] == {"number": 0, "images": 0, "largest": 0}


def frame_of(*pairs: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(pairs, columns=["image_a", "image_b", "kind"]).assign(
        distance=0.0, similarity=1.0, same_group=False, same_label=True
    )
    return frame.assign(cluster=number_clusters(frame))


CHAIN = frame_of(
    ("m", "z", "exact"), ("b", "c", "near"), ("a", "b", "exact"), ("c", "m2", "embedding"), ("k", "z", "near")
)


def test_clusters_are_components_numbered_by_their_smallest_image() -> None:
    assert CHAIN["cluster"].tolist() == [1, 0, 0, -1, 1]


def test_groups_that_share_a_cluster_are_merged_under_their_smallest_name() -> None:
    groups = {"z": "g9", "a": "g5", "c": "g2", "m": "g3", "m2": "g7", "q": "g9", "y": "g1"}
    frame = pd.DataFrame({"image": list(groups), "group": list(groups.values())}, index=range(3, 10))
    merged = join_duplicates(frame, CHAIN)
    # b has no group and still joins a and c; q follows z, with which it shares a group; m2 is only similar.
    assert merged.tolist() == ["g3", "g2", "g2", "g3", "g7", "g3", "g1"]
    assert merged.index.equals(frame.index)
    pd.testing.assert_series_equal(join_duplicates(frame, CHAIN.iloc[::-1]), merged)
    pd.testing.assert_series_equal(join_duplicates(frame, CHAIN.iloc[:0]), frame["group"])


def test_pairs_straddle_where_one_side_alone_is_test() -> None:
    subsets = {"m": "test", "z": "train", "a": "test", "b": "test", "c": "val", "m2": "test", "k": "val"}
    frame = pd.DataFrame({"image": list(subsets), "part": list(subsets.values())})
    straddling = pairs_across(frame, CHAIN)
    assert straddling[["image_a", "image_b", "part_a", "part_b"]].to_numpy().tolist() == [
        ["m", "z", "test", "train"],
        ["b", "c", "test", "val"],
    ]
    assert pairs_across(frame, CHAIN, [("z", "m")])["image_a"].tolist() == ["b"]
    assert pairs_across(frame[~frame["image"].isin(["z", "c"])], CHAIN).empty


def test_report_counts_and_names() -> None:
    report = make_report(planted(), 7, {"near_distance": 8}, [("c", "g")])
    assert report["pairs"]["near"] == {
        "total": 1, "within_groups": 1, "across_groups": 0, "within_labels": 1, "across_labels": 0
    }  # fmt: skip
    assert report["pairs"]["exact"]["across_labels"] == 1
    assert report["clusters"] == {"number": 2, "images": 4, "largest": 2}
    assert report["cross_label"] == {"pairs": 1, "waived": 1, "names": ['["c", "g"]']}


def test_one_picture_under_two_labels_is_refused_unless_waived() -> None:
    with pytest.raises(
        UserError, match=r'^1 pairs .*\["c", "g"\].*metrics/audit.json.*audit.waive.busi.*or remove one'
    ):
        check_labels(planted(), [], "metrics/audit.json", "audit.waive.busi")
    check_labels(planted(), [("g", "c")], "metrics/audit.json")


def test_waivers_name_two_images_that_exist() -> None:
    assert parse_waivers([["g", "c"], ("a", "b")], NAMES, "audit.waive.x") == [("c", "g"), ("a", "b")]
    with pytest.raises(UserError, match="audit.waive.x: no image nobody in data/manifest.csv"):
        parse_waivers([["a", "nobody"]], NAMES, "audit.waive.x")
    for wrong in (["a", "a"], ["a"], ["a", "b", "c"], []):
        with pytest.raises(UserError, match="audit.waive.x: .* is not a list of two different images"):
            parse_waivers([wrong], NAMES, "audit.waive.x")
