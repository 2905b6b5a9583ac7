"""Splits that somebody else has made: a CSV file `image,part`, or BreakHis' five published folds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.datasets.part_words import PART_WORDS
from bycase.tables.tabular import read_any_table

_FOLDS_WAY_OUT = "use split.protocol: official with split.official_fold and split.folds_file"


@dataclass(frozen=True)
class Supplied:
    """A split file, matched with the manifest.

    Attributes
    ----------
    subsets : Series of str, index ``image``
        The subset of every image of the manifest that stands in one subset of the file.
    unknown, ambiguous : list of str
        The file's names that are of no image, or of several.
    missing : list of str
        The manifest's images that the file does not name.
    in_several : list of str
        The manifest's images that the file puts in more than one subset.
    units : dict of str to int
        How many names were read as images, slide folders, cases or groups.
    complement : bool
        Whether images that the file does not name were put in train, since it names another part only.
    """

    subsets: pd.Series
    unknown: list[str]
    ambiguous: list[str]
    missing: list[str]
    in_several: list[str]
    units: dict[str, int] = field(default_factory=dict)
    complement: bool = False


def read_split_file(path: Path) -> pd.DataFrame:
    """Read a split file.

    Parameters
    ----------
    path : Path
        A table with the columns ``image`` and ``part`` (train, val, test, or one of `PART_WORDS`) and any others, as
        `bycase.tables.tabular.read_any_table` takes it.

    Returns
    -------
    DataFrame with the columns ``image``, ``part``
        As in the file, parts named train, val and test.

    Raises
    ------
    UserError
        If there is no such file, it is no such table, or it is a table of several folds, as Folds.csv is.
    """
    if not path.is_file():
        raise UserError(f"split file {path} not found: set split.file to a CSV file with image,part")
    table = read_any_table(path)
    table.columns = table.columns.str.lower()
    _refuse_table_of_folds(table, path)
    lacking = [column for column in ("image", "part") if column not in table.columns]
    if lacking:
        raise UserError(f"split file {path}: column {', '.join(lacking)} missing; it needs image,part")
    image, subset = table["image"], table["part"].str.lower()
    unknown = subset[~subset.isin(list(PART_WORDS))]
    if len(unknown):
        raise UserError(
            f"split file {path}: image {image[unknown.index[0]]} has part '{unknown.iloc[0]}'; "
            f"valid are {', '.join(PART_WORDS)}"
        )
    return pd.DataFrame({"image": image, "part": subset.map(PART_WORDS)})


def _refuse_table_of_folds(table: pd.DataFrame, path: Path) -> None:
    """Refuse the form of Folds.csv or dsfoldN.txt, under their own column names or under others."""
    if table.shape[1] == 4 and table.columns[-1] in ("train", "test"):  # its first line, which is no header
        raise UserError(f"split file {path} has the form of dsfoldN.txt, which has no train and val; {_FOLDS_WAY_OUT}")
    columns = set(table.columns)
    subsets = next((column for column in ("grp", "part") if column in columns), None)
    images = next((column for column in ("filename", "image") if column in columns), None)
    if subsets is None or images is None:
        return
    both = int(table.groupby(images)[subsets].nunique().gt(1).sum())
    recurs = bool(table[images].duplicated().any())
    # Stripped of its column `fold` the table still shows itself: most images are both in train and in test.
    if (recurs and columns & {"grp", "fold"}) or both * 2 > len(set(table[images])):
        raise UserError(
            f"split file {path} is a table of several folds, such as Folds.csv, that names every image once a fold: "
            f"reading {subsets} without choosing one fold puts {both} images in train and test alike; {_FOLDS_WAY_OUT}"
        )


def match_images(table: pd.DataFrame, manifest: pd.DataFrame) -> Supplied:
    """Find the file's images in the manifest.

    Parameters
    ----------
    table : DataFrame with the columns ``image``, ``part``
        See `read_split_file`. An image is named by the manifest's ``image`` or ``source``, by the file name of either,
        or by that name without its suffix.
    manifest : DataFrame with the columns ``image``, ``source``
        One row an image.

    Returns
    -------
    Supplied
        What matches and what does not.
    """
    by_name = _names(manifest)
    images = table["image"].map(lambda name: by_name.get(name, frozenset()))
    count = images.map(len)
    known = table[count == 1].assign(image=images[count == 1].map(lambda only: next(iter(only))))
    subsets = known.groupby("image")["part"].agg(["first", "nunique"])
    several = subsets["nunique"] > 1
    named = set(subsets.index)
    return Supplied(
        subsets=subsets.loc[~several, "first"].rename("part"),
        unknown=sorted(set(table.loc[count == 0, "image"])),
        ambiguous=sorted(set(table.loc[count > 1, "image"])),
        missing=[image for image in manifest["image"] if image not in named],
        in_several=list(subsets.index[several]),
    )


def _names(manifest: pd.DataFrame) -> dict[str, frozenset[str]]:
    """The images that each name may mean; a longer name, being more exact, counts before a shorter."""
    images: dict[str, frozenset[str]] = {}
    for shorten in (str, _file_name, _stem):
        level: dict[str, set[str]] = {}
        for image, source in zip(manifest["image"], manifest["source"], strict=True):
            for name in {shorten(image), shorten(source)}:
                level.setdefault(name, set()).add(image)
        images = {name: frozenset(meant) for name, meant in level.items()} | images
    return images


def _file_name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _stem(path: str) -> str:
    return _file_name(path).rsplit(".", 1)[0]


def complete_subsets(supplied: Supplied, wanted: Sequence[str], place: Path) -> pd.Series:
    """The subset of every wanted image, where the file says it without doubt.

    Parameters
    ----------
    supplied : Supplied
        See `match_images`.
    wanted : sequence of str
        The images to be split; the file may name others of the manifest.
    place : Path
        The file, for messages.

    Returns
    -------
    Series of str, index `wanted`
        One of `SUBSETS`.

    Raises
    ------
    UserError
        Naming the first image that is in no subset, in several, or not to be found, or the subset without image.
    """
    lacking = set(supplied.missing) & set(wanted)
    for names, fault, way_out in (
        (supplied.in_several, "puts in more than one part", "leave each in one"),
        (supplied.unknown, "names, but the manifest does not have", "remove them from the file, or mend the data"),
        (supplied.ambiguous, "names, but several images share the name", "name them as data/manifest.csv does"),
        (
            [image for image in wanted if image in lacking],
            "does not name",
            "add them to the file, or leave them out by split.magnifications",
        ),
    ):
        if names:
            raise UserError(f"split file {place}: {len(names)} images that it {fault}, {names[0]} first; {way_out}")
    subsets = supplied.subsets.reindex(list(wanted))
    # A file without validation is as its publisher made it; validation is then taken from train.
    for subset in ("train", "test"):
        if not (subsets == subset).any():
            raise UserError(f"split file {place} leaves part {subset} empty; add images to it")
    return subsets


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
    # One image has one row a fold: reading all without choosing a fold puts it in train and test alike.
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
        files = sorted(place.rglob(pattern))
        if files:
            return files[0]
    raise UserError(
        f"{place} holds neither Folds.csv nor dsfold{fold}.txt; set split.folds_file, or split.protocol to fractions"
    )


def _read_folds_csv(source: Path) -> pd.DataFrame:
    """``fold,mag,grp,filename``, as in the Kaggle archive ambarish/breakhis."""
    table = read_any_table(source)
    if not {"fold", "grp", "filename"} <= set(table.columns):
        raise UserError(f"{source} lacks one of the columns fold, grp, filename")
    return _fold_table(table["filename"].str.rsplit("/", n=1).str[-1], table["grp"], table["fold"])


def _read_dsfold(source: Path) -> pd.DataFrame:
    """``name|magnification|fold|train or test``, no header, as its publisher distributes it."""
    table = pd.read_csv(source, sep="|", header=None, dtype=str, keep_default_na=False)
    if table.shape[1] < 4:
        raise UserError(f"{source} is not of the form name|magnification|fold|part")
    return _fold_table(table[0].str.strip(), table[3].str.strip(), table[2])


def _fold_table(name: pd.Series, subset: pd.Series, fold: pd.Series) -> pd.DataFrame:
    numbers = pd.to_numeric(fold, errors="coerce").fillna(0).astype(int)
    return pd.DataFrame({"name": name, "part": subset.str.lower(), "fold": numbers})
