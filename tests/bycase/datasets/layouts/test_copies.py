from collections.abc import Callable
from pathlib import Path

import pytest

from bycase.core.params import Params
from bycase.datasets.layouts.copies import join_copies, list_copies, original_names, original_stem
from bycase.datasets.layouts.listing import Listing, PublishedImage
from bycase.datasets.layouts.registry import read_layout

MakeParams = Callable[..., Params]


@pytest.mark.parametrize(
    ("stem", "original", "augmented"),
    [
        ("x (1)", "x", False),
        ("x(12)", "x", False),
        ("x - Copy", "x", False),
        ("x - Copy (2)", "x", False),
        ("x copy 3", "x", False),
        ("Copy of x", "x", False),
        ("x - Kopie", "x", False),
        ("benign (100)_aug0", "benign", True),
        ("x_aug_12", "x", True),
        ("x_augmented", "x", True),
        ("x_rot90", "x", True),
        ("x_rotated_-15", "x", True),
        ("x_hflip", "x", True),
        ("x_flip_lr", "x", True),
        ("x-flipped-horizontal", "x", True),
        ("x_rot90_vflip", "x", True),
        ("x_png.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9", "x", True),
        ("x_1", "x_1", False),
        ("x-2", "x-2", False),
        ("photocopy", "photocopy", False),
        ("carrot90", "carrot90", False),
        ("inaugmented", "inaugmented", False),
        ("(1)", "(1)", False),
    ],
)
def test_what_marks_a_copy_is_taken_off(stem: str, original: str, augmented: bool) -> None:
    assert original_stem(stem) == (original, augmented)


def test_names_lose_one_mark_at_a_time() -> None:
    assert original_names("benign (100)_aug0.png") == ["benign (100)_aug0.png", "benign (100).png", "benign.png"]


def listed(*sources: str, label: str = "A") -> list[PublishedImage]:
    return [PublishedImage(Path(source), label, label, 0, Path(source).stem, Path(source).stem) for source in sources]


def cases(images: list[PublishedImage]) -> dict[str, str]:
    return {image.source.as_posix(): image.case for image in images}


def test_copies_are_of_the_case_of_their_original() -> None:
    images = join_copies(listed("a/x.png", "a/x (1).jpg", "a/x (1)_aug0.png", "a/y.png", "b/x - Copy.png"), False)
    assert cases(images) == {
        "a/x.png": "x",
        "a/x (1).jpg": "x",
        "a/x (1)_aug0.png": "x",
        "a/y.png": "y",
        "b/x - Copy.png": "x - Copy",  # another folder's, which may be another image
    }
    assert list_copies(images) == [
        {"file": "a/x (1).jpg", "original": "a/x.png"},
        {"file": "a/x (1)_aug0.png", "original": "a/x.png"},
    ]


def test_numbers_in_brackets_are_no_copies_without_an_original() -> None:
    images = listed("img (1).png", "img (2).png")
    assert join_copies(images, False) == images


def test_augmented_images_find_their_original_in_another_folder_or_stand_together() -> None:
    images = join_copies(
        [*listed("a/x.png", "augmented/x_aug0.png", "z_rot90.png", "z_rot180.png"), *listed("b/x_aug1.png", label="B")],
        False,
    )
    assert cases(images) == {
        "a/x.png": "x",
        "augmented/x_aug0.png": "x",
        "z_rot90.png": "z_rot90",
        "z_rot180.png": "z_rot90",
        "b/x_aug1.png": "x_aug1",
    }


def test_a_patient_that_is_named_stays() -> None:
    images = [PublishedImage(Path(f"{p}/x{s}.png"), "A", "A", 0, p, p) for p, s in (("1", ""), ("1", " (1)"))]
    joined = join_copies(images, True)
    assert [image.case for image in joined] == ["1", "1"]
    assert joined[1].copy_of == Path("1/x.png")


def read(make_params: MakeParams, dataset: str, root: Path, names: list[str]) -> Listing:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return read_layout(make_params({"dataset": dataset}).data, root)


def test_breakhis_knows_copies(make_params: MakeParams, tmp_path: Path) -> None:
    names = [f"SOB_M_DC-14-2980-40-001{mark}.png" for mark in ("", " (1)", " - Copy", "_aug0", "_rot90")]
    listing = read(make_params, "breakhis", tmp_path, [*names, "SOB_M_XX.png"])
    assert [each.reason for each in listing.rejected] == ["name does not follow BreakHis' pattern"]
    assert {image.case for image in listing.images} == {"14-2980"}
    assert len(list_copies(listing.images)) == 4


def test_busi_knows_copies_of_images_and_of_masks(make_params: MakeParams, tmp_path: Path) -> None:
    names = ["benign (100).png", "benign (100)_aug0.png", "benign (100) (1).png", "benign (101).png"]
    listing = read(make_params, "busi", tmp_path, [f"benign/{n}" for n in [*names, "benign (100)_mask (1).png"]])
    assert listing.rejected == []
    assert {image.source.name: image.case for image in listing.images} == {
        "benign (100).png": "benign (100)",
        "benign (100)_aug0.png": "benign (100)",
        "benign (100) (1).png": "benign (100)",
        "benign (101).png": "benign (101)",
    }
    assert listing.images[0].masks == (Path("benign/benign (100)_mask (1).png"),) or any(
        image.masks for image in listing.images
    )


def test_ham10000_knows_copies(make_params: MakeParams, tmp_path: Path) -> None:
    (tmp_path / "HAM10000_metadata.csv").write_text(
        "lesion_id,image_id,dx,dx_type,age,sex,localization\nHAM_1,ISIC_0000001,nv,histo,50,male,back\n"
    )
    listing = read(make_params, "ham10000", tmp_path, ["ISIC_0000001.jpg", "ISIC_0000001 (1).jpg", "ISIC_0000002.jpg"])
    assert [image.case for image in listing.images] == ["HAM_1", "HAM_1"]
    assert [each.source.name for each in listing.rejected] == ["ISIC_0000002.jpg"]
