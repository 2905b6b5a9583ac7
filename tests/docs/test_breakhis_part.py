"""The part of BreakHis that the example of an external test set trains on."""

from pathlib import Path

import pytest

from docs.breakhis_part import choose_cases, main


def test_of_each_class_every_third_case_is_left_out() -> None:
    cases = {("Benign", f"14-{n}") for n in range(1, 7)} | {("Malignant", f"14-{n}") for n in range(7, 10)}
    assert choose_cases(cases) == {"14-1", "14-2", "14-4", "14-5", "14-7", "14-8"}
    # A case of two classes is left out of both.
    assert "14-3" not in choose_cases(cases | {("Malignant", "14-3")})


def test_links_lie_as_the_files_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for case in range(3):
        path = tmp_path / f"raw/x/SOB_B_A-14-{case}-40-001.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    main(["raw", "part"])
    assert sorted(path.name for path in Path("part/x").iterdir() if path.resolve().exists()) == [
        "SOB_B_A-14-0-40-001.png",
        "SOB_B_A-14-1-40-001.png",
    ]
    with pytest.raises(SystemExit, match="part is there already"):
        main(["raw", "part"])
