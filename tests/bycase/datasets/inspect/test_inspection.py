"""Layouts in the wild, and planted ambiguities."""

import shutil
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.datasets.inspect.inspection import Inspection
from bycase.datasets.inspect.words import questions, report

from .conftest import Look, Write, write_image, write_table

CLASSES = ("benign", "malignant")


def section(inspection: Inspection) -> dict[str, object]:
    """The entry's section of its layout."""
    assert inspection.entry
    content: dict[str, object] = inspection.entry[inspection.layout]
    return content


def counts(inspection: Inspection) -> dict[str, int]:
    assert inspection.listing
    return dict(Counter(image.label for image in inspection.listing.images))


def patients(inspection: Inspection) -> int:
    assert inspection.listing
    return len({image.case for image in inspection.listing.images})


def words(inspection: Inspection) -> str:
    return "\n".join(report(inspection))


def test_a_folder_a_class_names_no_patient_and_says_so(write: Write, look: Look) -> None:
    seen = look(write(f"{c}/image{i}.png" for c in CLASSES for i in range(8)))
    assert (seen.layout, section(seen)) == ("folders", {"label": 1})
    assert seen.entry
    assert (seen.entry["classes"], seen.entry["positive"]) == (["benign", "malignant"], "malignant")
    assert seen.entry["image_size"] == 36
    assert counts(seen) == {"benign": 8, "malignant": 8}
    text = words(seen)
    assert "one a class as for Keras' image_dataset_from_directory, ImageFolder" in text
    assert "patients unknown: intervals and splits treat images as independent but for duplicates" in text
    assert "missing     patients; add a column, a folder or a part of the name" in text


def test_patient_folders_with_class_folders_in_them(write: Write, look: Look) -> None:
    place = write(
        f"{8863 + p}/{c}/{8863 + p}_idx5_x{51 + 50 * i}_y1251_class{c}.png"
        for p in range(6)
        for c in (0, 1)
        for i in range(3)
    )
    seen = look(place)
    assert section(seen) == {"label": 2, "patient": 1}
    assert (patients(seen), counts(seen)) == (6, {"0": 18, "1": 18})
    assert seen.entry
    assert seen.entry["positive"] == "1"
    assert "folder level 1: 6, 6 images each, such as 8863, 8864, 8865; 6 of them" in words(seen)
    named = look(place, names={"0": "benign", "1": "malignant"})
    assert counts(named) == {"benign": 18, "malignant": 18}
    assert section(named)["names"] == {"0": "benign", "1": "malignant"}


@pytest.mark.parametrize(
    ("pattern", "level"),
    [("{part}/{c}/p{p}_{i}.png", 2), ("{c}/{part}/p{p}_{i}.png", 1), ("set/{part}/{c}/p{p}_{i}.png", 3)],
)
def test_parts_above_and_below_classes(write: Write, look: Look, pattern: str, level: int) -> None:
    parts = {0: "train", 1: "train", 2: "val", 3: "test"}
    place = write(
        pattern.format(part=parts[p], c=c, p=4 * n + p, i=i)
        for n, c in enumerate(CLASSES)
        for p in range(4)
        for i in range(2)
    )
    seen = look(place)
    assert section(seen)["label"] == level
    assert section(seen)["part"] == "auto"
    assert patients(seen) == 8
    assert "parts       test 4, train 8, val 4; no patient in two of them" in words(seen)


def test_a_leak_between_parts_is_said_with_numbers(write: Write, look: Look) -> None:
    seen = look(
        write(
            f"{part}/{c}/patient_{p}_{part}{i}.png"
            for part in ("train", "test")
            for n, c in enumerate(CLASSES)
            for p in (2 * n + 1, 2 * n + 2)
            for i in range(3)
        )
    )
    assert "LEAK: 4 of 4 patients in more than one, patient_1 among them" in words(seen)


def test_fold_folders(write: Write, look: Look) -> None:
    seen = look(
        write(
            f"fold_{p % 3}/{c}/pat{p}-{i}.png"
            for n, c in enumerate(CLASSES)
            for p in range(9 * n, 9 * n + 9)
            for i in range(2)
        )
    )
    assert section(seen)["fold"] == "auto"
    assert "folds       0 12, 1 12, 2 12; no patient in two of them" in words(seen)


def test_a_part_of_the_name_that_repeats_within_classes(write: Write, look: Look) -> None:
    names = [
        f"{c}/{c[0].upper()}-{100 * n + p}-{i}.png"
        for n, c in enumerate(CLASSES)
        for p in range(1, 7)
        for i in range(1, 4)
    ]
    seen = look(write(names))
    assert patients(seen) == 12
    assert "12, 3 images each, such as B-1, B-2, B-3" in words(seen)


def test_numbers_that_go_across_classes_are_asked_about(write: Write, look: Look) -> None:
    place = write(f"{c}/{p}_{i}.png" for c in CLASSES for p in range(1, 7) for i in range(1, 4))
    seen = look(place)
    assert seen.entry is None
    expression = r"(?:^|/)(?P<patient>\d+)_[^/]*$"
    assert questions(seen) == [("patient", [expression, "none"])]
    assert patients(look(place, patient=expression)) == 6
    assert patients(look(place, patient="none")) == 36


def test_two_levels_of_folders_that_may_be_patients_are_asked_about(write: Write, look: Look) -> None:
    place = write(f"site{s}/{s}{p}a/{c}/{i}.png" for s in range(4) for p in range(3) for c in CLASSES for i in range(2))
    seen = look(place)
    assert questions(seen) == [("patient", ["1", "2", "none"])]
    assert "--patient 1: 4, 12 images each, such as site0, site1, site2" in words(seen)
    assert "--patient 2: 12, 4 images each, such as 00a, 01a, 02a" in words(seen)
    assert patients(look(place, patient="2")) == 12


def test_two_levels_that_may_be_classes_are_asked_about(write: Write, look: Look) -> None:
    place = write(f"{one}/{two}/{i}.png" for one in ("red", "blue") for two in ("round", "square") for i in range(4))
    seen = look(place)
    assert questions(seen)[0] == ("label", ["1", "2"])
    assert counts(look(place, label="2", patient="none")) == {"round": 8, "square": 8}


def test_words_of_the_field_tell_the_class_from_other_folders(write: Write, look: Look) -> None:
    seen = look(write(f"{s}/{c}/{i}.png" for s in ("scanner-a", "scanner-b") for c in CLASSES for i in range(4)))
    assert section(seen)["label"] == 2


def test_a_stray_image_hides_no_folders(write: Write, look: Look) -> None:
    seen = look(
        write(["logo.png", *(f"{c}/P{12 * n + i // 2}_{i}.png" for n, c in enumerate(CLASSES) for i in range(12))])
    )
    assert (counts(seen), patients(seen)) == ({"benign": 12, "malignant": 12}, 12)
    assert "missing     1 images are left out, such as logo.png: no folder at level 1" in words(seen)


def test_class_in_names(write: Write, look: Look) -> None:
    seen = look(write(f"benign_{i}.png" if i % 2 else f"normal_{i}.png" for i in range(12)))
    assert counts(seen) == {"benign": 6, "normal": 6}


@pytest.mark.parametrize("pattern", ["pt{p:02}_{c}_{i}.png", "{p:02}{c}{i}.png", "smith{p:02}/{i} {c}.png"])
@pytest.mark.parametrize("classes", [("B", "M"), ("Benign", "malignant"), ("nevus", "melanoma")])
def test_words_of_the_field_anywhere_in_names(write: Write, look: Look, pattern: str, classes: tuple[str, str]) -> None:
    seen = look(write(pattern.format(p=p, i=i, c=classes[p % 2]) for p in range(12) for i in range(3)))
    assert (counts(seen), patients(seen)) == (dict.fromkeys(classes, 18), 12)


def test_words_whose_accents_stand_apart_in_names(write: Write, look: Look) -> None:
    named = ("bo\u0308sartig", "gutartig")
    seen = look(write(f"pt{p:02}_{named[p % 2]}_{i}.png" for p in range(12) for i in range(3)))
    assert (counts(seen), patients(seen)) == ({"b\u00f6sartig": 18, "gutartig": 18}, 12)


@pytest.mark.parametrize("words", ["FM", ("no_tumor", "no_lesion")])
def test_letters_and_words_that_do_not_tell_the_class(write: Write, look: Look, words: Sequence[str]) -> None:
    with pytest.raises(UserError, match="nothing names a class"):
        look(write(f"q{p:02}_{words[p % 2]}_{i}.png" for p in range(12) for i in range(3)))


def test_numbered_classes_in_names(write: Write, look: Look) -> None:
    seen = look(write(f"{10 + i}_idx5_class{i % 2}.png" for i in range(12)))
    assert counts(seen) == {"0": 6, "1": 6}
    assert section(seen)["label"] == r"(?i)(?:class|label|grade)[ _-]?(?P<label>\d)[^/]*$"


def test_parts_and_patients_are_where_the_user_says(write: Write, look: Look) -> None:
    place = write(f"{part}/p{i // 2}/{i}.png" for i in range(24) for part in [("train", "test")[i // 2 % 2]])
    write_table(place, "t.csv", [["image", "label", "set"], *([i, i % 2, "train"] for i in range(24))])
    seen = look(place, patient="2", part="1")
    assert section(seen)["patient"] == "^(?:[^/]+/){1}(?P<patient>[^/]+)/"
    assert (section(seen)["part"], patients(seen)) == ("^(?P<part>[^/]+)/", 12)
    assert "parts       test 12, train 12; no patient in two of them" in words(seen)
    assert "part" not in section(look(place, part="none"))
    with pytest.raises(UserError, match=r"--patient subject: neither a column \(columns: image, label, set\) nor"):
        look(place, patient="subject")


def test_masks_are_no_images(write: Write, look: Look) -> None:
    seen = look(write([f"{c}/x{i}{mask}.png" for c in CLASSES for i in range(5) for mask in ("", "_mask")]))
    assert counts(seen) == {"benign": 5, "malignant": 5}
    assert "masks       of 10 images" in words(seen)


def test_copies_at_a_glance(write: Write, look: Look) -> None:
    place = write(f"{c}/x{i}.png" for c in CLASSES for i in range(5))
    shutil.copy(place / "benign/x1.png", place / "benign/x1 (1).png")
    shutil.copy(place / "benign/x2.png", place / "malignant/y.png")
    write_image(place / "malignant/x3 - Copy.png", 99)
    text = words(look(place))
    assert "2 files are byte for byte copies, such as benign/x1 (1).png = benign/x1.png" in text
    assert "1 pictures stand under two classes" in text
    assert "2 files are named as copies" in text


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_archives_say_the_same_as_their_folder(write: Write, look: Look, kind: str, tmp_path: Path) -> None:
    place = write([f"a/{c}/p{6 * n + p}_{i}.png" for n, c in enumerate(CLASSES) for p in range(6) for i in range(2)])
    shutil.copy(place / "a/benign/p0_0.png", place / "a/benign/p0_7.png")
    archive = Path(shutil.make_archive(str(tmp_path / "all"), {"zip": "zip", "tar.gz": "gztar"}[kind], place))
    seen, folder = look(archive), look(place)
    assert seen.entry
    assert seen.entry["path"] == str(archive)
    assert section(seen) == section(folder)
    assert report(seen)[1:] == report(folder)[1:]
    assert list(tmp_path.iterdir()) == [place, archive] or set(tmp_path.iterdir()) == {place, archive}


def test_metadata_csv_as_hugging_face_has_it(write: Write, look: Look) -> None:
    place = write(f"train/{i}.png" for i in range(12))
    write_table(
        place / "train",
        "metadata.csv",
        [["file_name", "label", "patient_id"], *([f"{i}.png", "AB"[i % 2], i // 2 % 6] for i in range(12))],
    )
    seen = look(place)
    assert seen.layout == "table"
    assert section(seen)["file"] == "train/metadata.csv"
    assert counts(seen) == {"A": 6, "B": 6}


def test_metadata_of_every_folder_names_its_own_images(write: Write, look: Look) -> None:
    place = write(f"{part}/{i}.png" for part in ("train", "test") for i in range(6))
    for part, labels in (("train", "AB"), ("test", "BA")):
        write_table(
            place / part, "metadata.csv", [["file_name", "label"], *([f"{i}.png", labels[i % 2]] for i in range(6))]
        )
    seen = look(place)
    assert (seen.layout, section(seen)["file"], counts(seen)) == ("table", "metadata.csv", {"A": 6, "B": 6})


def test_patient_and_part_columns(write: Write, look: Look) -> None:
    place = write(f"images/t{i}.png" for i in range(24))
    rows = [[f"t{i}", i % 2, f"P{i // 3}", ("train", "valid", "test")[i // 3 % 3]] for i in range(24)]
    write_table(place, "labels.csv", [["id", "label", "patient_id", "split"], *rows])
    for seen in (look(place), look(place / "labels.csv")):
        assert section(seen) == {
            "file": "labels.csv",
            "image": "id",
            "label": "label",
            "patient": "patient_id",
            "part": "split",
        }
        assert "parts       test 6, train 9, val 9; no patient in two" in words(seen)
        assert "column patient_id: 8, 3 images each, such as P0, P1, P2" in words(seen)


def test_a_table_without_a_suffix_is_found_and_other_files_without_are_none(write: Write, look: Look) -> None:
    place = write(f"images/{i}.png" for i in range(12))
    write_table(place, "labels", [["image", "diagnosis"], *([i, "ab"[i % 2]] for i in range(12))])
    (place / "README").write_text("Images, 0.png to 11.png,\nof two classes\n", encoding="utf-8")
    assert section(look(place)) == {"file": "labels", "image": "image", "label": "diagnosis"}


def test_two_columns_that_may_be_the_class_or_the_patient_are_asked_about(write: Write, look: Look) -> None:
    place = write(f"{i}.png" for i in range(24))
    rows = [[f"{i}.png", "ab"[i % 2], "xy"[i // 12], f"s{i // 4}", f"q{i % 6}"] for i in range(24)]
    write_table(place, "t.csv", [["file_name", "diagnosis", "class", "subject", "person"], *rows])
    seen = look(place)
    assert dict(questions(seen)) == {"label": ["diagnosis", "class"], "patient": ["subject", "person", "none"]}
    chosen = look(place, label="class", patient="subject")
    assert (counts(chosen), patients(chosen)) == ({"x": 12, "y": 12}, 6)


def test_one_hot_columns(write: Write, look: Look) -> None:
    place = write(f"{i}.png" for i in range(12))
    write_table(place, "truth.csv", [["image", "MEL", "NV"], *([i, i % 2, 1 - i % 2] for i in range(12))])
    seen = look(place)
    assert section(seen)["label"] == ["MEL", "NV"]
    assert counts(seen) == {"MEL": 6, "NV": 6}


def test_patients_in_a_second_table_are_joined(write: Write, look: Look) -> None:
    place = write(f"{i}.png" for i in range(24))
    write_table(place, "truth.csv", [["image", "label"], *([i, "ab"[i // 12]] for i in range(24))])
    write_table(place, "groups.csv", [["name", "lesion_id"], *([i, f"L{i // 3}"] for i in range(24))])
    seen = look(place)
    assert section(seen)["join"] == {"file": "groups.csv", "key": "image", "key_there": "name"}
    assert (section(seen)["patient"], patients(seen)) == ("lesion_id", 8)
    assert "further     groups.csv is joined by image" in words(seen)


@pytest.mark.parametrize(
    ("pattern", "match"),
    [
        ("scans/P{p}/img{i}.png", 2),
        ("{p}/{i}.png", 1),
        ("scans/P{p}_{i}.png", r"(?:^|/)(P\d+)_[^/]*$"),
        ("P{p}_left_{i}.png", r"(?:^|/)(P\d+)_[^/]*$"),
    ],
)
def test_a_table_with_a_row_a_patient(write: Write, look: Look, pattern: str, match: int | str) -> None:
    place = write(pattern.format(p=f"{p:02}", i=i) for p in range(12) for i in range(3))
    letter = "P" if "P" in pattern else ""
    rows = [[f"{letter}{p:02}", ("malignant", "benign")[p % 2], 40 + p, "fm"[p % 3 == 0]] for p in range(12)]
    write_table(place, "clinical.csv", [["Patient ID", "Diagnosis", "Age", "Sex"], *rows])
    for seen in (look(place), look(place / "clinical.csv"), look(place, image="Patient ID")):
        assert section(seen) == {
            "file": "clinical.csv",
            "image": "Patient ID",
            "match": match,
            "label": "Diagnosis",
            "patient": "Patient ID",
        }
        assert (counts(seen), patients(seen)) == ({"benign": 18, "malignant": 18}, 12)
        assert "several a row of clinical.csv: column Patient ID is" in words(seen)


def test_slides_of_patients_in_a_table_keep_to_the_patient(write: Write, look: Look) -> None:
    place = write(f"s{s:02}/{i}.png" for s in range(16) for i in range(2))
    rows = [[f"s{s:02}", s // 2 % 2, f"A{s // 2}"] for s in range(16)]
    write_table(place, "slides.csv", [["slide", "label", "patient"], *rows])
    seen = look(place)
    assert (section(seen)["image"], section(seen)["patient"], patients(seen)) == ("slide", "patient", 8)


def test_a_table_of_patients_without_a_class_leaves_it_to_the_folders(write: Write, look: Look) -> None:
    place = write(f"{CLASSES[p % 2]}/P{p}_{i}.png" for p in range(12) for i in range(3))
    write_table(place, "clinical.csv", [["patient", "sex"], *([f"P{p}", "fm"[p // 6]] for p in range(12))])
    seen = look(place)
    assert (section(seen)["label"], section(seen)["patient"], patients(seen)) == ("^(?P<label>[^/]+)/", "patient", 12)
    assert counts(seen) == dict.fromkeys(CLASSES, 18)
    assert "subgroups   sex" in words(seen)

    write_table(place, "clinical.csv", [["patient", "sex"], *([f"P{p}", "fm"[p // 6]] for p in range(10))])
    seen = look(place)  # the table would leave images out
    assert (seen.layout, section(seen)["label"], patients(seen)) == ("folders", 1, 12)
    assert len(look(place / "clinical.csv").listing.images) == 30  # as the user says


def test_a_table_of_images_without_a_class_leaves_it_to_the_folders(write: Write, look: Look) -> None:
    names = [f"{CLASSES[n % 2]}/{n}.png" for n in range(36)]
    place = write(names)
    rows = [[name, f"A{n // 2}", n // 6 + 40, "xyz"[n % 3]] for n, name in enumerate(names)]
    write_table(place, "images.csv", [["file_name", "patient_id", "age", "view"], *rows])
    seen = look(place)
    assert (section(seen)["label"], section(seen)["patient"]) == ("^(?P<label>[^/]+)/", "patient_id")
    assert (counts(seen), patients(seen)) == (dict.fromkeys(CLASSES, 18), 18)
    assert "subgroups   age, view" in words(seen)


def test_a_table_that_only_describes_does_not_hide_the_parts_of_folders(write: Write, look: Look) -> None:
    names = [f"{('train', 'test')[p // 8]}/{CLASSES[p % 2]}/P{p}_{i}.png" for p in range(12) for i in range(3)]
    place = write(names)
    rows = [[f"P{p}", "fm"[p // 6], ("train", "test")[p // 8]] for p in range(12)]
    write_table(place, "clinical.csv", [["patient", "sex"], *(row[:2] for row in rows)])
    seen = look(place)
    assert (seen.layout, section(seen)["part"]) == ("folders", "auto")
    write_table(place, "clinical.csv", [["patient", "sex", "part"], *rows])
    seen = look(place)
    assert (seen.layout, section(seen)["part"], patients(seen)) == ("table", "part", 12)


@pytest.mark.parametrize(
    "rows",
    [
        [["class", "malignant"], ["adenosis", 0], ["ductal", 1], ["lobular", 1], ["papillary", 1]],  # of classes
        [["id", "grade"], *([f"P{p}", p % 2] for p in (1, 1, 2, 3, 4, 5))],  # a name twice
        [["id", "grade"], *([f"P{p}", p % 2] for p in range(3))],  # of few
    ],
)
def test_other_tables_are_of_no_patients(write: Write, look: Look, rows: list[list[object]]) -> None:
    names = ("adenosis benign", "ductal carcinoma", "lobular carcinoma", "benign papillary")
    place = write(f"{c}/P{3 * n + p}_{i}.png" for n, c in enumerate(names) for p in range(3) for i in range(2))
    write_table(place, "notes.csv", rows)
    assert (look(place).layout, patients(look(place))) == ("folders", 12)


@pytest.mark.parametrize(
    ("classes", "positive"),
    [
        (("bösartig", "gutartig"), "bösartig"),
        (("Maligno", "Sano"), "Maligno"),
        (("malin", "bénin"), "malin"),
        (("Bo\u0308sartig", "Gutartig"), "B\u00f6sartig"),  # as macOS writes names
        (("tumor", "no tumor"), "tumor"),
    ],
)
def test_the_class_that_is_looked_for_is_known_in_other_languages(
    write: Write, look: Look, classes: tuple[str, str], positive: str
) -> None:
    seen = look(write(f"{c}/{i}.png" for c in classes for i in range(6)))
    assert seen.entry
    assert seen.entry["positive"] == positive


def test_numbered_folders_are_no_classes(write: Write, look: Look) -> None:
    with pytest.raises(UserError, match="nothing names a class; folders there: PAC00, PAC01"):
        look(write(f"PAC{p:02}/{i}.png" for p in range(12) for i in range(3)))
    assert section(look(write(f"grade{g}/{i}.png" for g in range(3) for i in range(4))))["label"] == 1


def test_a_table_a_part(write: Write, look: Look) -> None:
    place = write(f"{i}.png" for i in range(12))
    for part, numbers in (("train", range(8)), ("test", range(8, 12))):
        write_table(place, f"{part}.csv", [["image", "label"], *([f"{i}.png", i % 2] for i in numbers)])
    seen = look(place)
    assert section(seen)["file"] == {"test": "test.csv", "train": "train.csv"}
    assert "parts       test 4, train 8" in words(seen)


def test_a_table_against_folders_is_asked_about(write: Write, look: Look) -> None:
    place = write(f"{CLASSES[i % 2]}/{i}.png" for i in range(12))
    write_table(
        place, "t.csv", [["file_name", "label"], *([f"{CLASSES[i % 2]}/{i}.png", "ab"[i // 6]] for i in range(12))]
    )
    assert questions(look(place))[0] == ("label", ["label", "1"])


def test_labelled_and_unlabelled_images_as_patch_camelyon_on_kaggle(write: Write, look: Look) -> None:
    place = write([*(f"train/{i:04x}.tif" for i in range(24)), *(f"test/f{i:03x}.tif" for i in range(8))])
    write_table(
        place, "train_labels.csv", [["id", "label", "wsi"], *([f"{i:04x}", i % 2, i // 2 % 6] for i in range(24))]
    )
    write_table(place, "sample_submission.csv", [["id", "label"], *([f"f{i:03x}", 0] for i in range(8))])
    seen = look(place)
    assert section(seen) == {
        "file": "train_labels.csv",
        "image": "id",
        "label": "label",
        "patient": "wsi",
        "root": "train",
    }
    assert (counts(seen), patients(seen)) == ({"0": 12, "1": 12}, 6)
    assert "left out" not in words(seen)
    assert "further     sample_submission.csv names the images too, but no class" in words(seen)


BREAKHIS = [f"SOB_{'M_DC' if n > 3 else 'B_A'}-14-{2980 + n}-40-{i:03}.png" for n in range(8) for i in range(3)]


@pytest.mark.parametrize(
    ("names", "layout", "number"),
    [
        (BREAKHIS, "breakhis", 8),
        ([f"Dataset_BUSI/{c}/{c} ({i}).png" for c in ("benign", "malignant", "normal") for i in range(4)], "busi", 12),
        ([f"part_1/ISIC_{i:07}.jpg" for i in range(12)], "ham10000", 6),
    ],
)
def test_published_data_sets_are_named(write: Write, look: Look, names: list[str], layout: str, number: int) -> None:
    place = write(names)
    if layout == "ham10000":
        columns = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]
        rows = [
            [f"HAM_{i // 2}", f"ISIC_{i:07}", ("nv", "mel")[i // 2 % 2], "histo", 50, "male", "back"] for i in range(12)
        ]
        write_table(place, "HAM10000_metadata", [columns, *rows])
    archive = Path(shutil.make_archive(str(place.with_name("all")), "zip", place))
    for seen in (look(place), look(archive)):
        assert seen.entry
        assert (seen.layout, seen.entry["layout"], seen.entry["folders"]) == (layout, layout, None)
        assert patients(seen) == number


def one_class(write: Write) -> Path:
    return write(f"benign/{i}.png" for i in range(10))


def no_class(write: Write) -> Path:
    return write(f"{i}.png" for i in range(10))


def table_of_others(write: Write) -> Path:
    place = write(f"{i}.png" for i in range(10))
    (place / "t.csv").write_text("image,label\nx,benign\ny,malignant\n")
    return place


def masks(write: Write) -> Path:
    return write(f"benign/{i}_mask.png" for i in range(3))


def table_without_class(write: Write) -> Path:
    place = write(f"{i}.png" for i in range(10))
    write_table(place, "t.csv", [["image", "age"], *([i, 40 + i] for i in range(10))])
    return place / "t.csv"


def no_image(write: Write) -> Path:
    place = write([])
    place.mkdir()
    (place / "scan.czi").write_bytes(b"x")
    return place


def damaged(write: Write) -> Path:
    place = write(["a.png"]).with_name("x.zip")
    place.write_bytes(b"PK no archive")
    return place


def outside(write: Write) -> Path:
    place = write(["a.png"]).with_name("x.zip")
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("../benign/x.png", b"")
    return place


def cut(write: Write) -> Path:
    place = write([f"{c}/{i}.png" for c in CLASSES for i in range(9)])
    whole = place.with_name("x.tar.gz")
    with tarfile.open(whole, "w:gz") as archive:
        archive.add(place, "x")
    whole.write_bytes(whole.read_bytes()[:-3000])
    return whole


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (one_class, "all 10 images are of one class, 'benign'; two are needed"),
        (no_class, "nothing names a class; all images lie in one folder; such as 0.png"),
        (table_of_others, "all images lie in one folder; t.csv names none of them; such as 0.png"),
        (masks, "holds only masks, benign/0_mask.png among them; give the folder with the images too"),
        (table_without_class, "t.csv: no column names a class; give it by --label, one of image, age"),
        (no_image, "holds no image that can be read here; there are: 1 .czi"),
        (damaged, "x.zip is no zip archive, or a damaged one"),
        (outside, "x.zip is refused: member '../benign/x.png' would lie outside"),
        (cut, "x.tar.gz is no tar archive, or a damaged one"),
        (lambda write: write(["a.png"]) / "a.png", "a.png is none of a folder, an archive"),
        (lambda write: write(["a.png"]) / "b", "b not found; give a folder"),
    ],
)
def test_bad_input_is_one_line(write: Write, look: Look, make: Callable[[Write], Path], message: str) -> None:
    with pytest.raises(UserError) as error:
        look(make(write))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patient": r"nothing(\d+)"}, "--patient: expression 'nothing"),
        ({"patient": "(a"}, "--patient: expression '(a' is not valid"),
        ({"part": "1"}, "--part 1: says none of train, val and test, but 'benign'"),
        ({"patient": "subject"}, "--patient subject: neither a column (no table) nor a folder level"),
        ({"label": "3"}, "--label 3: no folder at level 3"),
        ({"image": "file"}, "--image file: no table with that column"),
        ({"names": dict.fromkeys(CLASSES, "x")}, "all images are of one class, 'x'; two are needed"),
        ({"names": {"2": "x"}}, "--name 2: no such label; there are benign, malignant"),
    ],
)
def test_options_that_fit_nothing(write: Write, look: Look, options: dict[str, object], message: str) -> None:
    place = write(f"{c}/{i}.png" for c in CLASSES for i in range(4))
    with pytest.raises(UserError) as error:
        look(place, **options)
    assert message in str(error.value)


def test_too_few_patients_and_a_part_of_one_class_are_missing(write: Write, look: Look) -> None:
    names = [f"train/benign/p{p}_{i}.png" for p in range(4) for i in range(3)]
    seen = look(write([*names, *(f"test/malignant/p9_{i}.png" for i in range(3))]))
    text = words(seen)
    assert "missing     class malignant has 1 patient, too few for train, val and test" in text
    assert "missing     class benign in part test" in text
