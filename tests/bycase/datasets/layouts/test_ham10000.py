from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.layouts.ham10000 import FULL_IMAGES, METADATA, check_full, read_layout
from bycase.datasets.layouts.listing import PublishedImage, Rejected

HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"
ROW = "HAM_0000001,ISIC_0000001,mel,histo,70.0,male,back"
PLACE = Path("HAM10000_images_part_1/ISIC_0000001.jpg")
# Table 2 of Tschandl et al. 2018.
PUBLISHED_COUNTS = {"akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142}


def write(root: Path, rows: list[str], *images: Path, header: str = HEADER) -> Path:
    """Writes the table of metadata and empty images; gives the table's path."""
    (root / METADATA).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    for image in images:
        (root / image).parent.mkdir(parents=True, exist_ok=True)
        (root / image).touch()
    return root / METADATA


def test_row_gives_diagnosis_lesion_and_what_is_known(tmp_path: Path) -> None:
    write(tmp_path, [ROW], PLACE)
    listing = read_layout(tmp_path)
    lesion = "HAM_0000001"
    assert listing.images == [
        PublishedImage(PLACE, "mel", "mel", 0, lesion, lesion, (), "70", "male", "back", "histo"),
    ]
    assert (listing.rejected, listing.others, listing.rows_without_image) == ([], [Path(METADATA)], [])


@pytest.mark.parametrize("unknown", ["", "unknown", "Unknown", "nan", " "])
def test_what_is_not_known_is_empty(tmp_path: Path, unknown: str) -> None:
    write(tmp_path, [f"HAM_0000001,ISIC_0000001,mel,{unknown},{unknown},{unknown},{unknown}"], PLACE)
    image = read_layout(tmp_path).images[0]
    assert (image.confirmed_by, image.age, image.sex, image.site) == ("", "", "", "")


def test_rows_without_image_and_images_without_row_are_each_named_once(tmp_path: Path) -> None:
    rows = [ROW, *(f"HAM_{n:07},ISIC_{n:07},nv,histo,50.0,male,back" for n in (5, 3, 4))]
    second = PLACE.parent.with_name("HAM10000_images_part_2")
    write(tmp_path, rows, PLACE, second / "ISIC_0000003.jpg", second / "ISIC_0000009.jpg", second / "bild 1.png")
    listing = read_layout(tmp_path)
    assert [image.source.stem for image in listing.images] == ["ISIC_0000001", "ISIC_0000003"]
    assert listing.rows_without_image == ["ISIC_0000004", "ISIC_0000005"]
    assert listing.rejected == [
        Rejected(second / "ISIC_0000009.jpg", f"no row in {METADATA}"),
        Rejected(second / "bild 1.png", f"no row in {METADATA}"),
    ]


def test_a_row_that_stands_twice_counts_once(tmp_path: Path) -> None:
    write(tmp_path, [ROW, ROW], PLACE)
    assert len(read_layout(tmp_path).images) == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([ROW, ROW.replace("mel", "nv")], f"{METADATA} has 2 different rows of it"),
        ([ROW.replace("mel", "scc")], "unknown diagnosis 'scc'"),
        ([ROW.replace("HAM_0000001", "")], "no lesion_id"),
    ],
)
def test_image_whose_row_says_no_diagnosis_is_rejected(tmp_path: Path, rows: list[str], reason: str) -> None:
    write(tmp_path, rows, PLACE)
    listing = read_layout(tmp_path)
    assert (listing.images, listing.rejected) == ([], [Rejected(PLACE, reason)])
    assert listing.rows_without_image == []


def test_folder_without_metadata_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"holds neither {METADATA} nor .*, without which no image has a diagnosis"):
        read_layout(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no table"),
        (b"\xff\xfe\x00a", "is no table"),
        (b'a,b\n1,2\n"3', "is no table"),
        (b"lesion_id,image_id,dx\na,b,mel\n", "column dx_type, age, sex, localization missing"),
    ],
)
def test_damaged_metadata_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    write(tmp_path, [ROW], PLACE).write_bytes(content)
    with pytest.raises(UserError, match=f"{METADATA}:? {says}"):
        read_layout(tmp_path)


TRUTH = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n"
LESIONS = "image,lesion_id\nISIC_1,HAM_1\n"


@pytest.mark.parametrize(
    ("truth", "lesions", "says"),
    [
        ("image,MEL,NV\nISIC_1,1,0\n", LESIONS, "it needs the columns image and AKIEC, BCC, BKL, DF, MEL, NV, VASC"),
        (f"{TRUTH}ISIC_1,1,1,0,0,0,0,0\n", LESIONS, "an image has no diagnosis, or several; get it again"),
        (f"{TRUTH}ISIC_1,0,0,0,0,0,0,0\n", LESIONS, "an image has no diagnosis, or several; get it again"),
        (f"{TRUTH}ISIC_1,1,0,0,0,0,0,0\n", "image,group\nISIC_1,1\n", "column image or lesion_id missing"),
    ],
)
def test_damaged_tables_of_the_challenge_are_refused(tmp_path: Path, truth: str, lesions: str, says: str) -> None:
    (tmp_path / "ISIC2018_Task3_Training_GroundTruth.csv").write_text(truth)
    (tmp_path / "ISIC2018_Task3_Training_LesionGroupings.csv").write_text(lesions)
    with pytest.raises(UserError, match=says):
        read_layout(tmp_path)


def test_byte_order_mark_and_other_columns_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, [f"{ROW},rosendahl"], PLACE, header=f"\ufeff{HEADER},dataset")
    assert read_layout(tmp_path).images[0].label == "mel"


def test_two_tables_must_agree(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    write(tmp_path, [ROW], PLACE)
    write(tmp_path / "again", [ROW])
    assert len(read_layout(tmp_path).images) == 1
    write(tmp_path / "again", [ROW.replace("mel", "nv")])
    with pytest.raises(UserError, match="differ; leave only one"):
        read_layout(tmp_path)


def manifest_of(counts: dict[str, int], lesions: int = 7470) -> pd.DataFrame:
    labels = [label for label, n in counts.items() for _ in range(n)]
    return pd.DataFrame({"label": labels, "case": [f"HAM_{n % lesions}" for n in range(len(labels))]})


def test_full_data_set_has_the_published_counts() -> None:
    assert FULL_IMAGES == 10015
    check_full(manifest_of(PUBLISHED_COUNTS))


@pytest.mark.parametrize("label", list(PUBLISHED_COUNTS))
@pytest.mark.parametrize("difference", [-1, 1])
def test_one_image_more_or_less_than_published_is_refused(label: str, difference: int) -> None:
    counts = PUBLISHED_COUNTS | {label: PUBLISHED_COUNTS[label] + difference}
    with pytest.raises(UserError, match=f"HAM10000 from Kaggle has {counts[label]} {label} images where"):
        check_full(manifest_of(counts))


def test_one_lesion_less_than_published_is_refused() -> None:
    with pytest.raises(UserError, match="has 7469 lesions where 7470 are published"):
        check_full(manifest_of(PUBLISHED_COUNTS, 7469))


def test_real_images_are_read_from_their_publishers_layout(shared: Path) -> None:
    listing = read_layout(shared / "data/ham10000")
    assert (len(listing.images), listing.rejected, listing.rows_without_image) == (1688, [], [])
    assert Counter(image.label for image in listing.images) == {
        "akiec": 155,
        "bcc": 206,
        "bkl": 290,
        "df": 98,
        "mel": 374,
        "nv": 445,
        "vasc": 120,
    }
    assert len({image.case for image in listing.images}) == 1139
