"""BreakHis, BUSI and HAM10000 as others have packed them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.datasets.layouts.listing import Listing
from bycase.datasets.layouts.registry import read_layout
from tests.fixtures.own_images import draw, summary, write

Read = Callable[[str, Path], Listing]
NAMES = ("SOB_B_A-14-22549AB-400-001", "SOB_M_DC-14-2980-400-001")
HAM = [
    ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"),
    ("HAM_1", "ISIC_1", "nv", "histo", "45.0", "male", "back"),
    ("HAM_2", "ISIC_2", "mel", "histo", "", "unknown", "unknown"),
]


@pytest.fixture
def read(make_params: Callable[[dict[str, Any]], Params]) -> Read:
    return lambda dataset, root: read_layout(make_params({}).datasets[dataset], root)


@pytest.mark.parametrize("suffix", ["png", "PNG", "jpg", "tif"])
@pytest.mark.parametrize("folder", ["", "BreaKHis 400X/train/{}/", "BreaKHis 400X/{}/test/"])
def test_breakhis_flat_or_in_train_and_test_folders(tmp_path: Path, read: Read, folder: str, suffix: str) -> None:
    for name, label in zip(NAMES, ("benign", "malignant"), strict=True):
        draw(tmp_path, f"{folder.format(label)}{name}.{suffix}")
    listing = read("breakhis", tmp_path)
    part = "train" if "train" in folder else "test" if "test" in folder else ""
    assert [each[:3] for each in summary(listing).values()] == [
        ("Benign", "14-22549", part),
        ("Malignant", "14-2980", part),
    ]
    assert listing.rejected == []


@pytest.mark.parametrize("pattern", ["benign ({})", "benign({})", "benign_({})", "benign_{}", "Benign-{}"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_busi_without_the_blank_with_masks_as_rgba(tmp_path: Path, read: Read, pattern: str, suffix: str) -> None:
    name = pattern.format(7)
    draw(tmp_path, f"benign/{name}.{suffix}", "normal/normal (1).png")
    draw(tmp_path, f"benign/{name}_mask.png", mode="RGBA")
    draw(tmp_path, f"benign/._{name}.png")
    write(tmp_path, "benign/Thumbs.db", "x")
    listing = read("busi", tmp_path)
    assert [(image.label, image.case, len(image.masks)) for image in listing.images] == [
        ("Benign", name, 1),
        ("Normal", "normal (1)", 0),
    ]
    assert ([path.name for path in listing.others], listing.rejected) == (["Thumbs.db"], [])


def test_busis_masks_in_a_folder_of_their_own(tmp_path: Path, read: Read) -> None:
    draw(tmp_path, "images/benign (1).png", "masks/benign (1).png", "images/benign (2).png")
    assert {image.source.name: len(image.masks) for image in read("busi", tmp_path).images} == {
        "benign (1).png": 1,
        "benign (2).png": 0,
    }


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("HAM10000_metadata", ","), ("HAM10000_metadata.tab", "\t"), ("HAM10000_metadata.csv", ";")],
)
def test_ham10000_as_dataverse_has_it(tmp_path: Path, read: Read, name: str, delimiter: str) -> None:
    write(tmp_path, name, "".join(delimiter.join(row) + "\n" for row in HAM))
    draw(tmp_path, "part_1/ISIC_1.JPG", "part_2/ISIC_2.jpg", "HAM10000_segmentations/ISIC_1_segmentation.png")
    listing = read("ham10000", tmp_path)
    assert [(i.label, i.case, i.age, i.sex, i.site, len(i.masks)) for i in listing.images] == [
        ("nv", "HAM_1", "45", "male", "back", 1),
        ("mel", "HAM_2", "", "", "", 0),
    ]
    assert listing.rejected == []


def test_ham10000_as_isic_2018_task_3(tmp_path: Path, read: Read) -> None:
    header = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\n"
    rows = "ISIC_1,0.0,1.0,0.0,0.0,0.0,0.0,0.0\nISIC_2,1.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    write(tmp_path, "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv", header + rows)
    lesions = "image,lesion_id,diagnosis_confirm_type\nISIC_1,HAM_1,histopathology\nISIC_2,HAM_2,histopathology\n"
    write(tmp_path, "ISIC2018_Task3_Training_LesionGroupings.csv", lesions)
    draw(tmp_path, "ISIC2018_Task3_Training_Input/ISIC_1.jpg", "ISIC2018_Task3_Training_Input/ISIC_2.jpg")
    listing = read("ham10000", tmp_path)
    assert [(i.label, i.case, i.confirmed_by) for i in listing.images] == [
        ("nv", "HAM_1", "histopathology"),
        ("mel", "HAM_2", "histopathology"),
    ]
    assert listing.rejected == []


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("benign(1).png", "benign (1)_mask.png"),
        ("benign (1).jpg", "benign_(1)_mask.png"),
        ("benign_1.jpg", "benign (1)_mask_1.jpg"),
        ("benign (1).png", "benign (1) _mask.png"),
        ("Benign (1).png", "benign (1)mask.png"),
    ],
)
def test_busi_masks_find_images_whose_names_are_written_otherwise(
    tmp_path: Path, read: Read, image: str, mask: str
) -> None:
    for name in (image, mask):
        draw(tmp_path, f"benign/{name}")
    listing = read("busi", tmp_path)
    assert [(each.source.name, [drawn.name for drawn in each.masks]) for each in listing.images] == [(image, [mask])]
    assert listing.rejected == []


@pytest.mark.parametrize("name", ["ham10000_metadata.csv", "HAM10000_METADATA.CSV"])
@pytest.mark.parametrize("upper", [False, True])
def test_ham10000_in_any_case(tmp_path: Path, read: Read, name: str, upper: bool) -> None:
    table = "\n".join(";".join(row) for row in HAM)
    (tmp_path / name).write_text(table.upper() if upper else table)
    draw(tmp_path, "images/isic_1.jpg")
    draw(tmp_path, "HAM10000_segmentations_lesion_tschandl/ISIC_1_segmentation.png")
    listing = read("ham10000", tmp_path)
    assert [(each.label, each.case) for each in listing.images] == [("nv", "HAM_1")]
    assert (listing.rejected, listing.rows_without_image) == ([], ["ISIC_2"])


def test_ham10000_says_which_columns_it_found(tmp_path: Path, read: Read) -> None:
    (tmp_path / "HAM10000_metadata.csv").write_text("image;diagnosis\nISIC_1;nv\n")
    with pytest.raises(UserError, match="column lesion_id, image_id, .* missing; found are image, diagnosis; rename"):
        read("ham10000", tmp_path)
