"""`data/tuning/searches/<outer>/`: what each search has left, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.wording import plural
from bycase.figures.style import data_words
from bycase.studies.tune.place import DEFAULT, EPOCH_COLUMNS, FINAL, SEARCHES, TRIAL_COLUMNS
from bycase.tables.predictions import read_predictions
from bycase.tables.results import read_results

PIPELINE = "tuning/dvc.yaml"
TEXT = dict.fromkeys(("algorithm", "status", "message", "head"), str)
SAME = ("algorithm", "seed", "model", "dataset", "monitor", "classes")  # of all searches of one tuning


@dataclass(frozen=True)
class Search:
    """One search, ended.

    Attributes
    ----------
    outer : str
        `FINAL`, or the number of the outer fold that it has not seen.
    about : dict
        ``about.json``: what was searched, and what was spent.
    trials : DataFrame with the columns `TRIAL_COLUMNS`
        One row a trial, in the order of their numbers; every other column is a hyper-parameter.
    epochs : DataFrame with the columns `EPOCH_COLUMNS`
        One row a trial and epoch, in the order in which they ended; hyper-parameters as they were then. Those outside
        the budget have no ``spent`` and stand last.
    winner : dict
        ``winner.json``.
    predictions, default : DataFrame or None
        Of the outer fold, by the winner's networks and by those of the default settings; of `FINAL` None, and the
        latter also where the default settings have failed.
    inner, default_inner : DataFrame or None
        Likewise of the inner folds, with a column ``fold``, each fold by the network that has not seen it.
    """

    outer: str
    about: dict[str, Any]
    trials: pd.DataFrame
    epochs: pd.DataFrame
    winner: dict[str, Any]
    predictions: pd.DataFrame | None
    default: pd.DataFrame | None
    inner: pd.DataFrame | None
    default_inner: pd.DataFrame | None

    @property
    def hyperparameters(self) -> list[str]:
        """The names of what was searched, in the order of the table."""
        return [column for column in self.trials.columns if column not in TRIAL_COLUMNS]

    @property
    def score(self) -> float:
        """The winner's inner score."""
        return float(self.winner["score"])

    @property
    def default_score(self) -> float:
        """The inner score of the default settings, which are trial 0's; NaN where it has failed."""
        return float(self.trials.loc[self.trials["trial"] == 0, "score"].max())

    @property
    def searched(self) -> pd.DataFrame:
        """The trials without the default settings' own where these were trained beside the budget."""
        return self.trials[self.trials["algorithm"] != DEFAULT]


def read_search(folder: Path, again: str = PIPELINE) -> Search:
    """Read one search; `again` is the pipeline or stage that makes it, named in errors.

    Raises
    ------
    UserError
        If a file or column is missing, or predictions do not follow their contract.
    """
    about = read_results(folder / "about.json", again)
    nested = about["outer"] != FINAL
    failed = not (folder / "predictions_default.csv").exists()

    def read(name: str) -> pd.DataFrame:
        return read_predictions(folder / f"{name}.csv", about["classes"], again)

    epochs = _read_table(folder / "epochs.csv", EPOCH_COLUMNS, again)
    return Search(
        outer=str(about["outer"]),
        about=about,
        trials=_read_table(folder / "trials.csv", TRIAL_COLUMNS, again).sort_values("trial", ignore_index=True),
        epochs=epochs.sort_values("spent", kind="stable", ignore_index=True),
        winner=read_results(folder / "winner.json", again),
        predictions=read("predictions") if nested else None,
        default=read("predictions_default") if nested and not failed else None,
        inner=read("predictions_inner") if nested else None,
        default_inner=read("predictions_default_inner") if nested and not failed else None,
    )


def read_searches(outer_folds: int, folder: Path = SEARCHES) -> tuple[Search, list[Search]]:
    """Read the search on the whole pool, and those of the outer folds.

    `outer_folds` is 0 without a nested evaluation.

    Raises
    ------
    UserError
        If one is missing, or they are not all of the same network, data and algorithm.
    """
    final, *nested = (read_search(folder / name) for name in (FINAL, *map(str, range(outer_folds))))
    for search in nested:
        for key in SAME:
            if search.about[key] != final.about[key]:
                raise UserError(
                    f"{folder / search.outer}: {key} is {search.about[key]}, but {final.about[key]} in "
                    f"{folder / final.outer}; run 'dvc repro {PIPELINE}'"
                )
    return final, nested


def describe_searches(final: Search, nested: int) -> list[str]:
    """Lines for the head of a figure: network, data, algorithm, what was spent; `nested` counts the outer folds."""
    about = final.about
    folds = f"{nested} outer folds" if nested else "no nested evaluation"
    return [
        f"{about['model']}; {data_words(about['dataset'], about['phantom'])}",
        f"{about['algorithm']}, {plural(len(final.searched), 'trial')}, {about['epochs_spent']} epochs a search; "
        f"{folds}",
    ]


def _read_table(path: Path, columns: Sequence[str], again: str) -> pd.DataFrame:
    """Read a table in which only an empty cell is not known: 'none' is a head without hidden layers."""
    try:
        frame = pd.read_csv(path, dtype=TEXT, keep_default_na=False, na_values=[""], float_precision="round_trip")
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro {again}' first") from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; run 'dvc repro -f {again}'")
    return frame.fillna({"message": ""}) if "message" in frame.columns else frame
