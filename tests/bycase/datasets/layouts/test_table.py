from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.params_layouts import TableParams
from bycase.datasets.layouts.listing import Listing
from bycase.datasets.layouts.table import read_table_layout
from bycase.tables.tabular import read_any_table
from tests.fixtures.own_images import draw, summary, write

CLASSES = ["Benign", "Malignant"]
JSON = ('{"file_name": "a.png", "label": "benign", "age": 45.0}', '{"file_name": "b.png", "label": "malignant"}')
ROWS = [("file_name", "label", "age"), ("a.png", "benign", "45"), ("b.png", "malignant", "")]


def read(folder: Path, classes: list[str] = CLASSES, /, **places: Any) -> Listing:
    return read_table_layout(folder, TableParams.model_validate(places), classes)


def text(delimiter: str = ",", rows: list[tuple[str, ...]] = ROWS) -> str:
    return "".join(delimiter.join(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("t.csv", text(), "utf-8"),
        ("t.csv", text(), "utf-8-sig"),
        ("t.csv", text().replace("\n", "\r\n"), "utf-16"),
        ("t.tsv", text("\t"), "utf-8"),
        ("t", text(";"), "utf-8"),
        ("t.txt", text("|"), "utf-8"),
        ("t.csv", ",file_name,label,age,\n0,a.png,benign,45,\n1, b.png ,malignant,,\n\n", "utf-8"),
        ("t.jsonl", f"{JSON[0]}\n{JSON[1]}\n", "utf-8"),
        ("t.json", f"[{JSON[0]}, {JSON[1]}]", "utf-8"),
    ],
)
def test_every_form_of_a_table_reads_alike(tmp_path: Path, name: str, content: str, encoding: str) -> None:
    table = read_any_table(write(tmp_path, name, content, encoding))
    pd.testing.assert_frame_equal(table, pd.DataFrame(ROWS[1:], columns=list(ROWS[0]), dtype=str))


def test_excel_reads_alike_and_sheets_have_names(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["nothing"])
    sheet = book.create_sheet("cases")
    for row in (ROWS[0], ("a.png", "benign", 45), ("b.png", "malignant", None)):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    assert read_any_table(tmp_path / "t.xlsx", "cases").to_numpy().tolist() == [list(row) for row in ROWS[1:]]
    with pytest.raises(UserError, match="has no sheet 'case'; there are Sheet, cases"):
        read_any_table(tmp_path / "t.xlsx", "case")


@pytest.mark.parametrize(
    ("match", "names"),
    [(1, ("p1/a.png", "p1/b.png", "p2/a.png")), (r"(?i)(P\d)_", ("x/p1_a.png", "x/p1_b.png", "x/p2_a.png"))],
)
def test_a_row_of_all_images_of_a_patient(tmp_path: Path, match: int | str, names: tuple[str, ...]) -> None:
    draw(tmp_path, *names, names[0].replace("p1", "p3"), "stray.png")
    rows = [("id", "label", "age"), ("P1", "benign", "45"), ("p2", "malignant", "50"), ("p4", "benign", "60")]
    write(tmp_path, "t.csv", text(rows=rows))
    listing = read(tmp_path, image="id", match=match, patient="id")
    assert {image.source.as_posix(): (image.label, image.case, image.age) for image in listing.images} == {
        names[0]: ("Benign", "P1", "45"),
        names[1]: ("Benign", "P1", "45"),
        names[2]: ("Malignant", "p2", "50"),
    }
    assert listing.rows_without_image == ["p4"]
    assert {each.source.as_posix() for each in listing.rejected} == {names[0].replace("p1", "p3"), "stray.png"}
    assert {each.reason for each in listing.rejected} == {"no row of the table names it"}


def test_rows_of_a_patient_that_differ_are_not_used(tmp_path: Path) -> None:
    draw(tmp_path, "p1/a.png", "p2/a.png")
    write(tmp_path, "t.csv", text(rows=[("id", "label"), ("p1", "benign"), ("p1", "malignant"), ("p2", "benign")]))
    listing = read(tmp_path, image="id", match=-1)
    assert [image.source.as_posix() for image in listing.images] == ["p2/a.png"]
    assert [each.reason for each in listing.rejected] == ["2 rows of the table name it, which differ"]


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"image": "id", "match": 0}, "match: folder levels count from 1"),
        ({"image": "id", "match": "("}, "match: "),
        ({"match": 1}, "match: name the column that holds what it finds, as image"),
    ],
)
def test_where_rows_match_is_checked(places: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TableParams.model_validate(places)


def test_folders_that_a_number_does_not_tell_apart_are_refused(tmp_path: Path) -> None:
    draw(tmp_path, "07/a.png", "7/a.png", "007b/a.png")
    write(tmp_path, "t.csv", text(rows=[("id", "label"), ("7", "benign"), ("007b", "malignant")]))
    with pytest.raises(UserError, match=r"table\.match: 07 and 7 would be one; name them apart, in the table too"):
        read(tmp_path, image="id", match=1)


def test_rows_that_match_nothing_are_named(tmp_path: Path) -> None:
    draw(tmp_path, "p1/a.png")
    write(tmp_path, "t.csv", text(rows=[("id", "label"), ("q", "benign")]))
    with pytest.raises(UserError, match=r"none of 1 rows finds an image, the first of them 'q'; .*, root or match"):
        read(tmp_path, image="id", match=1)
    with pytest.raises(UserError, match=r"table.match: expression 'z\(.\)' matches none of 1 images"):
        read(tmp_path, image="id", match="z(.)")


def test_hugging_faces_metadata_needs_no_setting(tmp_path: Path) -> None:
    draw(tmp_path, "train/a.png", "train/b.png", "test/a.png")
    write(tmp_path, "train/metadata.csv", text())
    write(tmp_path, "test/metadata.csv", text(rows=ROWS[:2]))
    listing = read(tmp_path, part="^(train|test)/")
    assert summary(listing) == {
        "test/a.png": ("Benign", "test/a", "test", ""),
        "train/a.png": ("Benign", "train/a", "train", ""),
        "train/b.png": ("Malignant", "b", "train", ""),
    }
    assert listing.rejected == []


@pytest.mark.parametrize(
    "value", ["deep/x1.png", "x1.png", "x1", "./deep/x1.JPG", "C:\\data\\deep\\x1.png", "/home/me/deep/x1.png", "X1"]
)
def test_images_are_found_by_path_name_stem_or_id(tmp_path: Path, value: str) -> None:
    draw(tmp_path, "far/deep/x1.png", "far/other/x2.png")
    write(tmp_path, "t.csv", text(rows=[("image", "label"), (value, "benign"), ("x2", "malignant")]))
    assert list(summary(read(tmp_path))) == ["far/deep/x1.png", "far/other/x2.png"]


def test_an_id_and_a_suffix_name_a_file_and_root_tells_two_apart(tmp_path: Path) -> None:
    draw(tmp_path, "full/7_crop.png", "half/7_crop.png", "full/8_crop.png")
    write(tmp_path, "t.csv", text(rows=[("id", "label"), ("7", "benign"), ("8", "malignant")]))
    listing = read(tmp_path, suffix="_crop.png", root="full")
    assert list(summary(listing)) == ["full/7_crop.png", "full/8_crop.png"]
    with pytest.raises(UserError, match=r"table\.image: '7' is the name of 2 different images, such as full/7"):
        read(tmp_path, suffix="_crop.png")


def test_columns_say_patient_part_fold_and_subgroups(tmp_path: Path) -> None:
    draw(tmp_path, *(f"{n}.png" for n in range(6)))
    rows = [("image", "y", "pid", "set", "cv", "centre", "size_mm", "remark", "width")]
    rows += [
        (f"{n}", f"{n % 2}", f"p{n // 2}", "train", f"{n % 3}", "AB"[n % 2], f"{n}.5", f"r{n}", "9") for n in range(6)
    ]
    write(tmp_path, "t.csv", text(rows=rows))
    listing = read(tmp_path, label="y", names={0: "Benign", 1: "Malignant"}, patient="pid", part="set", fold="cv")
    assert summary(listing)["3.png"] == ("Malignant", "p1", "train", "0")
    assert dict(listing.images[3].more) == {"centre": "B"}
    named = read(tmp_path, label="y", names={0: "Benign", 1: "Malignant"}, columns={"site": "centre", "mm": "size_mm"})
    assert (named.images[3].site, dict(named.images[3].more)) == ("B", {"mm": "3.5"})


def test_one_hot_columns_and_a_second_table_with_the_lesions(tmp_path: Path) -> None:
    draw(tmp_path, "i/ISIC_1.JPG", "i/ISIC_2.JPG", "i/ISIC_3.JPG")
    hot = [("image", "MEL", "NV"), ("ISIC_1", "1.0", "0.0"), ("ISIC_2", "0.0", "1.0"), ("ISIC_3", "0.0", "0.0")]
    write(tmp_path, "truth.csv", text(rows=hot))
    write(tmp_path, "lesions.tab", text("\t", [("id", "lesion"), ("ISIC_1", "L1"), ("ISIC_2", "L1"), ("ISIC_3", "L2")]))
    listing = read(
        tmp_path,
        ["nevus", "melanoma"],
        file="truth.csv",
        label=["MEL", "NV"],
        names={"MEL": "melanoma", "NV": "nevus"},
        patient="lesion",
        join={"file": "lesions.tab", "key": "image", "key_there": "id"},
    )
    assert [image[:2] for image in summary(listing).values()] == [("melanoma", "L1"), ("nevus", "L1")]
    assert [each.reason for each in listing.rejected] == ["its row has 0 labels where one is needed: none"]


def test_several_label_columns_are_one_label_together(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    write(tmp_path, "t.csv", text(rows=[("image", "organ", "kind"), ("a", "lung", "n"), ("b", "lung", "aca")]))
    names = {"lung/n": "Benign", "lung/aca": "Malignant"}
    assert [image[0] for image in summary(read(tmp_path, label=["organ", "kind"], names=names)).values()] == CLASSES


def test_a_table_a_part(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    write(tmp_path, "one.csv", text(rows=[ROWS[0], ROWS[1]]))
    write(tmp_path, "two.csv", text(rows=[ROWS[0], ROWS[2]]))
    listing = read(tmp_path, file={"train": "one.csv", "test": "two.csv"})
    assert [image[2] for image in summary(listing).values()] == ["train", "test"]


def test_a_file_in_two_folders_with_the_same_bytes_is_no_doubt(tmp_path: Path) -> None:
    draw(tmp_path, "one/a.png", "one/b.png")
    (tmp_path / "two").mkdir()
    (tmp_path / "two/a.png").write_bytes((tmp_path / "one/a.png").read_bytes())
    write(tmp_path, "t.csv", text())
    assert [image[:1] for image in summary(read(tmp_path)).values()] == [("Benign",), ("Malignant",), ("Benign",)]


def test_files_named_twice_or_not_at_all_and_paths_that_lead_out(tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png", "c.png", "d.png", "a_mask.png")
    rows = [("image", "label"), ("a", "benign"), ("a", "benign"), ("b", "benign"), ("b", "malignant"), ("d", "")]
    write(tmp_path, "t.csv", text(rows=[*rows, ("../../etc/x.png", "benign"), ("gone", "malignant")]))
    listing = read(tmp_path)
    assert list(summary(listing)) == ["a.png"]
    assert {each.source.name: each.reason for each in listing.rejected} == {
        "b.png": "2 rows of the table name it, which differ",
        "c.png": "no row of the table names it",
        "d.png": "its row has no label",
    }
    assert listing.rows_without_image == ["../../etc/x.png", "gone"]
    assert "1 rows lead out of the data set by '..', the first to '../../etc/x.png'" in listing.notes


@pytest.mark.parametrize(
    ("content", "places", "message"),
    [
        (text(), {"file": "u.csv"}, "table.file: no table 'u.csv' below"),
        (text(), {"image": "img"}, "table.image: the table has no column 'img'; there are file_name, label, age"),
        (text(), {"label": "dx"}, "table.label: the table has no column 'dx'"),
        (text(), {"patient": "pid"}, "table.patient: the table has no column 'pid'; there are file_name, label, age"),
        (text(), {"patient": r"p(\d"}, "table.patient: expression 'p(\\d' is not valid"),
        (text(), {"patient": r"p(\d)"}, "table.patient: expression 'p(\\d)' matches none of 2 images"),
        (
            text(),
            {"slide": "age"},
            "table: where slides are all that is known, they stand for the patients: name patient",
        ),
        (text(), {"suffix": "_x"}, "table.image: none of 2 rows finds an image, the first of them 'a.png'"),
        (text(), {"root": "nowhere"}, "table.root: no image lies below 'nowhere'"),
        (text(), {"names": {"benign": None}, "columns": ["sex"]}, "table.columns: the table has no column 'sex'"),
        (text(rows=[("x", "y"), ("a", "b")]), {}, "table.image: name the column; there are x, y"),
        (text(rows=[("image", "a", "a"), ("a", "b", "c")]), {}, "has two columns 'a'"),
        (text(rows=[("image", "label"), ("a", "odd"), ("b", "benign")]), {}, "no class: 'odd' (1 images)"),
        ("image,label\na,benign\nb\n", {}, "t.csv, line 3: 1 fields under 2 names"),
        ("image,label\n", {}, "has no rows"),
        (text(), {"join": {"file": "t.csv", "key": "pid"}}, "table.join.key: "),
    ],
)
def test_what_cannot_be_read_stops_in_one_line(
    tmp_path: Path, content: str, places: dict[str, Any], message: str
) -> None:
    draw(tmp_path, "a.png", "b.png")
    write(tmp_path, "t.csv", content)
    with pytest.raises(UserError) as raised:
        read(tmp_path, **places)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
