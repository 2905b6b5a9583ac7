import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bycase.datasets.duplicates import DUPLICATES, write_duplicates, write_waiver
from bycase.tables.manifest import MANIFEST, write_manifest
from bycase.tables.splits import PROTOCOL, SPLITS, read_protocol, read_splits
from stages.split import main

RunStage = Callable[..., subprocess.CompletedProcess[str]]
WriteParams = Callable[..., None]
DuplicatesOf = Callable[..., pd.DataFrame]


@pytest.fixture
def with_manifest(project: Path, small_manifest: pd.DataFrame, duplicates_of: DuplicatesOf) -> Path:
    """A project with the small manifest, of which no two images are alike."""
    write_manifest(MANIFEST, small_manifest)
    write_duplicates(duplicates_of())
    return project


def test_split_by_case_writes_the_parts_and_their_protocol_without_a_warning(
    with_manifest: Path, small_manifest: pd.DataFrame, run_stage_process: RunStage
) -> None:
    ended = run_stage_process("split", with_manifest)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert [line.split(":")[:2] for line in ended.stderr.splitlines()] == [
        ["split", " train"],
        ["split", " val"],
        ["split", " test"],
    ]
    splits = read_splits()
    case_of = small_manifest.set_index("image")["case"]
    assert splits["group"].tolist() == case_of[splits["image"]].tolist()
    protocol = read_protocol()
    assert (protocol["dataset"], protocol["group"], protocol["seed"]) == ("phantom", "case", 7)
    assert (protocol["patient_disjoint"], protocol["cases_on_both_sides"]) == (True, 0)
    counts = {part: counts["images"] for part, counts in protocol["counts"].items()}
    assert counts == splits["part"].value_counts().to_dict()


def test_split_by_image_warns_loudly_that_scores_will_be_too_good(
    with_manifest: Path, write_params: WriteParams, run_stage_process: RunStage
) -> None:
    write_params({"split.group": "image"})
    ended = run_stage_process("split", with_manifest)
    assert ended.returncode == 0
    protocol = json.loads(PROTOCOL.read_text())
    assert protocol["patient_disjoint"] is False
    assert protocol["cases_on_both_sides"] > 0
    assert (
        f"split: WARNING: {protocol['cases_on_both_sides']} cases have images in test and in training or validation "
        "(split.group: image). The scores will be too good" in ended.stderr
    )


def test_too_few_groups_end_with_one_line_and_no_output(
    with_manifest: Path, small_manifest: pd.DataFrame, run_stage_process: RunStage
) -> None:
    few = small_manifest[small_manifest["label"].eq("Malignant") | small_manifest["case"].isin(["14-100", "14-101"])]
    write_manifest(MANIFEST, few)
    ended = run_stage_process("split", with_manifest)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("split: error: class Benign has 2 cases, fewer than the 3 parts")
    assert not SPLITS.exists()
    assert not PROTOCOL.exists()


def test_seed_of_the_parameters_decides(with_manifest: Path, write_params: WriteParams) -> None:
    parts: dict[int, bytes] = {}
    for seed in (1, 2, 3, 1):
        write_params({"seed": seed})
        main()
        content = SPLITS.read_bytes()
        assert parts.setdefault(seed, content) == content
        assert read_protocol()["seed"] == seed
    assert len(set(parts.values())) == 3


def test_official_fold_is_found_in_the_raw_folder(
    with_manifest: Path, small_manifest: pd.DataFrame, write_params: WriteParams
) -> None:
    fold = Path("data/raw/phantom/BreaKHis_v1/dsfold4.txt")
    fold.parent.mkdir(parents=True)
    in_test = small_manifest["case"].isin({"14-103", "14-203"})
    names = small_manifest["source"].str.rsplit("/", n=1).str[-1]
    fold.write_text("".join(f"{n}|40|4|{'test' if t else 'train'}\n" for n, t in zip(names, in_test, strict=True)))
    write_params({"split.protocol": "official", "split.official_fold": 4})
    main()
    splits = read_splits()
    assert set(splits.loc[splits["part"] == "test", "group"]) == {"14-103", "14-203"}
    assert set(splits["fold"]) == {4}
    assert read_protocol()["fold"] == 4


def test_missing_duplicates_name_the_stage_that_makes_them(with_manifest: Path, run_stage_process: RunStage) -> None:
    DUPLICATES.unlink()
    ended = run_stage_process("split", with_manifest)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "split: error: data/duplicates.csv not found: run 'dvc repro audit' first\n"
    assert not SPLITS.exists()


def test_number_of_merged_groups_is_said_and_written(
    with_manifest: Path, small_manifest: pd.DataFrame, duplicates_of: DuplicatesOf, run_stage_process: RunStage
) -> None:
    images = small_manifest.drop_duplicates("case")["image"].tolist()
    write_duplicates(duplicates_of((images[0], images[1], "exact"), (images[1], images[2], "near")))
    ended = run_stage_process("split", with_manifest)
    assert ended.returncode == 0
    assert "split: 3 groups share duplicates and were merged with others" in ended.stderr
    assert read_protocol()["merged_groups"] == 3
    groups = read_splits().set_index("image")["group"]
    assert groups[images[0]] == groups[images[1]] == groups[images[2]] == "14-100"


def test_waived_pair_on_both_sides_passes_with_a_warning(
    with_manifest: Path,
    small_manifest: pd.DataFrame,
    duplicates_of: DuplicatesOf,
    write_params: WriteParams,
    run_stage_process: RunStage,
) -> None:
    write_params({"split.merge_duplicates": False})
    main()
    part = read_splits().set_index("image")["part"]
    pair = (part.index[part == "test"][0], part.index[part == "train"][0])
    write_duplicates(duplicates_of((*pair, "near")))
    ended = run_stage_process("split", with_manifest)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert write_waiver(*sorted(pair)) in ended.stderr
    write_params({"split.merge_duplicates": False, "audit.waive": {"phantom": [list(pair)]}})
    ended = run_stage_process("split", with_manifest)
    assert ended.returncode == 0
    assert "WARNING: 1 pairs of duplicates stand in test and in training or validation" in ended.stderr
    assert read_protocol()["duplicates_on_both_sides"] == 1


def test_split_file_and_fold_of_the_parameters_are_used(
    with_manifest: Path, small_manifest: pd.DataFrame, write_params: WriteParams
) -> None:
    parts = {"0": "test", "1": "validation"}
    part = small_manifest["case"].str[-1].map(lambda digit: parts.get(digit, "train"))
    pd.DataFrame({"image": small_manifest["image"], "part": part}).to_csv("mine.csv", index=False)
    write_params({"split.protocol": "file", "split.file": "mine.csv"})
    main()
    splits = read_splits()
    assert set(splits.loc[splits["part"] == "test", "group"]) == {"14-100", "14-200"}
    assert set(splits.loc[splits["part"] == "val", "group"]) == {"14-101", "14-201"}
    tested: list[str] = []
    for fold in range(3):
        write_params({"split.protocol": "kfold", "split.folds": 3, "split.fold": fold})
        main()
        splits = read_splits()
        assert set(splits["fold"]) == {fold}
        tested += splits.loc[splits["part"] == "test", "image"].tolist()
    assert sorted(tested) == sorted(small_manifest["image"])
