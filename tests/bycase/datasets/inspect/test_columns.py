"""What columns say."""

from pathlib import Path

import pytest

from .conftest import Look, write_table


@pytest.mark.parametrize("images", [1, 2])
def test_a_column_called_patient_is_believed_whatever_it_holds(place: Path, look: Look, images: int) -> None:
    # Left and right of a patient are of two classes; or every patient has one image.
    rows = [[i, "ab"[i % 2], f"W{i // images}"] for i in range(12)]
    write_table(place, "t.csv", [["image", "label", "patient_id"], *rows])
    seen = look(place)
    assert seen.patient.chosen.place == "patient_id"
    assert len({image.case for image in seen.listing.images}) == 12 // images


def test_what_only_a_person_can_say_is_asked(place: Path, look: Look) -> None:
    rows = [[i, f"P{i // 3}", ("left", "right")[i % 2], ("benign", "malignant")[i // 6], i // 6] for i in range(12)]
    write_table(place, "t.csv", [["image", "patient", "view", "verdict", "seen"], *rows])
    assert look(place).label.chosen.place == "verdict"  # it alone holds words of classes
    write_table(place, "t.csv", [["image", "patient", "view", "verdict"], *([*row[:3], row[4]] for row in rows)])
    assert [each.place for each in look(place).label.rivals] == ["view", "verdict"]


def test_a_class_and_a_patient_of_other_names_are_found_by_what_they_hold(place: Path, look: Look) -> None:
    rows = [[i, i // 6, f"C{i // 2}"] for i in range(12)]
    write_table(place, "t.csv", [["image", "sick", "accession_code"], *rows])
    assert [each.place for each in look(place).label.rivals] == ["sick", "accession_code"]
    seen = look(place, label="sick")
    assert (seen.label.chosen.place, seen.patient.chosen.place) == ("sick", "accession_code")
