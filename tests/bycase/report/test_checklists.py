import json
import re
from pathlib import Path

import pytest

from bycase.core.files import write_json
from bycase.report.answers import ANSWERS
from bycase.report.checklist import AUTHOR, CHECKLISTS, answer_item, read_checklist, write_checklist
from bycase.report.inputs import read_bench, read_run
from bycase.report.study import Study, study_of_bench, study_of_run
from tests.fixtures.report import RealData

# The published numbers: TRIPOD+AI has 27 items, of which these have sub-items; 52 in all.
TRIPOD_PARTS = {
    3: "abc",
    5: "ab",
    6: "abc",
    8: "abc",
    9: "abc",
    12: "abcdefg",
    18: "abcdef",
    20: "abc",
    23: "ab",
    27: "abc",
}


def numbers(name: str) -> list[str]:
    return [item.number for item in read_checklist(name).items]


def test_every_item_of_the_published_lists_is_there() -> None:
    assert numbers("claim") == [str(number) for number in range(1, 45)]
    tripod = [f"{number}{part}" for number in range(1, 28) for part in TRIPOD_PARTS.get(number, " ")]
    assert numbers("tripod_ai") == [number.strip() for number in tripod]
    assert len(tripod) == 52


def test_every_answer_is_asked_for_and_known() -> None:
    asked = {item.answer for name in CHECKLISTS for item in read_checklist(name).items if item.answer}
    assert asked == set(ANSWERS)


@pytest.mark.parametrize("name", CHECKLISTS)
@pytest.mark.parametrize("kind", ["run_folder", "bench_folder"])
def test_every_item_has_an_answer_or_is_the_authors(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(kind)
    study = study_of_run(read_run()) if kind == "run_folder" else study_of_bench(read_bench())
    text = write_checklist(name, study)
    rows = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == len(numbers(name))
    for row in rows:
        cells = re.split(r"(?<!\\)\|", row)
        assert len(cells) == 6, row
        assert len(cells[4].strip()) > 3, row
    assert not re.search(r"None(?!\.|:| used| beyond)|\bnan\b", text)


def answer(study: Study, checklist: str, number: str) -> str:
    return answer_item(next(item for item in read_checklist(checklist).items if item.number == number), study)


def test_the_numbers_are_those_of_the_metrics(run_folder: Path) -> None:
    before = study_of_run(read_run())
    assert "AUC 0.800 (95 % CI 0.700 to 0.900)" in answer(before, "claim", "37")
    assert "sensitivity 0.756" in answer(before, "claim", "38")
    assert "calibration error 0.123 (0.061, p = .034) before" in answer(before, "tripod_ai", "24")
    assert "Benign 20, Malignant 40" in answer(before, "claim", "19")
    assert "Disjoint by case" in answer(before, "claim", "20")
    assert "Seed 7" in answer(before, "claim", "19")
    assert "keras 3" in answer(before, "claim", "23")
    assert "1,000 bootstrap" in answer(before, "claim", "29")
    path = Path("metrics/metrics.json")
    metrics = json.loads(path.read_text())
    metrics["image"] |= {"auc": 0.4321}
    write_json(path, metrics)
    after = study_of_run(read_run())
    assert "AUC 0.432 (" in answer(after, "claim", "37")
    assert "AUC 0.432 (" in answer(after, "tripod_ai", "23a")


def test_of_a_benchmark_the_verdicts_are_told(bench_folder: Path) -> None:
    study = study_of_bench(read_bench())
    assert study.model == "efficientnetlite"
    assert "AUC 0.910" in answer(study, "claim", "37")
    assert "efficientnetlite and alexnet: better" in answer(study, "claim", "37")
    assert "optimistic" in answer(study, "claim", "26")
    assert "2 folds by case" in answer(study, "tripod_ai", "12a")


def test_leaks_and_real_data_change_the_answers(run_folder: Path, real_data: RealData) -> None:
    path = Path("data/splits.json")
    write_json(path, json.loads(path.read_text()) | {"cases_on_both_sides": 4})
    assert "LEAKAGE: 4 cases" in answer(study_of_run(read_run()), "claim", "20")
    assert AUTHOR not in answer(study_of_run(read_run()), "claim", "13")
    real_data(run_folder)
    study = study_of_run(read_run())
    assert AUTHOR in answer(study, "claim", "13")
    assert "Spanhol" in answer(study, "claim", "7")
    assert "60 of 7,909" in answer(study, "claim", "40")
    assert "secret" not in "".join(write_checklist(name, study) for name in CHECKLISTS)


def test_only_the_author_knows(run_folder: Path) -> None:
    study = study_of_run(read_run())
    for number in ("15", "34", "44"):
        assert answer(study, "claim", number) == f"**{AUTHOR}**."
