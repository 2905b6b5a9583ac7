"""BreakHis' five published folds, from `dsfoldN.txt` or the Kaggle archive's `Folds.csv`."""

from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError


def read_official_fold(place: Path, fold: int) -> pd.DataFrame:
    """Read one official fold.

    Parameters
    ----------
    place : Path
        A folder to look in, or one of the two files.
    fold : int
        1 to 5.

    Returns
    -------
    DataFrame with the columns ``name`` (file name), ``part`` ('train' or 'test')
        One row an image.

    Raises
    ------
    UserError
        If no such file is there, it is not of either form, or the fold is not in it.
    """
    source = _find(place, fold)
    try:
        table = _read_folds_csv(source) if source.suffix == ".csv" else _read_dsfold(source)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{source} is no table of folds ({error}); get the file again") from None
    chosen = table[table["fold"] == fold]
    if chosen.empty:
        raise UserError(f"{source} has no fold {fold}; it has {', '.join(map(str, sorted(set(table['fold']))))}")
    # One image has one row a fold: reading the parts without choosing a fold puts it in train and test alike.
    twice = chosen["name"][chosen["name"].duplicated()]
    if len(twice):
        raise UserError(f"{source}: image {twice.iloc[0]} stands twice in fold {fold}; get the file again")
    unknown = set(chosen["part"]) - {"train", "test"}
    if unknown:
        raise UserError(f"{source}: fold {fold} has part '{min(unknown)}'; only train and test are known")
    return chosen[["name", "part"]].reset_index(drop=True)


def _find(place: Path, fold: int) -> Path:
    if place.is_file():
        return place
    for pattern in ("Folds.csv", f"dsfold{fold}.txt"):
        found = sorted(place.rglob(pattern))
        if found:
            return found[0]
    raise UserError(
        f"{place} holds neither Folds.csv nor dsfold{fold}.txt; set split.folds_file, or split.protocol to fractions"
    )


def _read_folds_csv(source: Path) -> pd.DataFrame:
    """``fold,mag,grp,filename``, as in the Kaggle archive ambarish/breakhis."""
    table = pd.read_csv(source, dtype=str, keep_default_na=False)
    if not {"fold", "grp", "filename"} <= set(table.columns):
        raise UserError(f"{source} lacks one of the columns fold, grp, filename")
    return pd.DataFrame(
        {
            "name": table["filename"].str.rsplit("/", n=1).str[-1],
            "part": table["grp"].str.lower(),
            "fold": pd.to_numeric(table["fold"], errors="coerce").fillna(0).astype(int),
        }
    )


def _read_dsfold(source: Path) -> pd.DataFrame:
    """``name|magnification|fold|train or test``, no header, as its publisher distributes it."""
    table = pd.read_csv(source, sep="|", header=None, dtype=str, keep_default_na=False)
    if table.shape[1] < 4:
        raise UserError(f"{source} is not of the form name|magnification|fold|part")
    return pd.DataFrame(
        {
            "name": table[0].str.strip(),
            "part": table[3].str.strip().str.lower(),
            "fold": pd.to_numeric(table[2], errors="coerce").fillna(0).astype(int),
        }
    )
