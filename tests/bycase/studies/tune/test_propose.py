"""Proposals and a population's members, first and after a kill, without running Ray."""

from pathlib import Path
from typing import Any

import pytest

from bycase.studies.tune.journal import Journal
from bycase.studies.tune.params import Run, Space
from bycase.studies.tune.population import Population, begin_population, members
from bycase.studies.tune.propose import Proposals
from bycase.studies.tune.space import is_within

SPACE = {
    "learning_rate": {"log": [0.0001, 0.1]},
    "weight_decay": {"uniform": [0, 0.1]},
    "batch_size": {"uniform": [4, 16]},
    "head": {"choice": [[], [4], [8]]},
}


def propose(tuned: Any, algorithm: Any, folder: Path, seed: int, stop: int) -> tuple[Journal, list[dict[str, Any]]]:
    """Run all trials with a made-up score, or until trial `stop` is running."""
    params, tuning = tuned(tuning={"space": SPACE})
    journal = Journal(folder, "same")
    proposals = Proposals(Run(algorithm, 0, 16, 1), params, tuning.space, seed, journal)
    settings = []
    while proposals.left:
        member = proposals.suggest(f"id{proposals.left}")["member"]
        number = member["trial"]
        settings.append({key: member[key] for key in SPACE})
        if number == stop:
            break
        score = 1 - abs(member["learning_rate"] - 0.01)
        row = {"score": score, "loss": 1.0, "val_loss": 1.0, "setting": settings[-1]}
        row |= {"donor": None, "status": "running", "message": ""}
        journal.add("epoch", trial=number, epoch=1, **row)
        journal.add("end", trial=number, status="finished", message="")
        proposals.on_trial_complete(f"id{proposals.left + 1}", {"best_score": score})
    return journal, settings


@pytest.mark.parametrize("algorithm", ["random", "bayesian"])
def test_the_same_seed_proposes_the_same_also_after_a_kill(tuned: Any, tmp_path: Path, algorithm: str) -> None:
    _, whole = propose(tuned, algorithm, tmp_path / "whole", 7, -1)
    _, again = propose(tuned, algorithm, tmp_path / "again", 7, -1)
    assert len(whole) == 16
    assert again == whole
    _, before = propose(tuned, algorithm, tmp_path / "killed", 7, 13)
    journal, after = propose(tuned, algorithm, tmp_path / "killed", 7, -1)
    assert before == whole[:14]
    assert after == whole[13:]
    assert len(journal.of("session")) == 2
    _, other = propose(tuned, algorithm, tmp_path / "other", 8, -1)
    assert other[0] == whole[0]
    assert other[1:] != whole[1:]


def test_trial_0_is_params_yaml_and_all_lie_within_the_space(tuned: Any, tmp_path: Path) -> None:
    _, settings = propose(tuned, "bayesian", tmp_path / "w", 7, -1)
    assert settings[0] == {"learning_rate": 0.01, "weight_decay": 0.01, "batch_size": 8, "head": "none"}
    assert all(is_within(setting, Space.model_validate(SPACE)) for setting in settings)
    # TPE has learned where the score is: its trials after the first ten lie nearer to it.
    distance = [abs(setting["learning_rate"] - 0.01) for setting in settings[1:]]
    assert sum(distance[10:]) / 5 < sum(distance[:10]) / 10


def row(trial: int, epoch: int, score: float, rate: float, status: str = "running") -> dict[str, Any]:
    setting = {"learning_rate": rate, "head": "none"}
    return {
        "trial": trial,
        "epoch": epoch,
        "score": score,
        "loss": 1,
        "val_loss": 1,
        "setting": setting,
        "donor": None,
        "status": status,
        "message": "",
    }


def test_the_best_bayesian_trials_begin_the_population(tuned: Any, tmp_path: Path) -> None:
    params, tuning = tuned()
    journal = Journal(tmp_path / "w", "same")
    for number, score in enumerate([0.5, 0.9, 0.7]):
        journal.add("epoch", **row(number, 1, score, 0.001 * (number + 1)))
        journal.add("end", trial=number, status="finished", message="")
    begun = begin_population(Run("pbt", 3, 2, 4), params, tuning.space, 7, journal)
    assert [setting["learning_rate"] for setting in begun] == [0.002, 0.003]
    alone = begin_population(Run("pbt", 1, 3, 4), params, tuning.space, 7, Journal(tmp_path / "x", "same"))
    assert alone[0] == {"learning_rate": 0.01, "head": "none"}
    assert alone[1] != alone[2]


def test_members_go_on_where_they_were(tuned: Any, tmp_path: Path) -> None:
    params, tuning = tuned()
    run = Run("pbt", 1, 4, 9)
    journal = Journal(tmp_path / "w", "same")
    begun = begin_population(run, params, tuning.space, 7, journal)
    for number in (1, 2, 3):
        journal.add("epoch", **row(number, 1, 0.5, 0.01, "diverged" if number == 3 else "running"))
    journal.add("exchange", epoch=1)
    journal.add("exploit", trial=2, donor=1, epoch=1, setting={"learning_rate": 0.05, "head": "none"})
    journal.add("epoch", **row(1, 2, 0.6, 0.01))
    found = {member["trial"]: member for member in members(run, begun, journal)}
    assert found[1]["start"]["state"] == "1-2.npz"
    assert found[1]["start"]["row"]["epoch"] == 2
    assert found[2]["start"] == {"state": "1-1.npz", "row": None}
    assert found[2]["learning_rate"] == 0.05
    assert found[3]["start"]["state"] is None
    assert found[3]["start"]["row"]["status"] == "diverged"
    assert found[4]["start"] is None
    scheduler = Population(tuning.population, tuning.space, 7, journal)
    assert scheduler._next_perturbation_sync == 2
