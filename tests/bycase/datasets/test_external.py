"""Which images of an external data set are left: of known classes, and of no patient that is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.datasets.external import restructure_external, select_images
from bycase.datasets.layouts.listing import Listing, PublishedImage
from bycase.datasets.overlap import describe_left_out, find_overlap, leave_out
from tests.conftest import MakeParams

CLASSES = ["Benign", "Malignant"]


def manifest(prefix: str, cases: list[str]) -> pd.DataFrame:
    """Two images a case, cases of alternating classes; contents differ by the prefix."""
    rows = [
        {
            "image": f"{prefix}{case}-{number}.png",
            "label": CLASSES[place % 2],
            "case": case,
            "group": case,
            "sha256": f"{prefix}{case}{number}",
            "phash": f"hash {prefix}{case}{number}",
        }
        for place, case in enumerate(cases)
        for number in range(2)
    ]
    return pd.DataFrame(rows)


def test_classes_are_renamed_and_others_left_out_with_their_number() -> None:
    images = [
        PublishedImage(Path(f"{label}{m}.png"), label, label, m, "f", "c")
        for label in ("tumour", "Benign", "Normal")
        for m in (100, 200)
    ]
    listing, left_out = select_images(Listing(images, [], []), {"tumour": "Malignant", "Normal": None}, [100])
    assert [(image.source.name, image.label) for image in listing.images] == [
        ("tumour100.png", "Malignant"),
        ("Benign100.png", "Benign"),
    ]
    assert left_out == {"class": 2, "magnification": 2}
    everything, left_out = select_images(Listing(images, [], []), {}, [])
    assert everything.images == images
    assert left_out == {"class": 0, "magnification": 0}


@pytest.mark.parametrize(
    ("depth", "own_range", "peaks", "origin"),
    [
        (np.uint16, None, [64, 255], "bits"),
        (np.uint16, [0.0, 8190.0], [32, 128], "given"),
        (np.float32, None, [], "unknown"),
        (np.float32, [-9.0, 4086.0], [64, 255], "given"),
    ],
)
def test_an_external_set_is_read_by_its_own_range(
    depth: type[np.generic],
    own_range: list[float] | None,
    peaks: list[int],
    origin: str,
    tmp_path: Path,
    make_params: MakeParams,
) -> None:
    """Values of 12 bits, of which one picture uses a quarter; the classifier's data set has a range of its own."""
    (tmp_path / "raw").mkdir()
    for n, (letter, highest) in enumerate((("B_A", 1023), ("M_DC", 4095))):
        values = np.random.default_rng(n).integers(0, highest, (32, 32))
        values[0, :2] = 0, highest
        # Below 0, nothing tells what is black.
        Image.fromarray((values - 9 * (depth == np.float32)).astype(depth)).save(
            tmp_path / "raw" / f"SOB_{letter}-14-50{n}0-40-001.tif"
        )
    changes = {"breakhis.value_range": own_range, "phantom.value_range": [0.0, 255.0], "phantom.image_size": 32}
    params = make_params({f"datasets.{key}": value for key, value in changes.items()})
    arguments = (params.datasets["breakhis"], params.data, tmp_path / "raw", tmp_path, {}, [])
    if origin == "unknown":
        with pytest.raises(UserError, match=r"-9 to 4086, from which .* set datasets\.breakhis\.value_range"):
            restructure_external("breakhis", *arguments)
        return
    manifest, _, pixel_values = restructure_external("breakhis", *arguments)
    assert [int(np.asarray(Image.open(tmp_path / image)).max()) for image in sorted(manifest["image"])] == peaks
    (kind,) = pixel_values
    assert (kind, pixel_values[kind]["origin"]) == ("float" if depth == np.float32 else "integer", origin)


def test_other_patients_are_kept_whole() -> None:
    overlap = find_overlap(manifest("b", ["3", "4"]), manifest("a", ["1", "2"]), patients_known=True)
    assert overlap.numbers() == {"images": 0, "patients": 0, "same_case": 0, "same_file": 0, "same_picture": 0}
    assert len(leave_out(manifest("b", ["3", "4"]), overlap, CLASSES, "b", "a")) == 4


def test_a_planted_case_is_left_out_whatever_its_images() -> None:
    there = manifest("b", ["3", "4", "1", "2"])
    overlap = find_overlap(there, manifest("a", ["1", "2"]), patients_known=True)
    assert overlap.numbers() == {"images": 4, "patients": 2, "same_case": 2, "same_file": 0, "same_picture": 0}
    assert set(leave_out(there, overlap, CLASSES, "b", "a")["case"]) == {"3", "4"}


@pytest.mark.parametrize(("column", "counted"), [("sha256", "same_file"), ("phash", "same_picture")])
def test_a_planted_copy_takes_its_whole_patient_out(column: str, counted: str) -> None:
    here, there = manifest("a", ["1", "2"]), manifest("b", ["3", "4", "5", "6"])
    there.loc[5, column] = here.loc[0, column]
    overlap = find_overlap(there, here, patients_known=True)
    assert overlap.numbers() == {"images": 2, "patients": 1, "same_case": 0, "same_file": 0, "same_picture": 0} | {
        counted: 1
    }
    assert set(leave_out(there, overlap, CLASSES, "b", "a")["case"]) == {"3", "4", "6"}


def test_cases_that_stand_for_no_patients_are_not_compared() -> None:
    assert find_overlap(manifest("b", ["1", "2"]), manifest("a", ["1", "2"]), patients_known=False).patients == 0


def test_where_all_are_known_the_data_set_is_refused() -> None:
    there = manifest("b", ["1", "2", "3"])
    overlap = find_overlap(there, manifest("a", ["1", "2"]), patients_known=True)
    with pytest.raises(
        UserError, match="2 of 3 patients of b are in the split of a as well .the same case: 2."
    ) as caught:
        leave_out(there, overlap, CLASSES, "b", "a")
    assert "\n" not in str(caught.value)
    none = find_overlap(there, manifest("a", ["8"]), patients_known=True)
    with pytest.raises(UserError, match="b has no image of class Malignant"):
        leave_out(there[there["label"] == "Benign"], none, CLASSES, "b", "a")


def test_what_was_left_out_is_said() -> None:
    left_out = {"class": 3, "magnification": 0, "known": {"images": 4, "patients": 2}}
    assert describe_left_out(left_out) == (
        "3 images of classes that the classifier does not know; 4 images of 2 patients whom the classifier's data set "
        "has too"
    )
    assert describe_left_out({"class": 0, "magnification": 0, "known": {"images": 0, "patients": 0}}) == ""
