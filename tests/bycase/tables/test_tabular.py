import logging
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.tables.tabular import list_sheets, parse_table, read_any_table

PLACE = Path("t.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0 xls", "table t.csv is an old Excel file; save it as .xlsx or CSV"),
        (b"PK\x03\x04 cut", "table t.csv is no Excel file that can be read"),
        (b"\x89PNG\r\n\0\0", "table t.csv is no table that can be read here (.csv, "),
        (b"\xff\xfea", "table t.csv is no text ('utf-16"),
        (b"image,label\na,b,c\n", "table t.csv, line 2: 3 fields under 2 names"),
        pytest.param(
            b"image,label\na," + b"x" * 200_000 + b"\n",
            "table t.csv cannot be cut into fields (field larger than field limit",
            id="a long field",
        ),
        (b'{"image": "a"}\n{"image": \n', "table t.csv is not JSON, or JSON lines (Expecting value"),
        (b'[{"image": "a"}, "b"]', "table t.csv must hold one JSON object an image"),
        (b"[]", "table t.csv has no rows"),
    ],
)
def test_what_is_no_table_stops_in_one_line(content: bytes, message: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_table(content, PLACE)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_a_table_that_is_not_there_says_why(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"u\.csv cannot be read \(No such file or directory\)"):
        read_any_table(tmp_path / "u.csv")


def test_accents_of_windows_are_read_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        table = parse_table("image,site\na,Mäder\n".encode("cp1252"), PLACE)
    assert table.to_dict("list") == {"image": ["a"], "site": ["Mäder"]}
    assert "table t.csv is not UTF-8 and is read as Windows' cp1252" in caplog.text


def test_empty_fields_too_many_are_no_fields() -> None:
    assert parse_table(b"image,label\na,b,,\n", PLACE).to_dict("list") == {"image": ["a"], "label": ["b"]}


def test_what_json_tells_apart_is_text() -> None:
    table = parse_table(b'[{"image": "a", "seen": true, "age": 45.0, "mm": 1.5}, {"image": "b", "age": NaN}]', PLACE)
    assert table.to_numpy().tolist() == [["a", "true", "45", "1.5"], ["b", "", "", ""]]


def test_sheets_are_listed_of_excel_alone(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        for sheet in ("one", "two"):
            pd.DataFrame({"a": [1]}).to_excel(book, sheet_name=sheet)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    (tmp_path / "cut.xlsx").write_bytes((tmp_path / "t.xlsx").read_bytes()[:100])
    assert [list_sheets(tmp_path / name) for name in ("t.xlsx", "t.csv", "cut.xlsx", "absent")] == [
        ["one", "two"],
        [],
        [],
        [],
    ]
