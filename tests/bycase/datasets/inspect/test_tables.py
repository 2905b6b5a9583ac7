"""Tables that name images, or nearly."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError

from .conftest import Look, Write, write_table


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


def test_the_sheet_of_an_excel_file_that_names_the_images_is_found(place: Path, look: Look) -> None:
    with pd.ExcelWriter(place / "t.xlsx") as book:
        pd.DataFrame({"about": ["hospital"]}).to_excel(book, sheet_name="notes", index=False)
        rows = pd.DataFrame({"image": range(12), "label": list("ab") * 6, "patient": [i // 2 for i in range(12)]})
        rows.to_excel(book, sheet_name="scans", index=False)
    for seen in (look(place), look(place / "t.xlsx")):
        assert (seen.table.sheet, seen.entry["table"]["sheet"], len(seen.listing.images)) == ("scans", "scans", 12)


def test_numbers_that_lost_their_zeros_in_a_spreadsheet_find_their_folders(write: Write, look: Look) -> None:
    place = write(f"{p:03}/{i}.png" for p in range(12) for i in range(2))
    write_table(place, "t.csv", [["patient", "label"], *([p, "ab"[p % 2]] for p in range(12))])
    seen = look(place)
    assert (seen.table.match, len(seen.listing.images)) == (1, 24)
    assert seen.listing.rejected == []


def test_a_table_that_names_nothing_is_named(write: Write, look: Look) -> None:
    place = write(f"scans/{i}.png" for i in range(12))
    write_table(place, "t.csv", [["image", "label"], *([f"x{i}", "ab"[i % 2]] for i in range(12))])
    with pytest.raises(UserError, match=r"nothing names a class; all images lie in one folder; t\.csv names none"):
        look(place)
