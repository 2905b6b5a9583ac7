"""Tables that name images, or nearly."""

import shutil
from pathlib import Path

import pytest

from bycase.core.errors import UserError

from .conftest import Look, Write, write_table


@pytest.fixture
def place(write: Write) -> Path:
    return write(f"{i}.png" for i in range(12))


def test_a_table_of_other_images_is_refused_where_it_is_given(place: Path, look: Look) -> None:
    write_table(place, "t.csv", [["image", "label"], *([f"x{i}", "ab"[i % 2]] for i in range(6))])
    with pytest.raises(UserError, match=r"t\.csv: none of its columns names an image below .*; give the column by"):
        look(place / "t.csv")


def test_of_two_tables_of_classes_one_is_to_be_given(place: Path, look: Look) -> None:
    for name, column in (("one.csv", "label"), ("two.csv", "diagnosis")):
        write_table(place, name, [["image", column], *([i, "ab"[i % 2]] for i in range(12))])
    with pytest.raises(UserError, match=r"2 tables name the images: one\.csv, two\.csv; give the path of one of them"):
        look(place)
    assert look(place / "two.csv").label.chosen.place == "diagnosis"


def test_a_text_that_is_no_table_is_passed_by_unless_it_is_given(place: Path, look: Look) -> None:
    write_table(place, "t.csv", [["image", "label"], *([i, "ab"[i % 2]] for i in range(12))])
    shutil.copy(place / "1.png", place / "notes.txt")
    assert look(place).table.file == "t.csv"
    with pytest.raises(UserError, match=r"notes\.txt is no table that can be read here"):
        look(place / "notes.txt")


def test_paths_that_lead_upwards_find_nothing(place: Path, look: Look) -> None:
    rows = [[f"{'../' * (i > 9)}{i}.png", "ab"[i % 2]] for i in range(12)]
    write_table(place, "t.csv", [["image", "label"], *rows])
    assert [path.as_posix() for path in look(place).table.images] == [f"{i}.png" for i in range(10)]


def test_a_class_and_a_patient_of_other_names_are_found_by_what_they_hold(place: Path, look: Look) -> None:
    rows = [[i, i // 6, f"C{i // 2}"] for i in range(12)]
    write_table(place, "t.csv", [["image", "sick", "accession_code"], *rows])
    assert [each.place for each in look(place).label.rivals] == ["sick", "accession_code"]
    seen = look(place, label="sick")
    assert (seen.label.chosen.place, seen.patient.chosen.place) == ("sick", "accession_code")
