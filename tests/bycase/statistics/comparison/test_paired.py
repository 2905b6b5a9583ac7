from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.statistics.comparison.paired import Paired, paired_benchmark, patient_level, run_rows
from bycase.statistics.units import patient_units

FILE = Path("data/benchmark/predictions.csv")


def small() -> pd.DataFrame:
    """Two networks, two repeats, four images of three patients in two folds; c has images of both classes."""
    frames = []
    for shift, model in enumerate(("resnet", "alexnet")):
        for repeat in range(2):
            frame = pd.DataFrame(
                {
                    "model": model,
                    "repeat": repeat,
                    "fold": [0, 0, 1, 1],
                    "image": ["p.png", "q.png", "r.png", "s.png"],
                    "patient": ["b", "a", "c", "c"],
                    "label": ["Malignant", "Benign", "Malignant", "Benign"],
                    "Malignant": [0.8, 0.3, 0.6, 0.1 + 0.2 * shift + 0.1 * repeat],
                    "threshold": [0.5, 0.5, 0.25, 0.25],
                    "patient_threshold": [0.4, 0.4, 0.65, 0.65],
                    "temperature": 1.0,
                }
            )
            frame["Benign"] = 1 - frame["Malignant"]
            frames.append(frame.sample(frac=1, random_state=shift))
    return pd.concat(frames, ignore_index=True)


def build(frame: pd.DataFrame) -> Paired:
    return paired_benchmark(frame, ["Benign", "Malignant"], "Malignant", FILE)


def test_networks_stand_side_by_side() -> None:
    paired = build(small())
    assert paired.models == ("resnet", "alexnet")
    assert paired.patients.tolist() == ["a", "b", "c"]
    assert paired.names.tolist() == ["p.png", "q.png", "r.png", "s.png"] * 2
    assert paired.truth.tolist() == [1, 0, 1, 0] * 2
    assert paired.patient.tolist() == [1, 0, 2, 2] * 2
    assert paired.fold.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert paired.repeat.tolist() == [0] * 4 + [1] * 4
    assert paired.scores[1, :, 1] == pytest.approx([0.8, 0.3, 0.6, 0.3, 0.8, 0.3, 0.6, 0.4])
    assert paired.predicted.tolist() == [[1, 0, 1, 0, 1, 0, 1, 0], [1, 0, 1, 1, 1, 0, 1, 1]]
    assert paired.right[1].tolist() == [True, True, True, False] * 2
    assert paired.units(0).targets == (1,)


def test_the_order_of_rows_and_networks_changes_nothing_else() -> None:
    one, other = build(small()), build(small().iloc[::-1])
    assert other.models == one.models[::-1]
    assert (other.scores[::-1] == one.scores).all()
    for field in ("patients", "names", "truth", "patient", "fold", "repeat"):
        assert (getattr(one, field) == getattr(other, field)).all()


def test_one_repeat() -> None:
    paired = build(small())
    second = paired.of_repeat(1)
    assert second.scores[0, :, 1] == pytest.approx([0.8, 0.3, 0.6, 0.2])
    assert second.fold.tolist() == [2, 2, 3, 3]
    assert second.patient_threshold.shape == (2, 4)


def check_patients(images: Paired, patients: Paired) -> None:
    """Against each network's alone."""
    for number in range(len(images.models)):
        expected, found = patient_units(images.units(number)), patients.units(number)
        for field in ("truth", "scores", "patient", "fold"):
            assert getattr(found, field) == pytest.approx(getattr(expected, field))


def test_patients_of_two_classes() -> None:
    images = build(small())
    patients = patient_level(images)
    assert patients.names.tolist() == ["a", "b", "c", "c"] * 2
    assert patients.truth.tolist() == [0, 1, 0, 1] * 2
    # Patient c, both of whose units lie below the patients' threshold of .65.
    assert patients.predicted[0].tolist() == [0, 1, 0, 0] * 2
    check_patients(images, patients)


def test_patients_of_several_classes(three: Any) -> None:
    images = paired_benchmark(three.predictions, three.about["classes"], None, FILE)
    assert (images.predicted == images.scores.argmax(axis=2)).all()
    assert np.isnan(images.patient_threshold).all()
    assert images.units(0).targets == (0, 1, 2)
    patients = patient_level(images)
    check_patients(images, patients)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("image", "z.png", "image r.png of repeat 1 was tested by resnet, not by alexnet"),
        ("label", "Benign", "image r.png has label Malignant with resnet, but Benign with alexnet"),
        ("patient", "d", "image r.png has patient c with resnet, but d with alexnet"),
        ("fold", 0, "image r.png has fold 1 with resnet, but 0 with alexnet"),
        ("threshold", np.nan, "a threshold is missing"),
    ],
)
def test_networks_of_other_images_are_refused(column: str, value: object, message: str) -> None:
    frame = small()
    row = (frame["model"] == "alexnet") & (frame["repeat"] == 1) & (frame["image"] == "r.png")
    frame.loc[row, column] = value
    with pytest.raises(UserError, match=f"^{FILE}: {message}"):
        build(frame)


def test_images_that_stand_twice_or_are_lacking_are_refused() -> None:
    frame = small()
    with pytest.raises(UserError, match=r"image q.png stands twice in a repeat of resnet"):
        build(pd.concat([frame, frame[(frame["model"] == "resnet") & (frame["image"] == "q.png")]]))
    with pytest.raises(UserError, match=r"image p.png of repeat 0 was tested by alexnet, not by resnet"):
        build(frame[~((frame["model"] == "resnet") & (frame["image"] == "p.png"))])


def test_folds_of_one_class_each_are_refused() -> None:
    frame = small()
    frame["fold"] = (frame["label"] == "Benign").astype(int)
    with pytest.raises(UserError, match="no fold has test images of two classes"):
        build(frame)


def test_single_runs_are_compared_likewise() -> None:
    manifest = pd.DataFrame({"image": ["p.png", "q.png", "r.png", "s.png"], "group": ["b", "a", "c", "c"]})
    runs = []
    for number, model in enumerate(("main", "exp-1")):
        test = pd.DataFrame(
            {
                "image": ["s.png", "p.png", "q.png", "r.png"],
                "group": ["c", "b", "a", "c"],
                "label": ["Benign", "Malignant", "Benign", "Malignant"],
                "Benign": [0.9, 0.4, 0.7, 0.2],
                "Malignant": [0.1, 0.6, 0.3, 0.8],
            }
        )
        runs.append(run_rows(model, test.iloc[:: 1 - 2 * number], manifest, 0.5 + 0.2 * number, 0.5, Path("test.csv")))
    paired = build(pd.concat(runs))
    assert paired.models == ("main", "exp-1")
    assert paired.patient.tolist() == [0, 1, 2, 2]
    assert paired.predicted.tolist() == [[1, 0, 1, 0], [0, 0, 1, 0]]
    with pytest.raises(UserError, match=r"test.csv: image s.png is not in"):
        run_rows("main", test, manifest[:3], 0.5, 0.5, Path("test.csv"))
