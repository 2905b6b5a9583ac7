from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.splits.external import complete_subsets, match_images, read_official_fold, read_split_file

MANIFEST = pd.DataFrame(
    {
        "image": ["Benign/a.png", "Benign/b.png", "Malignant/c.png", "Malignant/d_2.png", "Malignant/d_1.png"],
        "source": ["x/benign/a.jpg", "x/benign/b.png", "x/malignant/c 1.png", "x/one/d.png", "x/two/d.png"],
    }
)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("Benign/a.png", "Benign/a.png"),
        ("a.png", "Benign/a.png"),
        ("a.jpg", "Benign/a.png"),
        ("x/benign/a.jpg", "Benign/a.png"),
        ("a", "Benign/a.png"),
        ("c 1", "Malignant/c.png"),
        ("c", "Malignant/c.png"),
        ("d_2", "Malignant/d_2.png"),
        ("x/one/d.png", "Malignant/d_2.png"),
    ],
)
def test_image_is_found_by_path_name_and_stem(name: str, image: str) -> None:
    supplied = match_images(pd.DataFrame({"image": [name], "part": ["test"]}), MANIFEST)
    assert supplied.subsets.to_dict() == {image: "test"}
    assert supplied.missing == [each for each in MANIFEST["image"] if each != image]
    assert (supplied.unknown, supplied.ambiguous, supplied.in_several) == ([], [], [])


def test_what_does_not_match_is_named() -> None:
    rows = [("a", "train"), ("a.png", "train"), ("b", "train"), ("b.png", "test"), ("d.png", "val"), ("e.png", "val")]
    supplied = match_images(pd.DataFrame(rows, columns=["image", "part"]), MANIFEST)
    assert supplied.subsets.to_dict() == {"Benign/a.png": "train"}
    assert supplied.in_several == ["Benign/b.png"]
    assert supplied.ambiguous == ["d.png"]
    assert supplied.unknown == ["e.png"]
    assert supplied.missing == ["Malignant/c.png", "Malignant/d_2.png", "Malignant/d_1.png"]


def test_file_is_read_with_its_usual_liberties(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "\ufeffImage, Part,note\n a.png ,Train,x\nb.png,Validation,\nc.png,test,\n")
    assert read_split_file(path).to_dict("list") == {
        "image": ["a.png", "b.png", "c.png"],
        "part": ["train", "val", "test"],
    }


FOLDS = "fold,mag,grp,filename\n" + "".join(
    f"{fold},40,{'test' if fold == image else 'train'},x/{image}.png\n" for fold in (1, 2, 3) for image in (1, 2, 3)
)
SEVERAL_FOLDS = (
    "several folds, .* reading {} without choosing one fold puts 3 images in train and test alike; "
    "use split.protocol: official"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FOLDS, SEVERAL_FOLDS.format("grp")),
        (FOLDS.replace("grp,filename", "part,image"), SEVERAL_FOLDS.format("part")),
        # Without its column `fold`, as who fell for it would write it.
        (
            pd.read_csv(StringIO(FOLDS))[["filename", "grp"]].set_axis(["image", "part"], axis=1).to_csv(index=False),
            SEVERAL_FOLDS.format("part"),
        ),
        # Most images on one side in every fold, as with many folds of small test parts.
        (
            "image,part,fold\na,train,1\nb,train,1\nc,train,1\nd,test,1\na,test,2\nb,train,2\nc,train,2\nd,test,2\n",
            "reading part without choosing one fold puts 1 images in train and test alike",
        ),
        ("one.png|40|1|train\ntwo.png|40|1|test\n", "form of dsfoldN.txt, .*use split.protocol: official"),
        ("image,split\na,train\n", "column part missing; it needs image,part"),
        ("a,train\nb,test\n", "column image, part missing"),
        ("image,part\na,train\nb,dev1\n", "image b has part 'dev1'; valid are train, training,"),
        ("", "s.csv has no rows"),
        ("image,part\na,b,c,d\ne,f,g,h,i,j\n", "s.csv, line 2: 4 fields under 2 names"),
    ],
)
def test_what_is_no_split_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        read_split_file(write(tmp_path / "s.csv", text))
    assert "s.csv" in str(raised.value)


def test_a_split_is_read_whatever_separates_its_columns(tmp_path: Path) -> None:
    table = read_split_file(write(tmp_path / "s.csv", "Image; Part; site\na.png; Training; x\nb.png; test; y, z\n"))
    assert table.to_numpy().tolist() == [["a.png", "train"], ["b.png", "test"]]


def test_missing_file_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv not found: set split\.file"):
        read_split_file(tmp_path / "none.csv")


def test_fold_numbers_of_a_partition_and_of_our_own_files_are_no_table_of_folds(tmp_path: Path) -> None:
    text = "image,part,fold,group\na,train,1,x\nb,test,2,y\nc,val,3,z\n"
    assert len(read_split_file(write(tmp_path / "s.csv", text))) == 3


COMPLETE = {"Benign/a.png": "train", "Benign/b.png": "test", "Malignant/c.png": "val", "d_1": "train", "d_2": "test"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Malignant/c.png": None}, "1 images that it does not name, Malignant/c.png first; add them"),
        ({"zz.png": "train"}, "1 images that it names, but the manifest does not have, zz.png first; remove them"),
        ({"d.png": "train"}, "1 images that it names, but several images share the name, d.png first; name them as"),
        ({"a.png": "test"}, "1 images that it puts in more than one part, Benign/a.png first; leave each in one"),
        ({"Benign/b.png": "val", "d_2": "val"}, "leaves part test empty"),
        ({"Benign/a.png": "val", "d_1": "val"}, "leaves part train empty"),
    ],
)
def test_doubtful_file_is_no_split(change: dict[str, str | None], message: str) -> None:
    rows = [(image, part) for image, part in (COMPLETE | change).items() if part]
    supplied = match_images(pd.DataFrame(rows, columns=["image", "part"]), MANIFEST)
    with pytest.raises(UserError, match=message):
        complete_subsets(supplied, MANIFEST["image"].tolist(), Path("s.csv"))


def test_images_that_are_not_wanted_need_no_part() -> None:
    supplied = match_images(pd.DataFrame({"image": ["a", "b"], "part": ["test", "train"]}), MANIFEST)
    parts = complete_subsets(supplied, ["Benign/b.png", "Benign/a.png"], Path("s.csv"))
    assert parts.to_dict() == {"Benign/b.png": "train", "Benign/a.png": "test"}


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
        ("Folds.csv", "", "has no rows"),
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
