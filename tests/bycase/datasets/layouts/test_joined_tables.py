from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.core.params_layouts import TableParams
from bycase.datasets.layouts.joined_tables import find_tables
from bycase.datasets.layouts.listing import list_files
from tests.fixtures.own_images import write

IMAGES = "image,label\na,benign\nb,malignant\n"
JOIN = {"file": "lesions.csv", "key": "image"}


def test_a_table_outside_the_data_set_is_given_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    place = write(tmp_path, "t.csv", IMAGES)
    frame, places = find_tables(tmp_path / "raw", [], TableParams(file=str(place)))
    assert frame.to_dict("list") == {"image": ["a", "b"], "label": ["benign", "malignant"], "/folder": ["", ""]}
    assert places == [place]


@pytest.mark.parametrize(
    ("tables", "table", "message"),
    [
        ({"a.csv": "", "b.tsv": ""}, {}, "table.file: name the table; there are a.csv, b.tsv"),
        ({"a.md": ""}, {}, "table.file: no table below "),
        (
            {"t.csv": IMAGES, "one/lesions.csv": "image,lesion\na,1\n", "two/lesions.csv": "image,lesion\na,2\n"},
            {"file": "t.csv", "join": JOIN},
            "table.join.file: several tables lesions.csv, which differ; give the path of one",
        ),
        (
            {"t.csv": IMAGES, "lesions.csv": "image,lesion\na,1\na,2\n"},
            {"file": "t.csv", "join": JOIN},
            "table.join: lesions.csv has several different rows of image 'a'; leave one",
        ),
        (
            {"t.csv": IMAGES, "lesions.csv": "image,lesion\na.png,1\n"},
            {"file": "t.csv", "join": JOIN},
            "table.join: no image of t.csv is a image of lesions.csv, such as 'a' and 'a.png'; correct the keys",
        ),
    ],
)
def test_tables_that_are_not_clear_stop_in_one_line(
    tmp_path: Path, tables: dict[str, str], table: dict[str, object], message: str
) -> None:
    for name, content in tables.items():
        write(tmp_path, name, content)
    with pytest.raises(UserError) as raised:
        find_tables(tmp_path, list_files(tmp_path), TableParams.model_validate(table))
    assert str(raised.value).startswith(message)
