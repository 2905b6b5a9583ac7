"""What people have where a split is asked for, and what is read out of it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.splits.claims import read_claims

ONE = {"": {("a1", "train"), ("b 2", "val"), ("c3", "test")}}
TWO = {"1": {("a1", "train"), ("c3", "test")}, "2": {("a1", "test"), ("c3", "train")}}


OTHER = {"name": "bild", "part": "gruppe"}


def read(path: Path, **columns: str) -> dict[str, set[tuple[str, str]]]:
    return {claim.fold: set(map(tuple, claim.table.to_numpy())) for claim in read_claims(path, columns)}


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("s.csv", "image,part\na1,train\nb 2,valid\nc3,test\n", ONE),
        ("s.csv", "\ufeffPatient;Split;age\na1;Train;3\nb 2;dev;3\nc3;TEST;4\n", ONE),
        ("s.tsv", "slide\tset\na1\ttrain\nb 2\tvalidation\nc3\ttest\n", ONE),
        ("s.csv", "a1,train\nb 2,val\nc3,test\n", ONE),
        ("s.csv", "train,a1\nval,b 2\ntest,c3\n", ONE),
        ("s.csv", "patient,image,part\np,a1,train\np,b 2,val\nq,c3,test\n", ONE),
        ("s.csv", "train,val,test\na1,b 2,c3\n", ONE),
        ("Folds.csv", "fold,mag,grp,filename\n1,40,train,a1\n1,40,test,c3\n2,40,test,a1\n2,40,train,c3\n", TWO),
        ("folds.csv", "image,fold1,fold2\na1,train,test\nc3,test,train\n", TWO),
        ("folds.csv", "patient,fold\nc3,1\na1,2\n", TWO),
        ("folds.csv", "patient,split\nc3,1\na1,2\n", TWO),
        ("dsfold1.txt", "a1|40|1|train\nc3|40|1|test\n", {"1": {("a1", "train"), ("c3", "test")}}),
        ("two.txt", "Training patients:\na1\n\nValidation (1 patient):\nb 2x\n[test]\nc3\n", {
            "": {("a1", "train"), ("b 2x", "val"), ("c3", "test")}}),
        ("two.txt", "train: a1 a2\ntest: c3, c4\n", {
            "": {("a1", "train"), ("a2", "train"), ("c3", "test"), ("c4", "test")}}),
        ("two.txt", 'train_ids = ["a1",\n  "a2"]\ntest_ids = ["c3"]\n', {
            "": {("a1", "train"), ("a2", "train"), ("c3", "test")}}),
        ("two.txt", "train\nbenign (1).png\ntest\nbenign (2).png\n", {
            "": {("benign (1).png", "train"), ("benign (2).png", "test")}}),
        ("folds.txt", "Fold 1\ntrain: a1\ntest: c3\nFold 2\ntrain: c3\ntest: a1\n", TWO),
        ("s.json", json.dumps({"train": ["a1"], "val": ["b 2"], "test": ["c3"]}), ONE),
        ("s.json", json.dumps({"seed": 1, "of": {"train_ids": ["a1"], "valPatients": ["b 2"], "test": ["c3"]}}), ONE),
        ("s.json", json.dumps({"a1": "train", "b 2": "val", "c3": "test"}), ONE),
        ("s.json", json.dumps([{"image": "a1", "part": "train"}, {"image": "b 2", "part": "val"},
                               {"image": "c3", "part": "test"}]), ONE),
        ("s.json", json.dumps([{"train": ["a1"], "test": ["c3"]}, {"train": ["c3"], "test": ["a1"]}]), TWO),
        ("s.json", json.dumps({"test": {"c3": ["c3-1", "c3-2"]}}), {
            "": {("c3", "test"), ("c3-1", "test"), ("c3-2", "test")}}),
        ("s.jsonl", '{"image": "a1", "part": "train"}\n{"image": "b 2", "part": "val"}\n'
                    '{"image": "c3", "part": "test"}\n', ONE),
        ("s.yaml", "fold_1: {train: [a1], test: [c3]}\nfold_2: {train: [c3], test: [a1]}\n", TWO),
        ("s.yml", "test_patients:\n- c3\n- 123\n", {"": {("c3", "test"), ("123", "test")}}),
    ],
)  # fmt: skip
def test_forms(tmp_path: Path, file: str, text: str, expected: dict[str, set[tuple[str, str]]]) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert read(tmp_path / file) == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text("image;part\nMäder 1;train\nMäder 2;test\n", encoding=encoding)
    assert read(path) == {"": {("Mäder 1", "train"), ("Mäder 2", "test")}}


def test_columns_of_other_names_are_given(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("bild;image;gruppe;falte\na1;x;Train;1\nb 2;x;val;1\nc3;x;TEST;1\n")
    assert read(path, **OTHER) == ONE
    assert set(read(path, **OTHER, fold="falte")) == {"1"}
    with pytest.raises(UserError, match=r"--image or --patient foto: .*s.csv has no such column; there are bild"):
        read_claims(path, {"name": "foto"})
    with pytest.raises(UserError, match="is no table, so that it has no column 'bild'"):
        read_claims(tmp_path, OTHER)
    pd.DataFrame({"bild": ["a1", "b 2", "c3"], "gruppe": ["train", "val", "test"]}).to_excel(
        tmp_path / "s.xlsx", index=False
    )
    assert read(tmp_path / "s.xlsx", **OTHER) == ONE


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train/benign/a1.png", "test/malignant/c3.jpg", "notes/x.png", "train/readme.txt"], {
            "": {("a1.png", "train"), ("c3.jpg", "test")}}),
        (["benign/train/a1.png", "malignant/Validation/b2.png"], {"": {("a1.png", "train"), ("b2.png", "val")}}),
        (["fold1/train/40X/a1.png", "fold1/test/40X/c3.png", "fold2/test/40X/a1.png"], {
            "1": {("a1.png", "train"), ("c3.png", "test")}, "2": {("a1.png", "test")}}),
    ],
)  # fmt: skip
def test_folders(tmp_path: Path, names: list[str], expected: dict[str, set[tuple[str, str]]]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert read(tmp_path) == expected


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("none.csv", None, "none.csv not found: give a table"),
        ("empty.csv", b"", "names nothing in train, val or test"),
        ("binary.csv", b"\x89PNG\r\n\0\0", "binary.csv is no table that can be read here"),
        ("s.csv", b"image,part\na,train\nb,other\n", "image b has part 'other'; valid are train"),
        (
            "s.csv",
            b"image,part\n" + 200 * b"a,train\n" + b"b,test,x\n",
            "line 202: 3 columns, where the first line has 2",
        ),
        ("s.csv", b"image,label\na,x\n", "columns image, label, of which none is known to hold parts or folds"),
        ("s.csv", b"foo,bar\na,x\n", "none is known to hold images, slides or patients"),
        ("s.json", b"{", "is no JSON"),
        ("s.yaml", b"a: [", "is no YAML"),
        ("s.json", b'{"a": 1}', "names nothing"),
        ("list.txt", b"a1\nb2\n", "names nothing"),
    ],
)
def test_what_is_no_split_is_one_line(tmp_path: Path, file: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_claims(tmp_path / file)
    assert "\n" not in str(caught.value)
