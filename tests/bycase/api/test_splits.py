import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

import bycase
from bycase import CaseKFold
from bycase.apps.check_split import check_split as check_files
from bycase.datasets.splits.external import Supplied
from tests.bycase.api.conftest import Predictions

FRAME = pd.DataFrame(
    {
        "patient": list("AAABBCCCD"),
        "part": ["train", "val", "test", "train", "train", "test", "test", "test", "train"],
        "label": list("xxyxxxyyy"),
        "image": [f"i{number}" for number in range(9)],
    }
)


def test_patients_on_two_sides_are_named_and_counted_by_class() -> None:
    found = bycase.check_split(FRAME)
    leak = found.folds[0]
    assert not found.clean
    assert found.patients == leak.patients == ("A",)
    assert (leak.n_held_out, leak.n_seen, leak.share) == (4, 1, 0.25)
    assert dict(leak.by_class) == {"x": (0, 1), "y": (1, 3)}
    assert str(found) == (
        "LEAK: 9 images of 4 patients; 1 patient in more than one part (A); 1 of 4 test images (25 %) have theirs in "
        "train or val (x 0/1, y 1/3)."
    )


def test_the_numbers_are_those_of_the_command() -> None:
    manifest = FRAME.assign(case=FRAME["patient"], group=FRAME["patient"], folder=FRAME["patient"])
    subsets = FRAME.set_index("image")["part"]
    supplied = Supplied(
        subsets=subsets, in_several=[], unknown=[], ambiguous=[], missing=[], units={}, complement=False
    )
    want = check_files(supplied, manifest.drop(columns="part"), None, [])["groups"]["case"]
    leak = bycase.check_split(FRAME).folds[0]
    assert list(leak.patients) == want["names"]
    assert (leak.n_held_out, leak.n_seen) == (want["held_out_images"], want["seen_images"])


def test_a_clean_split_is_clean_whatever_its_parts_are_called() -> None:
    found = bycase.check_split(patient=[1, 1, 2, 3], part=["Training", "training set", "validation", "Test"])
    assert found.clean
    assert str(found) == "Clean: 4 images of 3 patients, none of them in more than one part."


def test_frames_are_read_by_the_names_of_their_columns() -> None:
    renamed = FRAME.rename(columns={"patient": "case_id", "part": "split"})
    found = bycase.check_split(renamed, patient="case_id", part="split")
    assert found == bycase.check_split(FRAME)
    arrays = {name: FRAME[name].to_numpy() for name in FRAME}
    assert bycase.check_split(**arrays) == found


def test_an_image_in_two_parts_is_found() -> None:
    twice = FRAME.assign(patient=FRAME["image"].replace("i8", "i2"), image=FRAME["image"].replace("i8", "i2"))
    leak = bycase.check_split(twice).folds[0]
    assert leak.images == ("i2",)
    assert "1 patient in more than one part (i2), 1 image too" in str(leak)


def test_folds_without_parts_are_each_tested_once(predictions: Predictions) -> None:
    y, _, _, patient = predictions
    by_patient, by_image = np.zeros((2, len(y)), int)
    for number, (_, test) in enumerate(CaseKFold(4).split(y, y, patient)):
        by_patient[test] = number
    for number, (_, test) in enumerate(KFold(4, shuffle=True, random_state=0).split(y)):
        by_image[test] = number
    clean = bycase.check_split(patient=patient, fold=by_patient, label=y)
    assert clean.clean
    assert str(clean) == "Clean: 192 images of 24 patients, none of them in more than one part of any fold."
    assert [leak.n_held_out for leak in clean.folds] == np.bincount(by_patient).tolist()
    assert clean.folds[0].learned == "train"
    leaking = bycase.check_split(patient=patient, fold=by_image, label=y)
    assert len(leaking.patients) == 24
    assert [leak.fold for leak in leaking.folds] == ["0", "1", "2", "3"]
    assert str(leaking).startswith("LEAK in 4 of 4 folds: 192 images of 24 patients; 24 of the patients on two sides")


def test_several_splits_are_looked_at_one_by_one() -> None:
    clean = FRAME.assign(part=["train"] * 5 + ["test"] * 4)
    both = pd.concat([FRAME.assign(k="a"), clean.assign(k="b")])
    found = bycase.check_split(both, fold="k")
    assert [leak.clean for leak in found.folds] == [False, True]
    assert found.n_images == 9
    # A fold of its own within the training part is no split.
    assert bycase.check_split(clean.assign(fold=[0, 1, 2, 3, 4, -1, -1, -1, -1])).clean


def test_without_a_test_part_validation_is_looked_at() -> None:
    leak = bycase.check_split(patient=list("aab"), part=["train", "val", "val"]).folds[0]
    assert (leak.held_out, leak.learned, leak.n_seen) == ("val", "train", 1)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"data": FRAME, "patient": "case"}, "patient: the frame has no column 'case'; there are patient, part, label, "
        "image"),
    ({"data": FRAME.drop(columns="patient")}, "patient: say whose each image is, by an array or the name of a column"),
    ({"data": FRAME[["patient"]]}, "part: say what is train, val and test, or by fold= which fold tests each image"),
    ({"data": FRAME.assign(part="left")}, "part: 'left' is none of train, val and test"),
    ({"data": FRAME.assign(part="train")}, "part: no image is in test or val, so that nothing is held out"),
    ({"data": FRAME.assign(part="test")}, "part: all images are in test, so that nothing is learned from"),
    ({"data": FRAME["patient"]}, "the first argument is a frame; give arrays by name: patient=..., part=..."),
    ({"patient": list("ab"), "part": ["train"]}, "part has 1 values, but there are 2 images: give one an image"),
    ({"patient": ["a", None], "part": ["train", "test"]}, "patient: 1 of 2 values are missing, the first at position "
        "1; where patients are unknown give None for all"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), FAULTS)
def test_what_cannot_be_checked_is_said_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bycase.check_split(**given)
