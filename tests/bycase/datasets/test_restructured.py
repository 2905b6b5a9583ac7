from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bycase.datasets.layouts.breakhis import read_layout
from bycase.datasets.restructure import Restructured, convert_all
from bycase.tables.manifest import COLUMNS

CLASSES = ["Benign", "Malignant"]
NAME = "SOB_M_DC-14-2980-40-001.png"
Outcome = tuple[Restructured, Path]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def converted(raw: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """Converts what is below `raw`; gives the result and the folder."""

    def run(size: int = 32) -> Outcome:
        folder = tmp_path / "restructured"
        folder.mkdir()
        return convert_all(read_layout(raw), raw, folder, CLASSES, size, "squash", workers=2), folder

    return run


def save(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (9, 7)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_every_image_has_a_row_and_a_file_and_nothing_else_has(
    raw: Path, converted: Callable[..., Outcome], breakhis_folder: Callable[..., dict[str, Path]]
) -> None:
    names = breakhis_folder(raw)
    result, folder = converted()
    assert sorted(result.manifest["image"]) == written(folder)
    assert sorted(Path(source).name for source in result.manifest["source"]) == sorted(names)
    assert all((raw / source).is_file() for source in result.manifest["source"])
    assert (result.rejected, result.copies) == ([], [])


def test_row_says_what_the_name_and_the_file_say(raw: Path, converted: Callable[..., Outcome]) -> None:
    save(raw / "any where" / "SOB_B_A-14-22549AB-100-012.png", (1, 2, 3), (70, 46))
    result, _ = converted()
    row = result.manifest.iloc[0].to_dict()
    assert tuple(row) == COLUMNS
    assert len(row.pop("sha256")) == 64
    assert len(row.pop("phash")) == 16
    assert row == {
        "image": "Benign/SOB_B_A-14-22549AB-100-012.png",
        "label": "Benign",
        "subtype": "A",
        "magnification": 100,
        "folder": "A-14-22549AB",
        "case": "14-22549",
        "group": "14-22549",
        "width": 70,
        "height": 46,
        "source": "any where/SOB_B_A-14-22549AB-100-012.png",
        "mask": "",
        "age": "",
        "sex": "",
        "site": "",
        "confirmed_by": "",
    }


def test_folders_of_all_classes_are_there_even_without_images(raw: Path, converted: Callable[..., Outcome]) -> None:
    save(raw / NAME, (1, 2, 3))
    _, folder = converted()
    assert sorted(path.name for path in folder.iterdir()) == CLASSES


def test_one_name_with_the_same_bytes_is_kept_once_and_listed_as_a_copy(
    raw: Path, converted: Callable[..., Outcome]
) -> None:
    save(raw / "a" / NAME, (10, 20, 30))
    save(raw / "b" / NAME, (10, 20, 30))
    result, folder = converted()
    assert written(folder) == [f"Malignant/{NAME}"]
    assert result.manifest["source"].tolist() == [f"a/{NAME}"]
    assert [(copy.source, copy.reason) for copy in result.copies] == [(Path("b") / NAME, f"the same file as a/{NAME}")]
    assert result.rejected == []


def test_one_name_with_other_bytes_is_numbered_and_nothing_is_lost(
    raw: Path, converted: Callable[..., Outcome]
) -> None:
    colours = {"a": (200, 0, 0), "b": (0, 200, 0), "c": (200, 0, 0), "d": (0, 0, 200)}
    for place, colour in colours.items():
        save(raw / place / NAME, colour)
    result, folder = converted()
    stem = Path(NAME).stem
    assert dict(zip(result.manifest["image"], result.manifest["source"], strict=True)) == {
        f"Malignant/{stem}.png": f"a/{NAME}",
        f"Malignant/{stem}~2.png": f"b/{NAME}",
        f"Malignant/{stem}~4.png": f"d/{NAME}",
    }
    assert sorted(result.manifest["image"]) == written(folder)
    for image, source in zip(result.manifest["image"], result.manifest["source"], strict=True):
        assert Image.open(folder / image).getpixel((0, 0)) == colours[source[0]]
    assert [copy.source for copy in result.copies] == [Path("c") / NAME]


def test_same_bytes_under_two_names_stay_two_images(raw: Path, converted: Callable[..., Outcome]) -> None:
    save(raw / NAME, (10, 20, 30))
    save(raw / NAME.replace("001", "002"), (10, 20, 30))
    result, _ = converted()
    assert len(result.manifest) == 2
    assert result.manifest["sha256"].nunique() == 1
    assert result.copies == []


def test_each_unusable_file_is_rejected_once_and_the_rest_is_converted(
    raw: Path, converted: Callable[..., Outcome]
) -> None:
    for number in range(1, 6):
        save(raw / f"SOB_M_DC-14-2980-40-{number:03}.png", (number, 0, 0))
    whole = (raw / "SOB_M_DC-14-2980-40-002.png").read_bytes()
    (raw / "SOB_M_DC-14-2980-40-002.png").write_bytes(whole[: len(whole) // 2])
    (raw / "SOB_M_DC-14-2980-40-004.png").write_bytes(b"")
    (raw / "a text.png").write_text("text")
    result, folder = converted()
    assert [(rejected.source.name, bool(rejected.reason)) for rejected in result.rejected] == [
        ("SOB_M_DC-14-2980-40-002.png", True),
        ("SOB_M_DC-14-2980-40-004.png", True),
        ("a text.png", True),
    ]
    assert written(folder) == [f"Malignant/SOB_M_DC-14-2980-40-00{n}.png" for n in (1, 3, 5)]
    assert sorted(result.manifest["image"]) == written(folder)


def test_a_damaged_first_file_does_not_take_the_second_of_its_name_along(
    raw: Path, converted: Callable[..., Outcome]
) -> None:
    save(raw / "b" / NAME, (1, 2, 3))
    (raw / "a").mkdir()
    (raw / "a" / NAME).write_bytes(b"")
    result, folder = converted()
    assert result.manifest["source"].tolist() == [f"b/{NAME}"]
    assert sorted(result.manifest["image"]) == written(folder)


def test_pixels_do_not_depend_on_the_number_of_workers(
    raw: Path, tmp_path: Path, breakhis_folder: Callable[..., dict[str, Path]]
) -> None:
    breakhis_folder(raw)
    results = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        result = convert_all(read_layout(raw), raw, folder, CLASSES, 32, "crop", workers)
        pixels = np.stack([np.asarray(Image.open(folder / image)) for image in result.manifest["image"]])
        results.append((result.manifest.to_csv(), pixels.tobytes()))
    assert results[0] == results[1]
