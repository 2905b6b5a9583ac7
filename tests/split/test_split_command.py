import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from stages.common.manifest import MANIFEST, write_manifest
from stages.split.__main__ import main
from stages.split.table import PROTOCOL, SPLITS, read_protocol, read_splits

RunStage = Callable[..., subprocess.CompletedProcess[str]]
WriteParams = Callable[..., None]


@pytest.fixture
def with_manifest(project: Path, small_manifest: pd.DataFrame) -> Path:
    """A project with the small manifest."""
    write_manifest(MANIFEST, small_manifest)
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
    parts = {}
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
