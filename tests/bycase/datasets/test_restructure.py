import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from bycase.core.errors import UserError
from bycase.datasets import restructure
from bycase.datasets.layouts.breakhis import read_layout
from bycase.datasets.layouts.listing import Listing, PublishedImage, Rejected
from bycase.datasets.restructure import (
    Restructured,
    bad_share,
    check_bad_share,
    check_classes,
    check_labels,
    check_ranges,
    convert_all,
    make_report,
)
from bycase.images.convert import Job, convert
from bycase.images.pictures import read_picture
from bycase.images.ranges import PixelRange, UsedRange, Values
from bycase.tables.manifest import COLUMNS

CLASSES = ["Benign", "Malignant"]
NAME = "SOB_M_DC-14-2980-40-001.png"
NOISE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
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
        "supplied_part": "",
        "supplied_fold": "",
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
    assert len(set(result.manifest["sha256"])) == 1
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


def test_twelve_bits_are_scaled_by_the_range_in_use_of_all_images(raw: Path, tmp_path: Path) -> None:
    (raw / "a").mkdir(parents=True)
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    sources = [Path("a/low.png"), Path("a/high.png"), Path("a/usual.png")]
    for source, values in zip(sources, (ramp // 8, ramp), strict=False):
        Image.fromarray(values).save(raw / source)
    save(raw / sources[2], (9, 8, 7))
    images = [PublishedImage(source, "Benign", "Benign", 0, "c", source.stem) for source in sources]
    (tmp_path / "out").mkdir()
    result = convert_all(Listing(images, [], []), raw, tmp_path / "out", CLASSES, 64, "squash", workers=1)
    assert result.ranges["integer"] == UsedRange(0, 4095, "bits")
    assert result.pixel_values["integer"] == Values("integer", 0, 4095, images=2)
    peaks = [int(np.asarray(Image.open(tmp_path / "out" / image)).max()) for image in result.manifest["image"]]
    assert peaks == [round(511 / 4095 * 255), 255, 9]
    again = [convert(Job(raw / s, tmp_path / "x.png", 64, "squash", {"integer": PixelRange(0, 4095)})) for s in sources]
    assert result.manifest["phash"].tolist() == [each.phash for each in again]


def in_colour(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([unit, unit / 2, unit / 4], axis=-1)


FORMS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.generic]]] = {
    "colour in floating point": lambda unit: in_colour(unit).astype(np.float32),
    "12 bits in 16, colour": lambda unit: (in_colour(unit) * 4095).astype(np.uint16),
    "floating point": lambda unit: unit.astype(np.float32),
    "12 bits in 16": lambda unit: (unit * 4095).astype(np.uint16),
    "12 bits in 32": lambda unit: (unit * 4095).astype(np.int32),
    "full 16 bits": lambda unit: (unit * 65535).astype(np.uint16),
}


@pytest.mark.parametrize("form", FORMS)
def test_training_and_prediction_see_the_same_pixels_whatever_holds_them(form: str, raw: Path, tmp_path: Path) -> None:
    raw.mkdir()
    images = []
    for n, brightest in enumerate((0.3, 1.0)):
        unit = np.random.default_rng(n).random((32, 32)) * brightest
        unit[0, 0] = brightest
        values = FORMS[form](unit)
        # Pillow writes no colour of that many bits, OpenCV expects BGR.
        if values.ndim == 3:
            cv2.imwrite(str(raw / f"{n}.tif"), values[..., ::-1])
        else:
            Image.fromarray(values).save(raw / f"{n}.tif")
        images.append(PublishedImage(Path(f"{n}.tif"), "Benign", "Benign", 0, str(n), str(n)))
    (tmp_path / "out").mkdir()
    result = convert_all(Listing(images, [], []), raw, tmp_path / "out", CLASSES, 32, "squash", workers=1)
    check_ranges(result, "datasets.x.value_range")
    for n, brightest in enumerate((0.3, 1.0)):
        trained = np.asarray(Image.open(tmp_path / "out" / "Benign" / f"{n}.png"))
        assert abs(int(trained.max()) - round(brightest * 255)) <= 1
        predicted = read_picture((raw / f"{n}.tif").read_bytes(), result.ranges).image
        np.testing.assert_array_equal(trained, np.asarray(predicted))


def test_a_range_that_nothing_tells_stops_with_the_choices(raw: Path, tmp_path: Path) -> None:
    raw.mkdir()
    Image.fromarray(NOISE // 8).save(raw / "a.png")
    listing = Listing([PublishedImage(Path("a.png"), "Benign", "Benign", 0, "a", "a")], [], [])
    highest = int((NOISE // 8).max())
    for choice, expected in ((None, 31), ("type", 31), ("data", 255), ("picture", 255), ((0.0, 62.0), 128)):
        folder = tmp_path / str(choice)
        folder.mkdir()
        result = convert_all(listing, raw, folder, CLASSES, 32, "squash", 1, choice)
        assert abs(int(np.asarray(Image.open(folder / "Benign" / "a.png")).max()) - expected) <= 1
        if choice is not None:
            check_ranges(result, "datasets.x.value_range")
            continue
        with pytest.raises(UserError, match=rf"0 to {highest}, from which .* set datasets\.x\.value_range: type"):
            check_ranges(result, "datasets.x.value_range")


def test_images_without_anything_to_see_count_as_bad(raw: Path, tmp_path: Path) -> None:
    raw.mkdir()
    Image.fromarray(NOISE).save(raw / "good.png")
    Image.new("RGB", (32, 32), "black").save(raw / "empty.png")
    images = [PublishedImage(Path(f"{n}.png"), "Benign", "Benign", 0, n, n) for n in ("good", "empty")]
    (tmp_path / "out").mkdir()
    result = convert_all(Listing(images, [], []), raw, tmp_path / "out", CLASSES, 32, "squash", workers=1)
    assert result.blank == [Rejected(Path("empty.png"), "of one colour")]
    assert bad_share(result) == 0.5
    with pytest.raises(UserError, match=r"1 files \(50.0%\).*the first: empty.png \(of one colour\)"):
        check_bad_share(result, 0.1, REPORT)


def test_a_large_manifest_is_put_together_from_batches(raw: Path, tmp_path: Path, monkeypatch: Any) -> None:
    images = [PublishedImage(Path(f"{n}.png"), "Benign", "Benign", 0, "c", str(n)) for n in range(5)]
    for image in images:
        save(raw / image.source, (1, 2, 3))
    tables = []
    for batch in (2, 5, 100):
        monkeypatch.setattr(restructure, "BATCH", batch)
        (tmp_path / str(batch)).mkdir()
        found = convert_all(Listing(images, [], []), raw, tmp_path / str(batch), CLASSES, 8, "squash", workers=1)
        tables.append(found.manifest.to_csv())
    assert tables[0].count("\n") == 6
    assert len(set(tables)) == 1


REPORT = Path("metrics/restructure.json")
RAW = Path("data/raw/x")


def outcome(good: int, bad: int) -> Restructured:
    manifest = pd.DataFrame({"label": ["Benign"] * good, "magnification": 40, "case": "c", "folder": "f"})
    return Restructured(manifest, [Rejected(Path(f"{n}.png"), "damaged") for n in range(bad)], [])


@pytest.mark.parametrize(("good", "bad", "share"), [(0, 0, 0.0), (3, 1, 0.25), (0, 2, 1.0), (5, 0, 0.0)])
def test_bad_share_is_of_all_files_that_should_be_images(good: int, bad: int, share: float) -> None:
    assert bad_share(outcome(good, bad)) == share


@pytest.mark.parametrize(("good", "bad", "limit"), [(99, 1, 0.01), (0, 0, 0.0), (0, 3, 1.0), (3, 1, 0.25)])
def test_share_up_to_the_limit_passes(good: int, bad: int, limit: float) -> None:
    check_bad_share(outcome(good, bad), limit, REPORT)


@pytest.mark.parametrize(("good", "bad", "limit"), [(98, 1, 0.01), (99, 1, 0.0), (2, 1, 0.25)])
def test_share_above_the_limit_is_refused_with_the_first_file_and_the_report(good: int, bad: int, limit: float) -> None:
    with pytest.raises(
        UserError, match=r"the first: 0\.png \(damaged\); all: metrics/restructure\.json; .*max_bad_share"
    ):
        check_bad_share(outcome(good, bad), limit, REPORT)


def test_report_counts_and_names_every_file_once() -> None:
    manifest = pd.DataFrame(
        {
            "label": ["Malignant", "Benign", "Benign", "Benign"],
            "magnification": [40, 200, 40, 40],
            "case": ["1", "2", "2", "3"],
            "folder": ["a", "b", "c", "d"],
        }
    )
    listing = Listing([], [], [Path("Folds.csv")], ["ISIC_0000001"])
    result = Restructured(manifest, [Rejected(Path("d/x.png"), "damaged")], [Rejected(Path("e/y.png"), "the same")])
    report = make_report("breakhis", "local", listing, result, 7909)
    assert json.loads(json.dumps(report)) == {
        "dataset": "breakhis",
        "source": "local",
        "images": 4,
        "expected": 7909,
        "partial": True,
        "cases": 3,
        "folders": 4,
        "patients_known": True,
        "pixel_values": {},
        "bad_share": 0.2,
        "by_class": {"Benign": {"40X": 2, "200X": 1}, "Malignant": {"40X": 1}},
        "rejected": [{"file": "d/x.png", "reason": "damaged"}],
        "blank": [],
        "copies": [{"file": "e/y.png", "reason": "the same"}],
        "copies_by_name": [],
        "rows_without_image": ["ISIC_0000001"],
        "left_out": {},
        "notes": [],
        "not_images": ["Folds.csv"],
    }


@pytest.mark.parametrize(("expected", "partial"), [(3, True), (2, False), (1, False), (None, False)])
def test_fewer_images_than_published_are_partial(expected: int | None, partial: bool) -> None:
    report = make_report("x", "local", Listing([], [], []), outcome(2, 0), expected)
    assert (report["expected"], report["partial"]) == (expected, partial)


def test_images_without_magnification_are_counted_together() -> None:
    manifest = pd.DataFrame({"label": ["Benign"], "magnification": [0], "case": ["1"], "folder": ["a"]})
    report = make_report("x", "local", Listing([], [], []), Restructured(manifest, [], []), None)
    assert report["by_class"] == {"Benign": {"all": 1}}


def test_data_set_without_images_is_refused() -> None:
    with pytest.raises(UserError, match="data/raw/x holds no image in the layout of"):
        check_classes(outcome(0, 0).manifest, ["Benign", "Malignant"], RAW)


def test_missing_class_is_named_with_those_found() -> None:
    with pytest.raises(UserError, match="data/raw/x holds no image of class Malignant; found only Benign"):
        check_classes(outcome(2, 0).manifest, ["Benign", "Malignant"], RAW)
    check_classes(outcome(2, 0).manifest, ["Benign"], RAW)


def test_classes_that_the_parameters_do_not_list_are_named() -> None:
    images = [PublishedImage(Path("a.png"), label, "A", 40, "f", "c") for label in ("Normal", "Benign", "Malignant")]
    listing = Listing(images, [], [])
    with pytest.raises(UserError, match=r"images of class Benign, Normal, which datasets\.<name>\.classes lacks"):
        check_labels(listing, ["benign", "Malignant"], RAW)
    check_labels(listing, ["Malignant", "Benign", "Normal"], RAW)
