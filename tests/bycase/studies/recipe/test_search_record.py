import shlex
from pathlib import Path
from typing import Any

import pytest

from bycase.core.wording import DASH
from bycase.studies.recipe.search_record import describe_search, describe_search_command, score_constant
from bycase.studies.recipe.settings import parse_assignments
from bycase.studies.tune.outcome.searches import read_searches
from tests.fixtures.tune_outcome import FOLDS, THREE, TWO, make_manifest, write_searches


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_a_constant_prediction_names_the_commonest_class_of_what_a_search_has(
    tmp_path: Path, classes: tuple[str, ...]
) -> None:
    manifest = make_manifest(classes)
    write_searches(tmp_path, classes=classes, monitor="accuracy")
    _, nested = read_searches(FOLDS, tmp_path)
    right = n = 0
    for search in nested:
        assert search.inner is not None
        assert search.predictions is not None
        counts = search.inner["label"].value_counts()
        # Of equally common classes the first is named.
        commonest = min(counts.index[counts == counts.max()], key=list(classes).index)
        right += int((search.predictions["label"] == commonest).sum())
        n += len(search.predictions)
    constant = score_constant(nested, manifest, 100, 7)
    assert constant["score"] == pytest.approx(right / n)
    assert constant["ci"]["low"] < constant["score"] < constant["ci"]["high"]


def test_a_constant_prediction_ranks_nobody(tmp_path: Path) -> None:
    write_searches(tmp_path, classes=TWO, monitor="auc")
    assert score_constant(read_searches(FOLDS, tmp_path)[1], make_manifest(), 100, 7)["score"] == pytest.approx(0.5)


def make_result(**scores: Any) -> dict[str, Any]:
    limits = {"low": 0.5, "high": 0.75}
    return {
        "recipe": "c-mresnet",
        "data": {"dataset": "busi", "phantom": False},
        "monitor": "accuracy",
        "search": {
            "algorithm": "bayesian+pbt",
            "budget": {"trials": 6, "epochs": 3},
            "inner": {"folds": 2},
            "outer": {"folds": 2},
        },
        "authors": {"learning_rate": 0.0001, "batch_size": 32},
        "winners": {"final": {"hyperparameters": {"learning_rate": 0.0002, "batch_size": 16}}},
        "scores": {
            "inner": {"final": 0.75, "0": 0.5, "1": 0.75},
            "outer": {"score": 0.5625, "ci": limits},
            "default_outer": {"score": 0.59375, "ci": limits},
            "constant_outer": {"score": 0.53125, "ci": limits},
            "optimism": {"estimate": 0.0625, "ci": {"low": -0.125, "high": 0.25}},
            "gain": {"estimate": -0.03125, "ci": {"low": -0.25, "high": 0.125}},
            "n_images": 500,
            "n_patients": 400,
            **scores,
        },
    }


def cells_of(text: str) -> list[str]:
    return [line.strip("| ").rpartition(" | ")[2] for line in text.splitlines() if line.startswith("| ")][2:]


def test_own_score_outer_scores_and_optimism_stand_below_each_other() -> None:
    text = describe_search(make_result())
    assert cells_of(text) == [
        "0.750",
        "0.625",
        "0.562 (0.500 to 0.750)",
        "0.594 (0.500 to 0.750)",
        "0.531 (0.500 to 0.750)",
        "0.062 (95 % CI -0.125 to 0.250)",
        "-0.031 (95 % CI -0.250 to 0.125)",
    ]
    assert "outside of the test part, 500 images of 400 patients; 6 trials x 3 epochs" in text
    assert "learning_rate 0.0002, batch_size 16. The authors': learning_rate 0.0001, batch_size 32." in text


def test_where_the_authors_settings_failed_there_is_a_dash() -> None:
    result = make_result()
    for key in ("default_outer", "gain"):
        del result["scores"][key]
    cells = cells_of(describe_search(result))
    assert (len(cells), cells[3], cells[6]) == (7, DASH, DASH)


def test_where_no_patient_is_known_none_is_counted() -> None:
    text = describe_search(make_result(note="patients unknown: x"))
    assert text.endswith("patients unknown: x\n")
    assert "patient" not in text.removesuffix("patients unknown: x\n").replace("images, patients unknown", "")


def test_the_command_is_as_given_but_for_places() -> None:
    own = parse_assignments(["datasets.busi.path=/home/someone/busi", "search.budget.trials=6"])
    command = describe_search_command("c-mresnet", own)
    assert command == ("bycase recipe search c-mresnet --set 'datasets.busi.path=<busi>' search.budget.trials=6")
    assert parse_assignments(shlex.split(command)[5:])["search"] == {"budget": {"trials": 6}}
    assert describe_search_command("c-mresnet", {}) == "bycase recipe search c-mresnet"
