import json
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.layouts.listing import Listing, PublishedImage, Rejected
from bycase.datasets.restructure import (
    Restructured,
    bad_share,
    check_bad_share,
    check_classes,
    check_labels,
    make_report,
)

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
        "rejected_share": 0.2,
        "by_class": {"Benign": {"40X": 2, "200X": 1}, "Malignant": {"40X": 1}},
        "rejected": [{"file": "d/x.png", "reason": "damaged"}],
        "copies": [{"file": "e/y.png", "reason": "the same"}],
        "rows_without_image": ["ISIC_0000001"],
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
    with pytest.raises(UserError, match="data/raw/x holds no image in the publisher's layout"):
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
