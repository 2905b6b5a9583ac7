from pathlib import Path
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.core.params_layouts import FoldersParams
from bycase.datasets.layouts.folders import read_folders
from bycase.datasets.layouts.listing import Listing, read_fold
from bycase.datasets.part_words import read_part
from tests.fixtures.own_images import draw, summary, write

CLASSES = ["Benign", "Malignant"]


def read(root: Path, classes: list[str] = CLASSES, **places: Any) -> Listing:
    return read_folders(root, FoldersParams.model_validate(places), classes)


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("benign/x.png", ""),
        ("a/b/BENIGN/c/x.jpg", ""),
        ("train/benign/x.tif", "train"),
        ("benign/Validation/x.bmp", "val"),
        ("data/test_set/benign/x.webp", "test"),
        ("benign/training_images/deep/x.JPEG", "train"),
    ],
)
def test_a_folder_a_class_at_any_depth_with_parts_above_or_below(tmp_path: Path, place: str, part: str) -> None:
    draw(tmp_path, place, "Malignant/y.png")
    listing = read(tmp_path, part="auto")
    assert summary(listing)[place] == ("Benign", "x", part, "")
    assert (listing.rejected, listing.others) == ([], [])


def test_patients_in_folders_and_labels_by_number(tmp_path: Path) -> None:
    draw(tmp_path, "8863/0/8863_idx5_x51_y1251_class0.png", "8863/1/8863_idx5_x101_y1251_class1.png", "9/1/9_x.png")
    by_level = read(tmp_path, names={0: "Benign", 1: "Malignant"}, patient=1)
    by_name = read(tmp_path, names={0: "Benign", 1: "Malignant"}, label=-1, patient=r"(?P<patient>\d+)_")
    assert summary(by_level) == summary(by_name)
    assert [image.case for image in by_level.images] == ["8863", "8863", "9"]
    assert [image.label for image in by_level.images] == ["Benign", "Malignant", "Malignant"]


def test_one_expression_says_everything_and_its_other_groups_become_columns(tmp_path: Path) -> None:
    draw(tmp_path, "flat/SOB_B_A-14-22549AB-100-001.png", "flat/SOB_M_DC-14-2980-40-001.png")
    expression = (
        r"SOB_(?P<label>[BM])_(?P<slide>(?P<subtype>[A-Z]+)-(?P<patient>\d\d-\d+)[A-Z]*)-(?P<magnification>\d+)"
        r"-(?P<number>\d+)"
    )
    listing = read(tmp_path, label=expression, names={"B": "Benign", "M": "Malignant"})
    first = listing.images[0]
    assert (first.label, first.subtype, first.magnification) == ("Benign", "A", 100)
    assert (first.folder, first.case, dict(first.more)) == ("A-14-22549AB", "14-22549", {"number": "001"})


def test_columns_stand_in_folders_or_names(tmp_path: Path) -> None:
    draw(tmp_path, "Vienna/benign/a_45y_F.png", "Graz/malignant/b_NAy_M.png")
    listing = read(tmp_path, columns={"site": 1, "age": r"_(\w+)y_"})
    assert [(image.site, image.age, dict(image.more)) for image in listing.images] == [
        ("Graz", "", {}),
        ("Vienna", "45", {}),
    ]


def test_folds_and_parts_have_their_usual_names(tmp_path: Path) -> None:
    draw(tmp_path, "fold_1/benign/x.png", "Fold2/malignant/x.png", "cv-10/benign/y.png")
    assert [each[3] for each in summary(read(tmp_path, fold="auto")).values()] == ["2", "10", "1"]
    assert [read_part(name) for name in ("Training", "valid", "dev", "TEST-set", "testicle", "trains")] == [
        *("train", "val", "val", "test"),
        *("", ""),
    ]
    assert [read_fold(name) for name in ("fold 03", "4", "north")] == ["3", "4", "north"]


def test_without_a_patient_each_image_is_a_case_of_its_own(tmp_path: Path) -> None:
    draw(tmp_path, "benign/a.png", "benign/b.png", "malignant/b.png", "malignant/b.jpg")
    cases = [image.case for image in read(tmp_path).images]
    assert cases == ["a", "benign/b", "malignant/b.jpg", "malignant/b.png"]


def test_masks_thumbnails_and_hidden_files_are_no_images(tmp_path: Path) -> None:
    draw(tmp_path, "benign/a.png", "benign/a_mask.png", "malignant/b.jpg", "masks/malignant/b.png")
    draw(tmp_path, "lesion_segmentations/c.png", "benign/._a.png", "__MACOSX/benign/a.png")
    write(tmp_path, "benign/Thumbs.db", "x")
    listing = read(tmp_path)
    assert {image.source.name: [mask.as_posix() for mask in image.masks] for image in listing.images} == {
        "a.png": ["benign/a_mask.png"],
        "b.jpg": ["masks/malignant/b.png"],
    }
    assert [path.as_posix() for path in listing.others] == ["benign/Thumbs.db", "lesion_segmentations/c.png"]
    assert listing.rejected == []
    assert listing.notes == ["3 masks, by their names or folders, are no images"]


def test_labels_with_blanks_accents_and_another_case_are_the_same(tmp_path: Path) -> None:
    composed, decomposed = "Kein Pre\u00e4parat", "kein pre\u0061\u0308parat"
    draw(tmp_path, f"{decomposed}/a.png", "Malignant/b.png")
    assert [image.label for image in read(tmp_path, [composed, "Malignant"]).images] == ["Malignant", composed]


@pytest.mark.parametrize("patient", [1, "^(M\u00fcller|[^/]+)/", "^(Mu\u0308ller|[^/]+)/"])
def test_a_patient_is_one_however_folders_write_its_accents(tmp_path: Path, patient: int | str) -> None:
    draw(tmp_path, "M\u00fcller/benign/a.png", "Mu\u0308ller/malignant/b.png", "Mayer/benign/c.png")
    cases = [image.case for image in read(tmp_path, patient=patient).images]
    assert sorted(cases) == ["Mayer", "M\u00fcller", "M\u00fcller"]


def test_what_the_expressions_do_not_find_leaves_the_image_out(tmp_path: Path) -> None:
    draw(tmp_path, "train/benign 40X.png", "old/benign 4OX.png", "train/x.png", "train/malignant 40X.png")
    listing = read(tmp_path, label=r"(?P<label>benign|malignant) (?P<magnification>\w+)\.", part=1)
    assert [image.magnification for image in listing.images] == [40, 40]
    assert {each.source.as_posix(): each.reason for each in listing.rejected} == {
        "old/benign 4OX.png": "part 'old' is none of train, val, test",
        "train/x.png": "no label: folders.label finds none",
    }
    listing = read(tmp_path, label=r"(?P<label>benign|malignant) (?P<magnification>\w+)\.")
    assert "magnification '4OX' is no number" in [each.reason for each in listing.rejected]


def test_labels_can_be_left_out_and_are_counted(tmp_path: Path) -> None:
    draw(tmp_path, "benign/a.png", "malignant/b.png", "normal/c.png", "normal/d.png")
    listing = read(tmp_path, names={"normal": None})
    assert ([image.source.name for image in listing.images], listing.left_out) == (["a.png", "b.png"], {"normal": 2})


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"label": 1}, "folders.names: labels that are no class: 'normal' (1 images); map each to one of Benign, Mali"),
        (
            {"patient": r"case(\d+)"},
            "folders.patient: expression 'case(\\d+)' matches none of 3 images, such as n",
        ),
        ({"patient": r"(\w+\s?)+$!"}, "matches none"),
        ({"columns": {"width": 1}}, "folders: 'width' is a column"),
        ({"slide": 1}, "where slides are all that is known, they stand for the patients"),
    ],
)
def test_what_cannot_be_read_stops_in_one_line(tmp_path: Path, places: dict[str, Any], message: str) -> None:
    draw(tmp_path, "benign/a.png", "malignant/b.png", "normal/c.png")
    with pytest.raises(UserError) as raised:
        read(tmp_path, **places)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_slow_expression_stops_instead_of_hanging(tmp_path: Path) -> None:
    draw(tmp_path, f"benign/{'a' * 60}.png")
    with pytest.raises(UserError, match=r"folders\.patient: expression '.*' takes too long, as on benign/aaa"):
        read(tmp_path, patient=r"(?:(?:a|aa)+)+$")


def test_folders_of_no_class_are_named_with_those_there_are(tmp_path: Path) -> None:
    draw(tmp_path, "krank/a.png", "gesund/b.png")
    with pytest.raises(UserError, match=r"none of 2 images lies in a folder named as a class .* there: gesund, krank"):
        read(tmp_path)


def test_images_that_say_too_little_are_rejected_with_the_reason(tmp_path: Path) -> None:
    draw(tmp_path, "benign/1_a.png", "malignant/b.png", "c.png", "benign/malignant/1_d.png")
    listing = read(tmp_path, patient=r"(\d)_")
    reasons = {each.source.as_posix(): each.reason for each in listing.rejected}
    assert reasons["c.png"].startswith("none of its folders is named as a class (Benign, Malignant)")
    assert reasons["malignant/b.png"] == "no patient: folders.patient finds none"
    assert "name two classes: benign and malignant" in reasons["benign/malignant/1_d.png"]
    assert list(summary(listing)) == ["benign/1_a.png"]
