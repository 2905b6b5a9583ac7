from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.layouts.busi import FULL_IMAGES, check_full, read_layout
from bycase.datasets.layouts.listing import PublishedImage, Rejected

FOLDER = Path("Dataset_BUSI_with_GT")
# Table 1 of Al-Dhabyani et al. 2020.
PUBLISHED_COUNTS = {"Benign": 437, "Malignant": 210, "Normal": 133}


def touch(root: Path, *places: str) -> None:
    for place in places:
        path = root / FOLDER / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_images_have_their_class_and_stand_as_their_own_case(tmp_path: Path) -> None:
    touch(tmp_path, "benign/benign (1).png", "malignant/malignant (1).png", "normal/normal (133).png")
    listing = read_layout(tmp_path)
    assert listing.images == [
        PublishedImage(FOLDER / folder / f"{name}.png", label, label, 0, name, name)
        for folder, name, label in (
            ("benign", "benign (1)", "Benign"),
            ("malignant", "malignant (1)", "Malignant"),
            ("normal", "normal (133)", "Normal"),
        )
    ]
    assert (listing.rejected, listing.others) == ([], [])


def test_masks_are_no_images_but_stand_beside_theirs(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "benign/benign (10).png",
        "benign/benign (10)_mask.png",
        "benign/benign (10)_mask_1.png",
        "benign/benign (1).png",
        "benign/benign (1)_mask.png",
        "benign/benign (100).png",
    )
    listing = read_layout(tmp_path)
    masks = {image.source.stem: [mask.name for mask in image.masks] for image in listing.images}
    assert masks == {
        "benign (1)": ["benign (1)_mask.png"],
        "benign (10)": ["benign (10)_mask.png", "benign (10)_mask_1.png"],
        "benign (100)": [],
    }
    assert all(mask.parent == FOLDER / "benign" for image in listing.images for mask in image.masks)
    assert listing.rejected == []


def test_mask_without_its_image_and_in_another_folder_is_rejected_once(tmp_path: Path) -> None:
    touch(tmp_path, "benign/benign (1).png", "benign/benign (7)_mask.png")
    touch(tmp_path, "copy/benign (1)_mask.png")
    assert read_layout(tmp_path).rejected == [
        Rejected(FOLDER / "benign/benign (7)_mask.png", "mask of benign (7), which is not there"),
        Rejected(FOLDER / "copy/benign (1)_mask.png", "mask of benign (1), which is not there"),
    ]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("benign/malignant (1).png", "name says Malignant, folder says Benign"),
        ("Normal/benign (1)_mask.png", "name says Benign, folder says Normal"),
        ("benign/benign one.png", "name does not follow BUSI's pattern"),
        ("benign/benign (1)b.jpg", "name does not follow BUSI's pattern"),
        ("benign/benign (1)_mask_a.png", "name does not follow BUSI's pattern"),
        ("benign/bénin (1).png", "name does not follow BUSI's pattern"),
    ],
)
def test_name_that_says_something_else_is_rejected_with_a_reason(tmp_path: Path, place: str, reason: str) -> None:
    touch(tmp_path, place)
    listing = read_layout(tmp_path)
    assert (listing.images, listing.rejected) == ([], [Rejected(FOLDER / place, reason)])


@pytest.mark.parametrize("place", ["BENIGN/Benign (1).PNG", "flat/benign (1).png", "a b/Größe/benign (1).png"])
def test_layout_is_read_whatever_the_outer_folders_and_the_case_are(tmp_path: Path, place: str) -> None:
    touch(tmp_path, place, "readme.txt")
    listing = read_layout(tmp_path)
    assert [(image.source, image.label) for image in listing.images] == [(FOLDER / place, "Benign")]
    assert listing.others == [FOLDER / "readme.txt"]


def manifest_of(counts: dict[str, int]) -> pd.DataFrame:
    return pd.DataFrame({"label": [label for label, n in counts.items() for _ in range(n)]})


def test_full_data_set_has_the_published_counts() -> None:
    assert FULL_IMAGES == 780
    check_full(manifest_of(PUBLISHED_COUNTS))


@pytest.mark.parametrize("label", list(PUBLISHED_COUNTS))
@pytest.mark.parametrize("difference", [-1, 1])
def test_one_image_more_or_less_than_published_is_refused(label: str, difference: int) -> None:
    counts = PUBLISHED_COUNTS | {label: PUBLISHED_COUNTS[label] + difference}
    message = f"BUSI from Kaggle has {counts[label]} {label.lower()} images where {PUBLISHED_COUNTS[label]}"
    with pytest.raises(UserError, match=message):
        check_full(manifest_of(counts))


def test_real_images_are_read_from_their_publishers_layout(shared: Path) -> None:
    listing = read_layout(shared / "data/busi")
    assert (len(listing.images), listing.rejected, listing.others) == (625, [], [])
    assert Counter(image.label for image in listing.images) == {"Benign": 350, "Malignant": 168, "Normal": 107}
    assert len({image.case for image in listing.images}) == 625
