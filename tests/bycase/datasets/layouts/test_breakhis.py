from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.layouts.breakhis import FULL_COUNTS, FULL_IMAGES, check_full, parse_name, read_layout
from bycase.datasets.layouts.listing import PublishedImage, label_by_subtype

# Table 1 of Spanhol et al. 2016.
PUBLISHED_COUNTS = {
    ("Benign", 40): 625,
    ("Benign", 100): 644,
    ("Benign", 200): 623,
    ("Benign", 400): 588,
    ("Malignant", 40): 1370,
    ("Malignant", 100): 1437,
    ("Malignant", 200): 1390,
    ("Malignant", 400): 1232,
}
PLACE = Path("BreaKHis_v1/histology_slides/breast/malignant/SOB/ductal_carcinoma/SOB_M_DC_14-2980/40X")


@pytest.fixture(scope="module")
def all_images(shared: Path) -> list[PublishedImage]:
    names = (shared / "data/breakhis_all_names.txt").read_text().split()
    return [parse_name(name) for name in names]


def test_all_published_names_parse_into_the_published_counts(all_images: list[PublishedImage]) -> None:
    assert len({image.source for image in all_images}) == 7909
    assert Counter((image.label, image.magnification) for image in all_images) == PUBLISHED_COUNTS
    assert FULL_IMAGES == 7909
    check_full(pd.DataFrame(all_images))


def test_published_names_are_of_82_slide_folders_and_70_cases(all_images: list[PublishedImage]) -> None:
    folders = {image.folder: image for image in all_images}
    assert len(folders) == 82
    assert Counter(image.label for image in folders.values()) == {"Benign": 24, "Malignant": 58}
    assert len({image.case for image in all_images}) == 70
    assert {image.subtype for image in all_images} == {"A", "F", "PT", "TA", "DC", "LC", "MC", "PC"}


def test_cases_of_several_folders_are_the_known_ones(all_images: list[PublishedImage]) -> None:
    folders: dict[str, set[str]] = {}
    for image in all_images:
        folders.setdefault(image.case, set()).add(image.folder)
    assert {case: found for case, found in folders.items() if len(found) > 1} == {
        "14-13412": {"DC-14-13412", "LC-14-13412"},
        "14-14134": {"F-14-14134", "F-14-14134E"},
        "14-15570": {"LC-14-15570", "LC-14-15570C"},
        "14-16184": {"TA-14-16184", "TA-14-16184CD"},
        "14-18842": {"MC-14-18842", "MC-14-18842D"},
        "14-19979": {"MC-14-19979", "MC-14-19979C"},
        "14-21998": {"PT-14-21998AB", "F-14-21998CD", "F-14-21998EF"},
        "14-22549": {"A-14-22549AB", "A-14-22549CD", "A-14-22549G"},
        "14-23060": {"F-14-23060AB", "F-14-23060CD"},
        "14-29960": {"F-14-29960AB", "A-14-29960CD"},
    }


def test_the_only_case_of_another_year_keeps_it(all_images: list[PublishedImage]) -> None:
    assert {image.folder for image in all_images if not image.case.startswith("14-")} == {"PC-15-190EF"}


@pytest.mark.parametrize(
    ("name", "label", "subtype", "magnification", "folder", "case"),
    [
        ("SOB_M_DC-14-2980-40-001.png", "Malignant", "DC", 40, "DC-14-2980", "14-2980"),
        ("SOB_B_A-14-22549AB-100-012.png", "Benign", "A", 100, "A-14-22549AB", "14-22549"),
        ("SOB_B_A-14-22549G-400-003.png", "Benign", "A", 400, "A-14-22549G", "14-22549"),
        ("SOB_M_PC-15-190EF-200-022.png", "Malignant", "PC", 200, "PC-15-190EF", "15-190"),
        ("SOB_M_DC-15-2980-40-001.png", "Malignant", "DC", 40, "DC-15-2980", "15-2980"),
        ("sob_b_pt-14-21998ab-40-001.PNG", "Benign", "PT", 40, "PT-14-21998AB", "14-21998"),
    ],
)
def test_name_gives_class_subtype_magnification_folder_and_case(
    name: str, label: str, subtype: str, magnification: int, folder: str, case: str
) -> None:
    assert parse_name(name) == PublishedImage(Path(name), label, subtype, magnification, folder, case)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("photo.png", "name does not follow BreakHis' pattern"),
        ("SOB_M_DC-14-2980-40-001.png.jpg", "name does not follow BreakHis' pattern"),
        ("SOB_M_DC-14-2980-40-001.xcf", "name does not follow BreakHis' pattern"),
        ("SOB_M_DC-14-2980-40-001 (1).png", "name does not follow BreakHis' pattern"),
        ("copy of SOB_M_DC-14-2980-40-001.png", "name does not follow BreakHis' pattern"),
        ("SOB_X_DC-14-2980-40-001.png", "name does not follow BreakHis' pattern"),
        ("SOB_M_DC-2014-2980-40-001.png", "name does not follow BreakHis' pattern"),
        ("SOB_M_DC-14-2980-001.png", "name does not follow BreakHis' pattern"),
        ("SOB_M_DC-14-AB-40-001.png", "name does not follow BreakHis' pattern"),
        ("SOB_M_ÄC-14-2980-40-001.png", "name does not follow BreakHis' pattern"),
        ("SOB_M_XX-14-2980-40-001.png", "unknown subtype XX"),
        ("SOB_B_DC-14-2980-40-001.png", "subtype DC is not benign"),
        ("SOB_M_TA-14-2980-40-001.png", "subtype TA is not malignant"),
        ("SOB_M_DC-14-2980-50-001.png", "unknown magnification 50"),
    ],
)
def test_bad_name_is_refused_with_a_reason(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        parse_name(name)


@pytest.mark.parametrize("outer", ["BreaKHis_v1", "BreaKHis_v1/BreaKHis_v1", ".", "Größe der Daten/a b"])
def test_layout_is_read_whatever_the_outer_folders_are(
    tmp_path: Path, breakhis_folder: Callable[..., dict[str, Path]], outer: str
) -> None:
    written = breakhis_folder(tmp_path, outer=outer)
    listing = read_layout(tmp_path)
    assert [image.source for image in listing.images] == sorted(p.relative_to(tmp_path) for p in written.values())
    assert listing.rejected == []
    assert listing.others == []
    assert {parse_name(image.source.name).case for image in listing.images} == {i.case for i in listing.images}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (str(PLACE).replace("malignant", "benign"), "name says Malignant, folder says Benign"),
        (str(PLACE).replace("malignant", "BENIGN"), "name says Malignant, folder says Benign"),
        (str(PLACE).replace("40X", "200X"), "name says 40X, folder says 200X"),
        ("flat", None),
        (".", None),
    ],
)
def test_folder_that_contradicts_the_name_is_refused(tmp_path: Path, place: str, reason: str | None) -> None:
    file = tmp_path / place / "SOB_M_DC-14-2980-40-001.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    listing = read_layout(tmp_path)
    assert [rejected.reason for rejected in listing.rejected] == ([reason] if reason else [])
    assert len(listing.images) == (0 if reason else 1)


def test_every_file_is_listed_once_as_image_rejected_or_other(tmp_path: Path) -> None:
    (tmp_path / PLACE).mkdir(parents=True)
    for name in ("SOB_M_DC-14-2980-40-001.png", "bild 1.png", "scan.tif", "README.txt", ".DS_Store"):
        (tmp_path / PLACE / name).touch()
    (tmp_path / "Folds.csv").touch()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "SOB_M_DC-14-2980-40-002.png").touch()
    listing = read_layout(tmp_path)
    assert [image.source for image in listing.images] == [PLACE / "SOB_M_DC-14-2980-40-001.png"]
    assert [rejected.source for rejected in listing.rejected] == [PLACE / "bild 1.png", PLACE / "scan.tif"]
    assert listing.others == [PLACE / "README.txt", Path("Folds.csv")]


def test_missing_folder_lists_nothing(tmp_path: Path) -> None:
    assert read_layout(tmp_path / "none").images == []


def manifest_of(counts: dict[tuple[str, int], int]) -> pd.DataFrame:
    """As many rows as are counted; their label is not looked at."""
    subtype = {"Benign": "TA", "Malignant": "LC"}
    rows = [(subtype[label], magnification) for (label, magnification), n in counts.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["subtype", "magnification"])


@pytest.mark.parametrize("key", list(PUBLISHED_COUNTS))
@pytest.mark.parametrize("difference", [-1, 1])
def test_full_data_set_with_one_image_more_or_less_is_refused(key: tuple[str, int], difference: int) -> None:
    counts = FULL_COUNTS | {key: FULL_COUNTS[key] + difference}
    with pytest.raises(UserError, match=rf"has {counts[key]} {key[0].lower()} images at {key[1]}X where"):
        check_full(manifest_of(counts))


def test_full_data_set_without_a_class_is_refused() -> None:
    with pytest.raises(UserError, match="has 0 benign images at 40X where 625 are published"):
        check_full(manifest_of({key: n for key, n in FULL_COUNTS.items() if key[0] == "Malignant"}))


def test_subtypes_become_labels_and_nothing_else_changes(
    tmp_path: Path, breakhis_folder: Callable[..., dict[str, Path]]
) -> None:
    breakhis_folder(tmp_path)
    by_class = read_layout(tmp_path)
    by_subtype = label_by_subtype(by_class)
    assert Counter(image.label for image in by_subtype.images) == dict.fromkeys(
        ("A", "F", "PT", "TA", "DC", "LC", "MC", "PC"), 4
    )
    assert [(i.source, i.subtype, i.case) for i in by_subtype.images] == [
        (i.source, i.subtype, i.case) for i in by_class.images
    ]


def test_real_images_are_read_from_their_publishers_layout(shared: Path) -> None:
    listing = read_layout(shared / "data/breakhis")
    assert (len(listing.images), listing.rejected, listing.others) == (1107, [], [])
    assert len({image.folder for image in listing.images}) == 60
    assert len({image.case for image in listing.images}) == 50
    assert Counter(image.magnification for image in listing.images) == {200: 673, 100: 374, 400: 35, 40: 25}
    assert Counter(image.label for image in listing.images) == {"Benign": 409, "Malignant": 698}
