from pathlib import Path

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.tables.out_of_fold import read_out_of_fold, write_out_of_fold

CLASSES = ["Benign", "Malignant"]
PATH = Path("predictions.csv")


def out_of_fold() -> pd.DataFrame:
    """Two networks, two repeats, four images of four patients in two folds."""
    rows = [
        {
            "model": model,
            "repeat": repeat,
            "fold": number % 2,
            "image": f"{number}.png",
            "patient": f"p{number}",
            "label": CLASSES[number // 2],
            "Benign": 1 - 0.1 * number,
            "Malignant": 0.1 * number,
            "threshold": 1 / 3,
            "patient_threshold": 0.5,
            "temperature": 1.25,
        }
        for model in ("a", "b")
        for repeat in (0, 1)
        for number in range(4)
    ]
    return pd.DataFrame(rows)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_out_of_fold(tmp_path / PATH, out_of_fold(), CLASSES)
    pd.testing.assert_frame_equal(read_out_of_fold(CLASSES, tmp_path / PATH)[list(out_of_fold())], out_of_fold())


def test_rules_for_patients_are_written_where_they_are_told(tmp_path: Path) -> None:
    frame = out_of_fold().assign(aggregation="mean", rules="median; top_k 0.25")
    write_out_of_fold(tmp_path / PATH, frame, CLASSES)
    assert list(read_out_of_fold(CLASSES, tmp_path / PATH))[-2:] == ["temperature", "rules"]
    write_out_of_fold(tmp_path / PATH, frame.assign(aggregation="median", rules=None), CLASSES)
    read = read_out_of_fold(CLASSES, tmp_path / PATH)
    assert list(read)[-2:] == ["temperature", "aggregation"]
    assert (read["aggregation"] == "median").all()


def test_with_several_classes_there_is_no_threshold(tmp_path: Path) -> None:
    frame = out_of_fold().assign(threshold=None, patient_threshold=None)
    write_out_of_fold(tmp_path / PATH, frame, CLASSES)
    assert read_out_of_fold(CLASSES, tmp_path / PATH)["threshold"].isna().all()


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not found: run 'dvc repro benchmark/dvc.yaml' first"):
        read_out_of_fold(CLASSES, tmp_path / PATH)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="temperature"), "column temperature missing"),
        (lambda frame: frame.assign(Benign=0.9), "do not sum to 1"),
        (lambda frame: pd.concat([frame, frame.iloc[[0]]]), "0.png stands twice"),
        (lambda frame: frame.assign(patient=frame["patient"].replace("p1", "p0")), "patient p0 is in 2 folds"),
        (lambda frame: frame.drop(index=9), "not every network has image 1.png in repeat 0, fold 1"),
    ],
)
def test_what_breaks_the_contract_is_refused(tmp_path: Path, change, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        write_out_of_fold(tmp_path / PATH, change(out_of_fold()), CLASSES)
    assert "benchmark/dvc.yaml:gather" in str(caught.value)
    assert not (tmp_path / PATH).exists()
