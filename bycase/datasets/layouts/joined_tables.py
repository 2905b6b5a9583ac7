"""The tables of a data set: which files they are, put together and joined."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_layouts import JoinParams, TableParams
from bycase.tables.tabular import TABLE_SUFFIXES, check_column, list_names, read_any_table

HUGGING_FACE = ("metadata.csv", "metadata.jsonl")
NOT_TABLES = ("readme", "license", "licence", "readme_", "attribution")
FOLDER, PART = "/folder", "/part"  # added columns, of names that no table has


def find_tables(root: Path, files: Sequence[Path], table: TableParams) -> tuple[pd.DataFrame, list[Path]]:
    """Read the tables that `table` means, one below the other, joined with the second one.

    Parameters
    ----------
    root : Path
        The raw folder.
    files : sequence of Path
        Its files, relative to it.
    table : TableParams
        ``file``, ``sheet`` and ``join`` count.

    Returns
    -------
    frame : DataFrame of str
        With the columns `FOLDER`, the table's own, and, where there is one file a part, `PART`.
    places : list of Path
        The tables among `files`.

    Raises
    ------
    UserError
        If a table is not there, not clear or damaged, or the join finds nothing or several rows.
    """
    wanted = table.file if isinstance(table.file, dict) else {"": table.file}
    frames, places = [], []
    for part, name in wanted.items():
        for path in _find(root, files, name, "table.file"):
            frame = read_any_table(root / path, table.sheet)
            frames.append(frame.assign(**{FOLDER: path.parent.as_posix() if not path.is_absolute() else ""}))
            frames[-1] = frames[-1].assign(**{PART: part}) if part else frames[-1]
            places.append(path)
    frame = pd.concat(frames, ignore_index=True).fillna("")
    if table.join is not None:
        frame, second = _join(frame, root, files, table.join, places[0])
        places += second
    return frame, places


def _find(root: Path, files: Sequence[Path], name: str | None, key: str) -> list[Path]:
    """The files of a name; several differ only in their folders, and equal ones count once."""
    if name is not None and Path(name).expanduser().is_absolute():
        return [Path(name).expanduser()]
    if name is None:
        found = [path for path in files if path.name.lower() in HUGGING_FACE] or [
            path
            for path in files
            if path.suffix.lower() in TABLE_SUFFIXES and not path.stem.lower().startswith(NOT_TABLES)
        ]
        if len({path.name.lower() for path in found}) > 1:
            raise UserError(f"{key}: name the table; there are {list_names(path.as_posix() for path in found)}")
    else:
        exact = [path for path in files if path.as_posix() == name.removeprefix("./")]
        found = exact or [path for path in files if path.name.lower() == name.lower()]
    if not found:
        there = [path.as_posix() for path in files if path.suffix.lower() in TABLE_SUFFIXES]
        what = f"no table '{name}'" if name else "no table"
        raise UserError(f"{key}: {what} below {root}; there are {list_names(there) or 'none'}")
    different: dict[bytes, Path] = {}
    for path in found:
        different.setdefault((root / path).read_bytes(), path)
    return list(different.values())


def _join(
    frame: pd.DataFrame, root: Path, files: Sequence[Path], join: JoinParams, first: Path
) -> tuple[pd.DataFrame, list[Path]]:
    """The columns of a second table beside the first's, by the key; rows that it lacks have none."""
    places = _find(root, files, join.file, "table.join.file")
    if len(places) > 1:
        raise UserError(f"table.join.file: several tables {join.file}, which differ; give the path of one")
    second = read_any_table(root / places[0], join.sheet)
    key = join.key_there or join.key
    check_column(frame, "table.join.key", join.key, first)
    check_column(second, "table.join.key_there", key, places[0])
    second = second.drop_duplicates()
    twice = second[key][second[key].duplicated()]
    if len(twice):
        raise UserError(f"table.join: {places[0]} has several different rows of {key} '{twice.iloc[0]}'; leave one")
    new = [column for column in second.columns if column != key and column not in frame.columns]
    joined = frame.merge(second[[key, *new]], how="left", left_on=join.key, right_on=key, indicator="/joined")
    if not (joined["/joined"] == "both").any():
        raise UserError(
            f"table.join: no {join.key} of {first} is a {key} of {places[0]}, such as '{frame[join.key].iloc[0]}' and "
            f"'{second[key].iloc[0]}'; correct the keys"
        )
    extra = ["/joined"] if key == join.key else ["/joined", key]
    return joined.drop(columns=extra).fillna(""), places
