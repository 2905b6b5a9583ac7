from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.splits.external import read_official_fold

FOLDS_CSV = """fold,mag,grp,filename
1,40,train,BreaKHis_v1/histology_slides/breast/benign/SOB/a/40X/one.png
1,40,test,BreaKHis_v1/histology_slides/breast/benign/SOB/a/40X/two.png
2,40,test,BreaKHis_v1/histology_slides/breast/benign/SOB/a/40X/one.png
2,40,Train,BreaKHis_v1/histology_slides/breast/benign/SOB/a/40X/two.png
"""
DSFOLD2 = "one.png|40|2|test\ntwo.png|40|2|train\n"


def parts_of(fold: pd.DataFrame) -> dict[str, str]:
    return dict(zip(fold["name"], fold["part"], strict=True))


@pytest.mark.parametrize("place", ["Folds.csv", "deep/er/Folds.csv"])
@pytest.mark.parametrize(
    ("fold", "parts"),
    [(1, {"one.png": "train", "two.png": "test"}), (2, {"one.png": "test", "two.png": "train"})],
)
def test_kaggles_table_gives_the_parts_of_the_asked_fold_only(
    tmp_path: Path, place: str, fold: int, parts: dict[str, str]
) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FOLDS_CSV)
    assert parts_of(read_official_fold(tmp_path, fold)) == parts
    assert parts_of(read_official_fold(path, fold)) == parts


@pytest.mark.parametrize("text", [DSFOLD2, DSFOLD2.upper().replace("ONE.PNG", "one.png").replace("TWO.PNG", "two.png")])
def test_publishers_text_file_gives_the_parts_of_its_fold(tmp_path: Path, text: str) -> None:
    (tmp_path / "dsfold1.txt").write_text(DSFOLD2.replace("|2|", "|1|").replace("two", "three"))
    (tmp_path / "dsfold2.txt").write_text(text)
    expected = {"one.png": "test", "two.png": "train"}
    assert parts_of(read_official_fold(tmp_path, 2)) == expected
    assert parts_of(read_official_fold(tmp_path / "dsfold2.txt", 2)) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other.txt", DSFOLD2, "holds neither Folds.csv nor dsfold2.txt; set split.folds_file, or split.protocol"),
        ("dsfold1.txt", DSFOLD2, "holds neither Folds.csv nor dsfold2.txt"),
        ("dsfold2.txt", DSFOLD2.replace("|2|", "|3|"), "has no fold 2; it has 3"),
        ("Folds.csv", FOLDS_CSV.replace("\n2,", "\n3,"), "has no fold 2; it has 1, 3"),
        ("Folds.csv", FOLDS_CSV.replace("grp", "group"), "lacks one of the columns fold, grp, filename"),
        ("dsfold2.txt", "one.png,40,2,test\n", "is not of the form name|magnification|fold|part"),
        ("dsfold2.txt", DSFOLD2 * 2, "image one.png stands twice in fold 2"),
        ("Folds.csv", FOLDS_CSV + FOLDS_CSV.splitlines()[3], "image one.png stands twice in fold 2"),
        ("dsfold2.txt", DSFOLD2.replace("test", "val"), "fold 2 has part 'val'; only train and test are known"),
        ("dsfold2.txt", "", "is no table of folds"),
        ("Folds.csv", "", "is no table of folds"),
        ("dsfold2.txt", "one.png|40\n" + DSFOLD2, "is no table of folds"),
        ("dsfold2.txt", "\x80\udcff", "is no table of folds"),
    ],
)
def test_file_that_is_missing_or_of_no_known_form_is_named(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError) as raised:
        read_official_fold(tmp_path, 2)
    assert message in str(raised.value)


def test_missing_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none holds neither Folds\.csv nor dsfold1\.txt"):
        read_official_fold(tmp_path / "none", 1)
