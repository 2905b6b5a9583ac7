"""What names mean: images, slide folders, patients; of a manifest, or of BreakHis by name alone."""

import pandas as pd
import pytest

from bycase.datasets.layouts.breakhis import FULL_COUNTS
from bycase.datasets.published.breakhis import name_images
from bycase.datasets.splits.places import manifest_by_names, match_names
from tests.fixtures.split import manifest_from_names

ALL = name_images()


def table(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["name", "part"])


def test_counts_of_the_slide_folders_are_the_published_ones(full_manifest: pd.DataFrame) -> None:
    columns = ["label", "subtype", "magnification", "folder", "case"]
    ours, theirs = ALL[columns].value_counts(), full_manifest[columns].value_counts()
    assert ours.to_dict() == theirs.to_dict()


def test_counts_are_those_of_the_paper_and_82_slide_folders_of_70_cases() -> None:
    assert ALL.groupby(["label", "magnification"]).size().to_dict() == FULL_COUNTS
    assert (ALL["folder"].nunique(), ALL["image"].is_unique) == (82, True)


@pytest.mark.parametrize(
    ("name", "unit", "folders"),
    [
        ("SOB_B_A-14-22549AB", "folder", {"A-14-22549AB"}),
        ("SOB_B_A_14-22549AB", "folder", {"A-14-22549AB"}),
        ("breast/benign/SOB/adenosis/SOB_B_A_14-22549AB/", "folder", {"A-14-22549AB"}),
        ("A-14-22549AB", "folder", {"A-14-22549AB"}),
        ("14-22549ab", "folder", {"A-14-22549AB"}),
        ("22549AB", "folder", {"A-14-22549AB"}),
        ("14-22549", "case", {"A-14-22549AB", "A-14-22549CD", "A-14-22549G"}),
        ("22549", "case", {"A-14-22549AB", "A-14-22549CD", "A-14-22549G"}),
        ("14-13412", "case", {"DC-14-13412", "LC-14-13412"}),
        ("SOB_M_LC-14-13412", "folder", {"LC-14-13412"}),
        ("PC-15-190EF", "folder", {"PC-15-190EF"}),
    ],
)
def test_a_name_of_a_slide_or_a_patient_stands_for_its_images(name: str, unit: str, folders: set[str]) -> None:
    supplied = match_names(table((name, "train")), ALL)
    assert supplied.units == {unit: 1}
    assert set(supplied.subsets.index) == set(ALL.loc[ALL["folder"].isin(folders), "image"])


def test_one_part_alone_leaves_the_rest_for_training() -> None:
    supplied = match_names(table(("14-22549", "test"), ("no such", "test")), ALL)
    assert supplied.complement
    assert supplied.subsets.value_counts().to_dict() == {"train": 7909 - 383, "test": 383}
    assert supplied.unknown == ["no such"]


def test_a_slide_and_its_patient_in_two_parts_is_found() -> None:
    supplied = match_names(table(("14-22549", "train"), ("14-22549AB", "test")), ALL)
    assert len(supplied.in_several) == 121
    assert not set(supplied.in_several) & set(supplied.subsets.index)


def test_names_alone_make_a_manifest() -> None:
    names = ["a/SOB_B_A-14-22549AB-40-001.png", "SOB_B_A-14-22549CD-40-001.jpg", "SOB_M_DC-14-1-40-001.png"]
    frame = manifest_by_names(names)
    assert frame["folder"].tolist() == ["A-14-22549AB", "A-14-22549CD"]
    supplied = match_names(table(*((name, "train") for name in names)), frame)
    assert len(supplied.subsets) == 2
    assert supplied.unknown == ["SOB_M_DC-14-1-40-001.png"]  # of no published slide folder
    assert len(manifest_by_names(["14-22549AB"], [40])) == 1995


def test_images_come_before_folders_of_the_same_name() -> None:
    manifest = manifest_from_names(["SOB_B_A-14-1-40-001.png", "SOB_B_A-14-2-40-001.png"])
    manifest["case"] = ["SOB_B_A-14-2-40-001.png", "p"]
    supplied = match_names(table(("SOB_B_A-14-2-40-001.png", "test"), ("p", "train")), manifest)
    assert supplied.in_several == ["Benign/SOB_B_A-14-2-40-001.png"]
