"""`data/tuning/folds.csv`: outer folds of the pool, and inner folds of what each of them leaves; no test image."""

from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.core.params_data import SplitParams
from bycase.core.seeding import derive_seed
from bycase.datasets.splits.folds import assign_groups
from bycase.studies.tune.place import FINAL, FOLDS

COLUMNS = ("image", "outer", "part", "group")
OUTER_PART = "outer"
AGAIN = "run 'dvc repro -f tuning/dvc.yaml:folds'"


def inner_part(fold: int) -> str:
    """The value of the column ``part`` of an inner fold, numbered from 0."""
    return f"inner{fold}"


def take_pool(splits: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """The manifest's rows of training and validation images, sorted, with the split's groups; no test image."""
    kept = splits.loc[splits["part"] != "test", ["image", "group"]]
    pool = manifest.drop(columns="group").merge(kept, on="image", validate="one_to_one")
    if len(pool) < len(kept):
        raise UserError("data/splits.csv has images that are not in data/manifest.csv; run 'dvc repro split'")
    return pool.sort_values("image", ignore_index=True)


def make_tuning_folds(pool: pd.DataFrame, split: SplitParams, seed: int, inner: int, outer: int) -> pd.DataFrame:
    """Lay out all folds.

    Parameters
    ----------
    pool : DataFrame with the columns ``image``, ``label``, ``subtype``, ``group``
        Of `take_pool`.
    split : SplitParams
        For the name of its ``group``.
    seed : int
        The pipeline's seed.
    inner, outer : int
        Numbers of folds; of outer ones 0 leaves 'final' alone.

    Returns
    -------
    DataFrame with `COLUMNS`
        For each search ('final', '0', ...) every image of the pool.

    Raises
    ------
    UserError
        If a class has too few groups.
    """
    tables = [pool.assign(outer=FINAL, part=_inner_parts(pool, split, seed, inner, FINAL))]
    outer_fold = _assign(pool, split, derive_seed(seed, "tuning"), outer, "outer.folds") if outer else None
    for fold in range(outer):
        assert outer_fold is not None
        rest = pool[outer_fold != fold]
        part = _inner_parts(rest, split, seed, inner, str(fold)).reindex(pool.index).fillna(OUTER_PART)
        tables.append(pool.assign(outer=str(fold), part=part))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def _inner_parts(frame: pd.DataFrame, split: SplitParams, seed: int, folds: int, outer: str) -> pd.Series:
    numbers = _assign(frame, split, derive_seed(seed, "tuning", outer), folds, f"inner.folds, search {outer}")
    return numbers.map(inner_part)


def _assign(frame: pd.DataFrame, split: SplitParams, seed: int, folds: int, key: str) -> pd.Series:
    shares = {f"fold {fold}": 1 / folds for fold in range(folds)}
    try:
        named = assign_groups(frame, shares, seed, "group", split.group)
    except UserError as error:
        raise UserError(f"tuning/params.yaml: {key}: {error}") from None
    return named.str.removeprefix("fold ").astype(int)


def write_tuning_folds(frame: pd.DataFrame, path: Path = FOLDS) -> None:
    """Check folds and write them."""
    check_tuning_folds(frame, path)
    write_csv(path, frame[list(COLUMNS)])


def read_tuning_folds(path: Path = FOLDS) -> pd.DataFrame:
    """Read folds and check them again; all columns are text."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'bycase tune run folds' first") from None
    check_tuning_folds(frame, path)
    return frame


def check_tuning_folds(frame: pd.DataFrame, path: Path) -> None:
    """Refuse folds in which anything straddles parts.

    Raises
    ------
    UserError
        If a column is missing, an image stands twice in a search, or a group straddles its parts.
    """
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; {AGAIN}")
    twice = frame[frame.duplicated(["outer", "image"])]
    if len(twice):
        raise UserError(f"{path}: image {twice['image'].iloc[0]} stands twice in {twice['outer'].iloc[0]}; {AGAIN}")
    parts = frame.groupby(["outer", "group"])["part"].nunique()
    if (parts > 1).any():
        outer, group = parts.index[parts > 1][0]
        raise UserError(f"{path}: group {group} stands in several parts of {outer}; {AGAIN}")


def folds_of(outer: str, folds: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """One search's rows of the folds; `outer` is 'final', '0', ...

    Raises
    ------
    UserError
        If there is no such search, or the folds are of another split, one whose test part they touch.
    """
    chosen = folds[folds["outer"] == outer]
    if chosen.empty:
        raise UserError(f"no search '{outer}'; there are {', '.join(folds['outer'].unique())}")
    pool = set(splits.loc[splits["part"] != "test", "image"])
    if set(chosen["image"]) != pool:
        raise UserError(f"{FOLDS} is of another split than data/splits.csv; {AGAIN}")
    return chosen.reset_index(drop=True)
