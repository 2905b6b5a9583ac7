"""A file of predictions as this project judges it: checked, sorted by image, probabilities of every class."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bycase.apps.judge.checks import find_class_faults, find_leaks, find_row_faults
from bycase.apps.judge.classes import (
    Classes,
    confidence_of_predicted,
    find_classes,
    find_score_faults,
    name_classes,
    read_scores,
    whole_numbers,
)
from bycase.apps.judge.columns import Columns, find_columns
from bycase.apps.judge.files import read_decimal_commas, read_file
from bycase.apps.judge.options import Options
from bycase.core.errors import UserError
from bycase.core.files import file_digest
from bycase.core.wording import plural
from bycase.datasets.part_words import PART_WORDS
from bycase.statistics.units import Bools, Floats, Units, number_classes, positive_number, predict_classes
from bycase.tables.predictions import SUM_TOLERANCE

OTHER = "other"  # parts that are neither judged nor otherwise used
UNKNOWN_PATIENTS = "patients unknown: intervals treat images as independent"


@dataclass(frozen=True)
class Table:
    """The predictions of one program.

    Attributes
    ----------
    name : str
        Of the file, without suffix; of several files, what tells it apart.
    file, digest : str
        The file's name without folders, and the SHA-256 of its bytes.
    classes : list of str
        All classes; of two, the positive one last.
    positive : str or None
        Of two classes, the one that is looked for.
    rows : DataFrame with the columns ``image``, ``patient``, ``label``, ``part``, ``fold``, ``predicted``
        One row an image, sorted by it, and a column a subgroup; all text. ``patient`` is the image where patients are
        unknown; ``predicted`` is the program's own class, empty where it gives none.
    scores : ndarray of shape (n_rows, n_classes), float64, in [0, 1]
        Probabilities; of predicted classes only, 1 for that class. NaN in rows of the training part that have none.
    probabilities : bool
        Whether the file has probabilities.
    by_class : bool
        Whether the file's own class decides.
    patients_known : bool
        Whether it says whose the images are.
    subgroups : list of str
        Columns of `rows`.
    said : list of str
        What was taken for what.
    warnings : list of str
        What is wrong with the file and does not keep it from being judged.
    """

    name: str
    file: str
    digest: str
    classes: list[str]
    positive: str | None
    rows: pd.DataFrame
    scores: Floats
    probabilities: bool
    by_class: bool
    patients_known: bool
    subgroups: list[str]
    said: list[str]
    warnings: list[str]

    @property
    def clusters(self) -> str:
        """What intervals are over."""
        return "patients" if self.patients_known else "images"

    @property
    def folds(self) -> int:
        """How many folds the judged images are of."""
        return int(self.rows["fold"][self.rows["part"] == "test"].nunique())

    @property
    def has_validation(self) -> bool:
        """Whether there are probabilities of a validation part, which thresholds and temperature come from."""
        return self.probabilities and bool((self.rows["part"] == "val").any())

    def part(self, part: str) -> pd.DataFrame:
        """The rows of one part, numbered from 0."""
        return self.rows[self.rows["part"] == part].reset_index(drop=True)

    def select(self, keep: Bools) -> "Table":
        """Some of the rows; `keep` has shape (n_rows,)."""
        return replace(self, rows=self.rows[keep].reset_index(drop=True), scores=self.scores[keep])

    def units(self, part: str, threshold: float) -> Units:
        """The images of a part; decided by the file's own class, the threshold, or the most probable class."""
        rows, inside = self.part(part), (self.rows["part"] == part).to_numpy(bool)
        scores, positive = self.scores[inside], positive_number(self.classes, self.positive)
        predicted = predict_classes(scores, positive, threshold)
        if self.by_class:
            predicted = number_classes(rows["predicted"], self.classes)
        fold = np.unique(rows["fold"].to_numpy(str), return_inverse=True)[1].astype(np.int64)
        return Units(
            classes=tuple(self.classes),
            truth=number_classes(rows["label"], self.classes),
            scores=scores,
            predicted=predicted,
            patient=np.unique(rows["patient"].to_numpy(str), return_inverse=True)[1].astype(np.int64),
            fold=fold if fold.max(initial=0) else None,
            positive=positive,
        )


def read_predictions(path: Path, options: Options, threshold: float | None = None) -> Table:
    """Read a file, say what was taken for what, and find what is wrong with it.

    Parameters
    ----------
    path : Path
        See `bycase.apps.judge.files.read_file`.
    options : Options
        What the user says of the columns.
    threshold : float or None
        Of the positive class, if the user fixes it.

    Raises
    ------
    UserError
        If the file cannot be judged; all its faults in one line.
    """
    frame, with_commas = read_decimal_commas(read_file(path))
    columns = find_columns(frame, options, str(path))
    labels = name_classes(whole_numbers(frame[columns.label]), options.classes)
    part = _parts(frame, columns, options, str(path))
    if not (part == "test").any():
        raise UserError(
            f"{path}: no row is of the part test ({_count_parts(part)}); name the part that is judged with --test VALUE"
        )
    classes = find_classes(labels, columns, options, str(path))
    rows = pd.DataFrame(
        {
            "image": frame[columns.image],
            "patient": frame[columns.patient or columns.image],
            "label": labels,
            "part": part,
            "fold": frame[columns.fold] if columns.fold else "",
            "predicted": "",
        }
    )
    rows = rows.join(frame[list(columns.subgroups)].add_prefix(PREFIX))
    used = rows["part"].isin(["val", "test"]).to_numpy(bool)
    faults = find_row_faults(rows, used, classes, columns)
    lines, own = [*columns.lines, _class_line(classes)], None
    if with_commas:
        lines.append(f"decimal commas: {', '.join(with_commas)}")
    if columns.predicted:
        own = _own_classes(frame[columns.predicted], classes, options)
        rows["predicted"] = own
        faults += find_class_faults(rows, used, classes, columns.predicted)
    if columns.scores:
        scores, done = read_scores(frame, columns, classes)
        faults += find_score_faults(frame[used], scores[used], columns, classes)
        if not faults:
            if own is not None and confidence_of_predicted(scores[used], own[used], columns, classes):
                done = [f"{classes.columns[0]}: never below 0.5, hence of the class in {columns.predicted}"]
                scores[(own == classes.names[0]).to_numpy(bool)] = scores[
                    (own == classes.names[0]).to_numpy(bool), ::-1
                ]
            scores, scaled = _scale(scores)
            lines += [*done, *scaled]
    else:
        scores = np.eye(len(classes.names))[number_classes(rows["predicted"], classes.names)]
        lines.append("no probabilities: judged by the predicted class, without AUC, calibration and operating points")
    if faults:
        raise UserError(f"{path}: {'; '.join(faults)}")
    validated = bool((part == "val").any())
    by_class = own is not None and (not columns.scores or (not validated and threshold is None))
    warnings = find_leaks(rows[rows["part"] != OTHER], bool(columns.patient))
    lines += _decision_lines(rows, scores, classes, columns, by_class, validated)
    lines += [
        f"{plural(int((part == name).sum()), 'row')} of {words}: not judged"
        for name, words in (("train", "the part train"), (OTHER, "other parts"))
        if (part == name).any()
    ]
    order = rows["image"].argsort(kind="stable")
    table = Table(
        name=path.stem,
        file=path.name,
        digest=file_digest(path),
        classes=classes.names,
        positive=classes.positive,
        rows=rows.iloc[order].reset_index(drop=True),
        scores=scores[order],
        probabilities=bool(columns.scores),
        by_class=by_class,
        patients_known=bool(columns.patient),
        subgroups=list(columns.subgroups),
        said=lines,
        warnings=[*warnings, *([] if columns.patient else [UNKNOWN_PATIENTS])],
    )
    check_judged(table)
    return table


PREFIX = "subgroup_"  # of subgroups among the columns of `Table.rows`, whatever they are called


def check_judged(table: Table) -> None:
    """Refuse judged images of which metrics are not defined.

    Raises
    ------
    UserError
        If a class has no image, no fold has two classes, or there are validation rows beside several folds.
    """
    for part in ("test", "val") if table.has_validation else ("test",):
        absent = [label for label in table.classes if label not in set(table.part(part)["label"])]
        if absent:
            raise UserError(
                f"{table.file}: no image of class {absent[0]} in the part {part}, so that its recall and the AUC are "
                "undefined; give images of every class, or a file without that part"
            )
    if table.folds > 1:
        if table.has_validation:
            raise UserError(
                f"{table.file}: the judged images are of {table.folds} folds and there are rows of the part val: "
                "thresholds by fold are not read; leave those rows out and give the class that was decided for"
            )
        by_fold = table.part("test").groupby("fold")["label"].agg(set)
        if not (by_fold.map(len) > 1).any():
            raise UserError(f"{table.file}: no fold has images of two classes, so that no AUC is defined; --fold none")


def _parts(frame: pd.DataFrame, columns: Columns, options: Options, name: str) -> "pd.Series[str]":
    if columns.part is None:
        return pd.Series(["test"] * len(frame))
    meaning = PART_WORDS.copy()
    if options.test:
        meaning = {word: part for word, part in meaning.items() if part != "test"} | {options.test.lower(): "test"}
    if options.validation:
        meaning[options.validation.lower()] = "val"
    values = frame[columns.part].str.lower()
    unknown = sorted(set(values) - set(meaning))
    if unknown and not options.test:
        raise UserError(
            f"{name}: part '{unknown[0]}' in column {columns.part} is none of train, val, test; name what is judged "
            "with --test VALUE, or judge all rows with --part none"
        )
    return values.map(lambda value: meaning.get(value, OTHER))


def _count_parts(part: "pd.Series[str]") -> str:
    return ", ".join(f"{plural(int(n), 'row')} of {name}" for name, n in part.value_counts().items())


def _class_line(classes: Classes) -> str:
    words = f"classes: {', '.join(classes.names)}"
    return f"{words}; looked for: {classes.positive}" if classes.positive else words


def _own_classes(values: pd.Series, classes: Classes, options: Options) -> pd.Series:
    spelled = {label.casefold(): label for label in classes.names}
    named = name_classes(whole_numbers(values), options.classes)
    return named.map(lambda value: spelled.get(value.casefold(), value))


def _scale(scores: Floats) -> tuple[Floats, list[str]]:
    """Rounded probabilities, made to sum to one again."""
    sums = scores.sum(axis=1)
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if not off.any():
        return scores, []
    line = f"{plural(int(off.sum()), 'row')} sum to one but for rounding, and were scaled to do so"
    return np.where(off[:, None], scores / sums[:, None], scores), [line]


def _decision_lines(
    rows: pd.DataFrame, scores: Floats, classes: Classes, columns: Columns, by_class: bool, validated: bool
) -> list[str]:
    if not (columns.scores and columns.predicted):
        return []
    if not by_class:
        why = "the threshold comes from the part val" if validated else "the threshold is given"
        return [f"column {columns.predicted} is not used: {why}"] if classes.positive else []
    used = (rows["part"] == "test").to_numpy(bool)
    plain = predict_classes(scores[used], positive_number(classes.names, classes.positive))
    other = int((plain != number_classes(rows["predicted"][used], classes.names)).sum())
    rule = "a threshold of 0.5" if classes.positive else "the most probable class"
    return [f"column {columns.predicted} decides; {plural(other, 'image')} otherwise than {rule} would"]
