"""What the report says of published data, of choices, and of what is missing."""

from pathlib import Path

from bycase.datasets.inspect.words import questions, report

from .conftest import Look, Write, write_table


def test_a_published_data_set_is_called_by_its_name(write: Write, look: Look) -> None:
    names = [f"SOB_{'M_DC' if n > 3 else 'B_A'}-14-{2980 + n}-40-{i:03}.png" for n in range(8) for i in range(3)]
    text = "\n".join(report(look(write(names))))
    assert "layout      breakhis: a folder as BreakHis is published" in text
    assert "patient     case, as published: 8, 3 images each, such as 14-2980, 14-2981, 14-2982" in text


def test_of_two_readings_of_the_class_both_are_shown(write: Write, look: Look) -> None:
    seen = look(write(f"{a}/{b}/{i}.png" for a in ("red", "blue") for b in ("round", "square") for i in range(4)))
    lines = report(seen)
    place = lines.index("classes     --label 1: blue 8, red 8?")
    assert lines[place + 1] == "            --label 2: round 8, square 8?"


def test_of_groups_within_groups_the_finer_are_shown_too(write: Write, look: Look) -> None:
    seen = look(write(f"{c}/{c}{p}-{v}_{i}.png" for c in "ab" for p in range(3) for v in range(3) for i in range(3)))
    lines = report(seen)
    place = next(i for i, line in enumerate(lines) if line.startswith("patient"))
    assert lines[place].endswith(": 6, 9 images each, such as a0, a1, a2")
    option = r"--patient '(?:^|/)(?P<patient>\p{L}+\d+-\d+)_[^/]*$'"
    further = f"or these divided further, {option}: 18, 3 images each, such as a0-0, a0-1, a0-2?"
    assert lines[place + 1].strip() == further


def test_a_number_that_goes_across_classes_is_left_to_a_person(write: Write, look: Look) -> None:
    seen = look(write(f"{c}/{p}-{i}.png" for c in ("benign", "malignant") for p in range(6) for i in range(3)))
    lines = report(seen)
    place = next(i for i, line in enumerate(lines) if line.startswith("patient"))
    assert lines[place].endswith(": 6, 6 images each, such as 0, 1, 2; 6 of them have images of several classes?")
    assert lines[place + 1].strip() == "or the same number in several classes is not the same patient: --patient none"
    ((option, choices),) = questions(seen)
    assert (option, choices[-1]) == ("patient", "none")


def test_one_hot_columns_are_said(write: Write, look: Look) -> None:
    place = write(f"{i}.png" for i in range(12))
    write_table(place, "truth.csv", [["image", "MEL", "NV"], *([i, i % 2, 1 - i % 2] for i in range(12))])
    assert "classes     MEL 6, NV 6 (one column each)" in report(look(place))


def test_damaged_pictures_missing_ones_and_missing_parts_are_said(write: Write, look: Look) -> None:
    place = write(f"{i}.png" for i in range(12))
    (place / "3.png").write_bytes(b"no picture")
    rows = [[i, "ab"[i % 2], ("train", "test", "")[i % 3]] for i in range(14)]
    write_table(place, "t.csv", [["image", "label", "split"], *rows])
    text = "\n".join(report(look(place)))
    assert "missing     1 of 12 pictures looked at cannot be used, such as 3.png: " in text
    assert "missing     images of 2 rows, such as 12" in text
    assert "missing     the part of 4 images" in text


def test_without_a_readable_picture_the_usual_size_is_taken(write: Write, look: Look) -> None:
    place = write(f"{c}/{i}.png" for c in ("benign", "malignant") for i in range(3))
    for path in place.rglob("*.png"):
        Path(path).write_bytes(path.name.encode())
    seen = look(place)
    assert (seen.look.looked_at, len(seen.look.bad), seen.entry["image_size"]) == (6, 6, 224)
    assert "of 6 looked at: none readable pixels" in "\n".join(report(seen))
