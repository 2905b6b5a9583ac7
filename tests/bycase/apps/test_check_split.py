"""`bycase check-split`: what somebody else's split leaks."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bycase.apps.check_split import check_split, main, write_lines
from bycase.core.errors import UserError
from bycase.datasets.duplicates import write_duplicates
from bycase.datasets.splits.external import Supplied, match_images
from bycase.tables.manifest import MANIFEST, write_manifest

DuplicatesOf = Callable[..., pd.DataFrame]
WriteParams = Callable[..., None]
REPOSITORY = Path(__file__).parents[3]


def supplied_by(manifest: pd.DataFrame, part: pd.Series) -> Supplied:
    return match_images(pd.DataFrame({"image": manifest["image"], "part": part}), manifest)


def by_case(manifest: pd.DataFrame) -> pd.Series:
    """A clean split: cases 0 and 1 of a class in test, 2 in val, the others in train."""
    parts = {"0": "test", "1": "test", "2": "val"}
    return manifest["case"].str[-1].map(lambda digit: parts.get(digit, "train"))


@pytest.fixture(scope="module")
def like_forderation(full_manifest: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The 400X images, and parts as in forderation/breakhis-400x: every benign slide folder is in train."""
    manifest = full_manifest[full_manifest["magnification"] == 400]
    random = np.random.default_rng(0)
    place_in_folder = manifest.groupby("folder").cumcount()
    benign = manifest["label"] == "Benign"
    malignant_test = random.choice(sorted(set(manifest.loc[~benign, "case"])), 15, replace=False)
    in_test = (benign & (place_in_folder % 4 == 3)) | (~benign & manifest["case"].isin(malignant_test))
    return manifest, in_test.map({True: "test", False: "train"})


def test_all_benign_test_images_of_a_split_like_forderations_are_leaked(
    like_forderation: tuple[pd.DataFrame, pd.Series], full_manifest: pd.DataFrame, duplicates_of: DuplicatesOf
) -> None:
    manifest, part = like_forderation
    # The data's own run_info: were they otherwise, this split would not be like that archive.
    benign = manifest[manifest["label"] == "Benign"]
    assert (benign["folder"].nunique(), benign.loc[part == "train", "folder"].nunique()) == (24, 24)
    table = pd.DataFrame({"image": manifest["image"], "part": part})
    report = check_split(match_images(table, full_manifest), full_manifest, duplicates_of(), [])
    assert report["clean"] is False
    folder = report["groups"]["folder"]
    in_test = benign[part[benign.index] == "test"]
    assert folder["by_class"]["Benign"] == {"images": len(in_test), "seen": len(in_test)}
    assert folder["by_class"]["Malignant"]["seen"] == 0
    assert folder["names"] == sorted(set(in_test["folder"]))
    assert folder["seen_share"] == pytest.approx(len(in_test) / (part == "test").sum())
    assert report["groups"]["case"]["by_class"]["Benign"]["seen"] == len(in_test)
    # The file is about one magnification: that is said, and no leak.
    assert len(report["missing"]) == 7909 - 1820
    line = next(line for line in write_lines(report) if line.startswith("LEAK: folder"))
    assert f"Benign {len(in_test)}/{len(in_test)}, Malignant 0/" in line


def test_leak_by_case_alone_is_seen_where_folders_are_apart(
    small_manifest: pd.DataFrame, duplicates_of: DuplicatesOf
) -> None:
    part = by_case(small_manifest).mask(small_manifest["folder"] == "A-14-100AB", "train")
    report = check_split(supplied_by(small_manifest, part), small_manifest, duplicates_of(), [])
    assert report["groups"]["case"]["names"] == ["14-100"]
    # Two cases a class with four images each, of which one case has given two to train; its others have been seen.
    assert report["groups"]["case"]["by_class"] == {
        "Benign": {"images": 6, "seen": 2},
        "Malignant": {"images": 8, "seen": 0},
    }
    assert report["groups"]["folder"]["straddling"] == 0
    assert report["clean"] is False
    # `group` is `case` here, and a level is told once.
    assert list(report["groups"]) == ["case", "folder"]


def test_share_of_seen_test_images_is_that_of_a_plain_count(
    small_manifest: pd.DataFrame, duplicates_of: DuplicatesOf
) -> None:
    for seed in range(5):
        drawn = np.random.default_rng(seed).choice(["train", "val", "test"], len(small_manifest), p=[0.7, 0.15, 0.15])
        part = pd.Series(drawn, index=small_manifest.index)
        report = check_split(supplied_by(small_manifest, part), small_manifest, duplicates_of(), [])
        rows = list(zip(small_manifest["folder"], part, strict=True))
        tested = [folder for folder, of in rows if of == "test"]
        seen = [folder for folder in tested if any(other == folder and of != "test" for other, of in rows)]
        assert report["groups"]["folder"]["seen_images"] == len(seen)
        assert report["groups"]["folder"]["seen_share"] == pytest.approx(len(seen) / len(tested))


def test_validation_stands_for_a_test_part_that_is_not_there(
    small_manifest: pd.DataFrame, duplicates_of: DuplicatesOf
) -> None:
    part = by_case(small_manifest).replace({"test": "val"})
    clean = check_split(supplied_by(small_manifest, part), small_manifest, duplicates_of(), [])
    assert clean["clean"] is True
    first = small_manifest.index[0]
    leaking = check_split(
        supplied_by(small_manifest, part.mask(part.index == first, "train")), small_manifest, None, []
    )
    assert leaking["groups"]["case"]["seen_images"] == 3
    assert "3 of 23 val images" in "".join(write_lines(leaking))


@pytest.mark.parametrize("kind", ["exact", "near", "embedding"])
@pytest.mark.parametrize("waive", [False, True])
def test_duplicates_in_test_and_train_are_named_unless_waived(
    small_manifest: pd.DataFrame, duplicates_of: DuplicatesOf, kind: str, waive: bool
) -> None:
    part = by_case(small_manifest)
    pair = (small_manifest.loc[part == "test", "image"].iloc[0], small_manifest.loc[part == "train", "image"].iloc[0])
    report = check_split(
        supplied_by(small_manifest, part), small_manifest, duplicates_of((*pair, kind)), [pair] if waive else []
    )
    leaks = kind != "embedding" and not waive
    assert report["duplicates"]["pairs"] == ([list(pair)] if leaks else [])
    assert report["clean"] is not leaks
    assert report["duplicates"]["waived"] == (kind != "embedding" and waive)
    assert (" = ".join(pair) in "".join(write_lines(report))) is leaks


def check(*arguments: str) -> int:
    """The exit status of the command, here; a mistake of the user is raised."""
    try:
        main(list(arguments))
    except SystemExit as ended:
        return int(str(ended.code))
    return 0


def run_check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bycase", "check-split", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def checked(project: Path, small_manifest: pd.DataFrame, duplicates_of: DuplicatesOf) -> Path:
    write_manifest(MANIFEST, small_manifest)
    write_duplicates(duplicates_of())
    table = pd.DataFrame({"image": small_manifest["image"], "part": by_case(small_manifest)})
    table.to_csv(project / "clean.csv", index=False)
    table.assign(part=["test", *table["part"][1:-1], "test"]).to_csv(project / "leaking.csv", index=False)
    return project


def test_command_ends_with_0_for_a_clean_and_1_for_a_leaking_file(checked: Path) -> None:
    ended = run_check(checked, "clean.csv")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "clean"
    ended = run_check(checked, "leaking.csv", "--json", "report.json")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.splitlines()[-1] == "NOT CLEAN"
    report: dict[str, Any] = json.loads((checked / "report.json").read_text())
    assert report["groups"]["case"]["names"] == ["14-205"]
    assert "LEAK: case: 1 in more than one part; 1 of 17 test images" in ended.stdout
    assert "14-205" in ended.stdout


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("zz.png,train\n", "NOT CHECKED: 1 names that are of no image, slide folder or patient: zz.png"),
        ("SOB_B_A-14-100AB-40-001,train\n", "LEAK: 1 images in more than one part: Benign/SOB_B_A-14-100AB-40-001.png"),
    ],
)
def test_command_names_images_that_it_cannot_place(
    checked: Path, capsys: pytest.CaptureFixture[str], rows: str, said: str
) -> None:
    with (checked / "clean.csv").open("a") as file:
        file.write(rows)
    assert check("clean.csv") == 1
    assert said in capsys.readouterr().out


def test_command_names_missing_images_and_leaves_the_file_clean(
    checked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (checked / "clean.csv").read_text().splitlines(keepends=True)
    (checked / "clean.csv").write_text("".join(lines[:-1]))
    assert check("clean.csv") == 0
    said = capsys.readouterr().out
    assert f"note: 1 images of the manifest that the file does not name: {lines[-1].split(',')[0]}" in said


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("none.csv", None, "none.csv not found"),
        (
            "other.csv",
            "image,part\nx,train\ny,test\n",
            "names no image of data/manifest.csv: is it of another data set?",
        ),
        ("Folds.csv", "fold,mag,grp,filename\n1,40,train,a\n2,40,test,a\n", "names no image of data/manifest.csv"),
        ("no.csv", "image,label\na,b\n", "no.csv has the columns image, label, of which none is known to hold parts"),
        ("no.csv", "image,part\na,dev1\n", "no.csv: image a has part 'dev1'; valid are train"),
        ("no.json", "{", "no.json is no JSON"),
        ("no.yaml", "a: [", "no.yaml is no YAML"),
        ("no.txt", "14-22549\n", "no.txt names nothing in train, val or test: give a table"),
    ],
)
def test_command_refuses_what_it_cannot_check(checked: Path, file: str, text: str | None, message: str) -> None:
    if text:
        (checked / file).write_text(text)
    with pytest.raises(UserError, match=re.escape(message)):
        main([file])


def test_duplicates_are_left_unchecked_only_where_asked_for(checked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checked / "data/duplicates.csv").unlink()
    ended = run_check(checked, "clean.csv")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "check-split: error: data/duplicates.csv not found: run 'dvc repro audit' first\n"
    assert check("clean.csv", "--without-duplicates") == 0
    assert "NOT CHECKED: duplicates" in capsys.readouterr().out


def test_without_a_manifest_breakhis_is_told_by_its_names(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        (f"SOB_B_A-14-22549{block}-40-00{n}.png", part)
        for block, part in (("AB", "train"), ("CD", "test"))
        for n in "12"
    ]
    pd.DataFrame([*rows, ("x.png", "test")], columns=["image", "part"]).to_csv("split.csv", index=False)
    assert check("split.csv") == 1
    said = capsys.readouterr().out
    assert said.startswith("by names alone, as BreakHis has them; there is no data/manifest.csv\n")
    assert "LEAK: case: 1 in more than one part; 2 of 2 test images (100.0%)" in said
    assert "folder: none in more than one part" in said
    assert "NOT CHECKED: 1 names that are of no image, slide folder or patient: x.png" in said


def test_every_fold_is_checked_by_itself(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folds.txt").write_text("Fold 1\ntest: 14-22549AB\nFold 2\ntest: 14-22549\n")
    assert check("folds.txt", "--without-images", "--magnification", "40", "--json", "all.json") == 1
    folds = json.loads(Path("all.json").read_text())["folds"]
    assert [folds[fold]["clean"] for fold in "12"] == [False, True]
    assert folds["1"]["counts"] == {"train": 1966, "val": 0, "test": 29}
    assert folds["1"]["groups"]["case"]["seen_images"] == 29
    assert (
        "fold 2:\ntrain: 1896 images, val: 0 images, test: 99 images\nnames: 1 patients (cases)\n"
        in capsys.readouterr().out
    )


def test_columns_are_given_by_option(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("split.csv").write_text("who,grp2\n14-22549,train\n14-4364,test\n")
    assert check("split.csv", "--without-images", "--patient", "who", "--part", "grp2") == 0
    assert "names: 2 patients (cases)" in capsys.readouterr().out
    with pytest.raises(UserError, match="--part grp: split.csv has no such column; there are who, grp2"):
        main(["split.csv", "--patient", "who", "--part", "grp"])


def test_names_of_another_data_set_have_a_way_out(project: Path) -> None:
    Path("split.csv").write_text("image,part\nISIC_1,train\nISIC_2,test\n")
    with pytest.raises(UserError, match=r"no image, slide folder or patient of BreakHis \(the first is ISIC_1\): for"):
        main(["split.csv"])
