"""How a data set of anybody's is read: the sections `folders` and `table` of an entry of `datasets`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bycase.core.expressions import compile_pattern


def _as_text(value: Any) -> Any:
    """Numbers as text: YAML reads the labels 0 and 1 as numbers (and ``no`` as a truth, which is refused)."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]
# A folder of the image's path, 1 from the top, -1 from the image; or an expression that is searched in the path.
Level = Annotated[int, Field(ge=-20, le=20)]
Where = Level | str
Names = dict[Text, Text | None]
Edges = dict[str, Annotated[list[float], Field(min_length=1)]]


class Section(BaseModel):
    """A mapping in `params.yaml` in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(Section):
    """What both layouts say of an image."""

    names: Names = {}  # label as it is found -> class; null leaves its images out
    edges: Edges = {}  # of numbers among the columns; by default they are cut at their tertiles

    @model_validator(mode="after")
    def _edges_rise(self) -> "Reading":
        for column, edges in self.edges.items():
            if sorted(set(edges)) != edges:
                raise ValueError(f"edges: those of {column} must rise: {edges}")
        return self


class FoldersParams(Reading):
    """`layout: folders`: what the folders and names of the images say; paths are those below the source.

    Attributes
    ----------
    label : 'auto', int or str
        The class: 'auto', the folder that bears the name of a class (or of one in `names`), at any depth; a folder
        level, 1 from the top or -1 from the image; or an expression.
    patient, slide : int, str or None
        A folder level or an expression; None where nothing names it. A slide lies within a patient.
    part, fold : 'auto', int, str or None
        Train, val and test, or the number of a fold; 'auto': the folder with a usual name of one.
    columns : dict of str to int or str
        Columns for the subgroup tables by name: a folder level or an expression each. The named groups of every
        expression, but for label, patient, slide, part and fold, become columns too.

    An expression is searched in the path with ``/`` between its folders. What counts is its group of the key's name,
    such as ``(?P<patient>...)``; without one, its first group; without any, the whole match.
    """

    label: Literal["auto"] | Where = "auto"
    patient: Where | None = None
    slide: Where | None = None
    part: Literal["auto"] | Where | None = None
    fold: Literal["auto"] | Where | None = None
    columns: dict[str, Where] = {}

    @property
    def places(self) -> dict[str, Where]:
        """Where each value stands, those that are null left out; columns too."""
        keys = {key: getattr(self, key) for key in ("label", "patient", "slide", "part", "fold")}
        return {key: place for key, place in keys.items() if place is not None} | self.columns

    @property
    def names_patient(self) -> bool:
        """Whether anything names a patient."""
        expressions = [place for place in self.places.values() if isinstance(place, str) and place != "auto"]
        return self.patient is not None or any("patient" in compile_pattern(each).groupindex for each in expressions)

    @model_validator(mode="after")
    def _places_are_valid(self) -> "FoldersParams":
        for key, place in self.places.items():
            _check_place(key, place)
        return self


def _check_place(key: str, place: Where) -> None:
    if place == 0:
        raise ValueError(f"{key}: folder levels count from 1 at the top, or from -1 at the image")
    if isinstance(place, str) and place != "auto":
        try:
            compile_pattern(place)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None


class JoinParams(Section):
    """A second table, joined by a key: each of its rows goes to all rows of the first with the same key.

    Attributes
    ----------
    file : str
        As `TableParams.file`.
    key : str
        The column of the first table.
    key_there : str or None
        That of the second; None: the same name.
    """

    file: str
    key: str
    key_there: str | None = None
    sheet: str | None = None


class TableParams(Reading):
    """`layout: table`: images named in a table, whatever its form (CSV, TSV, Excel, JSON lines).

    Attributes
    ----------
    file : str, dict or None
        The table's name or path below the source, or an absolute path; or one a part, ``{train: a.csv, test: b.csv}``;
        None: the only table there, or all `metadata.csv` or `metadata.jsonl`, as Hugging Face has them.
    sheet : str or None
        Of an Excel file; None: the first.
    image : str or None
        The column of paths, names or ids; None: ``file_name``, or the only column with a usual name of one.
    match : int, str or None
        None: a row is of one image. Else it is of all images of a patient, slide or folder, whose name stands in the
        column `image` and here in the path: a folder level or an expression, as in `FoldersParams`.
    root : str or None
        The folder below the source in which images are looked for; None: all of it.
    suffix : str
        What stands after the id in the names of the files.
    label : str, list of str or None
        A column; or several: one-hot columns, or columns whose values together are the label, joined by ``/``;
        None: ``label``, or the only column with a usual name of one.
    patient, slide, part, fold : str or None
        A column, or an expression on the image's path, as in `FoldersParams`. A part that is null is that of the file
        where `file` names one a part.
    columns : list of str, dict of str to str, or None
        Columns for the subgroup tables, by their own names or by others, ``{site: localization}``; None: all others
        that have few values, or numbers.
    join : JoinParams or None
        A second table, whose columns then count as those of the first.
    """

    file: str | dict[Literal["train", "val", "test"], str] | None = None
    sheet: str | None = None
    image: str | None = None
    match: Where | None = None
    root: str | None = None
    suffix: str = ""
    label: str | Annotated[list[str], Field(min_length=2)] | None = None
    patient: str | None = None
    slide: str | None = None
    part: str | None = None
    fold: str | None = None
    columns: list[str] | dict[str, str] | None = None
    join: JoinParams | None = None

    @model_validator(mode="after")
    def _match_is_a_place(self) -> "TableParams":
        if self.match is not None:
            _check_place("match", self.match)
            if self.image is None:
                raise ValueError("match: name the column that holds what it finds, as image")
        return self

    @property
    def names_patient(self) -> bool:
        """Whether anything names a patient."""
        return self.patient is not None
