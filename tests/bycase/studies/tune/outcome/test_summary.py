import json
from pathlib import Path
from typing import Any

import pytest

from bycase.studies.tune.outcome.nested import rows_of_searches, score_ways
from bycase.studies.tune.outcome.searches import Search, read_searches
from bycase.studies.tune.outcome.summary import sentences, summarise
from tests.fixtures.tune_outcome import FOLDS, make_manifest, write_searches


def summary_of(folder: Path, **options: Any) -> tuple[dict[str, Any], Search]:
    write_searches(folder, **options)
    final, nested = read_searches(FOLDS, folder)
    outer = score_ways(rows_of_searches(nested, make_manifest()), final.about, 200, 7)
    return summarise(final, nested, outer), final


def keys_of(content: Any) -> Any:
    return {key: keys_of(value) for key, value in content.items()} if isinstance(content, dict) else type(content)


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        (1.0, "tuning has helped: gain over the default settings .1"),
        (0.0, "the interval includes 0: no gain shown; outer AUC ."),
        (-1.5, "tuning has made it worse: gain over the default settings -."),
    ],
)
def test_it_is_said_whether_tuning_has_helped(tmp_path: Path, gain: float, says: str) -> None:
    summary, final = summary_of(tmp_path, gain=gain)
    assert says in sentences(summary, final)[0]
    inside = summary["gain"]["ci"]["low"] <= 0 <= summary["gain"]["ci"]["high"]
    assert inside == (gain == 0)


def test_optimism_is_the_mean_inner_minus_the_outer_score(tmp_path: Path) -> None:
    summary, final = summary_of(tmp_path, gain=-1.5)
    inner = [summary["inner"][str(fold)] for fold in range(FOLDS)]
    assert summary["optimism"]["estimate"] == pytest.approx(sum(inner) / FOLDS - summary["outer"]["score"])
    assert summary["optimism"]["ci"]["low"] > 0
    assert "no optimism" not in sentences(summary, final)[1]
    assert summary["default_optimism"]["estimate"] < summary["optimism"]["estimate"]


def test_where_no_patient_is_known_it_is_said(tmp_path: Path) -> None:
    summary, final = summary_of(tmp_path)
    assert "patients" in sentences(summary, final)[0]
    said = sentences(summary | {"note": "patients unknown: x"}, final)
    assert said[-1] == "patients unknown: x"
    assert not any("patients" in line.replace("images, patients unknown", "") for line in said[:-1])


def test_failed_trials_are_counted_and_told(tmp_path: Path) -> None:
    summary, final = summary_of(tmp_path, failing=(3, 4, 5))
    assert summary["trials"] == {"all": 48, "finished": 36, "stopped": 0, "diverged": 4, "crashed": 8, "lost": 0}
    assert sentences(summary, final)[-1] == "48 trials in all searches (4 diverged, 8 crashed), 224 of 288 epochs"


def test_the_keys_are_the_same_for_all_algorithms(tmp_path: Path) -> None:
    found = [summary_of(tmp_path / name, algorithm=name, trials=8)[0] for name in ("random", "pbt", "bayesian+pbt")]
    assert keys_of(found[0]) == keys_of(found[1]) == keys_of(found[2])
    assert json.loads(json.dumps(found[1], allow_nan=False)) == found[1]


def test_without_a_nested_evaluation_nothing_is_claimed(tmp_path: Path) -> None:
    write_searches(tmp_path, 0)
    final, nested = read_searches(0, tmp_path)
    summary = summarise(final, nested, None)
    assert set(summary) == {"inner", "default_inner", "trials", "epochs"}
    assert sentences(summary, final)[0].startswith("no nested evaluation (outer.folds is 0): the inner AUC of .")


def test_where_the_default_settings_failed_there_is_no_gain(tmp_path: Path) -> None:
    write_searches(tmp_path)
    (tmp_path / "1/predictions_default.csv").unlink()
    final, nested = read_searches(FOLDS, tmp_path)
    outer = score_ways(rows_of_searches(nested, make_manifest()), final.about, 100, 7)
    summary = summarise(final, nested, outer)
    assert not {"gain", "default_outer", "default_optimism"} & set(summary)
    assert sentences(summary, final)[0].startswith("the default settings have failed in an outer fold")
