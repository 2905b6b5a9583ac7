"""Which column of a stranger's table means what: by option, or found by name and said."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import pandas as pd

from bycase.apps.judge.options import Options
from bycase.core.errors import UserError
from bycase.statistics.units import Floats

Kind = Literal["probabilities", "logits", "classes"]

# The names of each role, the best first; names within one tuple are equally good.
ROLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "image": (
        ("image",),
        ("imageid", "imagepath", "imagename", "img", "imgid", "imgpath", "file", "filename", "filepath", "path"),
        ("id", "name", "sample", "sampleid", "uid"),
    ),
    "label": (
        ("label",),
        ("truelabel", "ytrue", "trueclass", "true", "truth", "groundtruth", "gt", "target"),
        ("diagnosis", "dx", "class", "y"),
    ),
    "patient": (
        ("patient",),
        ("patientid", "case", "caseid", "subject", "subjectid", "participant", "pid"),
        ("group", "lesionid"),
    ),
    "part": (("part", "split", "subset", "partition"), ("set", "phase")),
    "fold": (("fold",), ("foldid", "cvfold", "kfold")),
    "predicted": (
        ("predicted", "prediction", "pred", "ypred", "predictedclass", "predictedlabel", "predclass", "predlabel"),
        ("class",),
    ),
}
SUBGROUPS = (
    *("subtype", "site", "sex", "gender", "age", "magnification", "centre", "center", "hospital", "institution"),
    *("scanner", "device", "race", "ethnicity", "skin_type", "fitzpatrick"),
)
POSITIVE = (
    *("probability", "prob", "proba", "p", "score", "yscore", "yprob", "predprob", "probabilities", "scores"),
    *("probpositive", "positiveprobability", "ppositive", "scorepositive", "pred", "prediction", "ypred"),
)
LOGIT = ("logit", "logits")
_SCORE = re.compile(
    r"^(?P<prefix>logits?|probabilit(?:y|ies)|probs?|proba|p|scores?|softmax|preds?|outputs?|network)"
    r"(?:[ _.:/\[(-]+(?P<name>.+?)[\])]?|(?P<number>\d+))$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Columns:
    """The columns of a table by their meaning.

    Attributes
    ----------
    image, label : str
        Always there.
    patient, part, fold, predicted : str or None
        Where there is one.
    scores : dict of str to str
        Column by the name of its class, as the column has it; of one column, that of the positive class, the name is
        empty where the column names no class.
    kind : str
        What the scores are; ``classes`` without any.
    subgroups : list of str
        Properties of images or patients.
    """

    image: str
    label: str
    patient: str | None
    part: str | None
    fold: str | None
    predicted: str | None
    scores: dict[str, str] = field(default_factory=dict)
    kind: Kind = "classes"
    subgroups: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What was taken for what."""
        roles = ("image", "label", "patient", "part", "fold", "predicted")
        named = [f"{role}: {getattr(self, role)}" for role in roles if getattr(self, role)]
        lines = [f"columns: {', '.join(named)}"]
        if self.scores:
            lines.append(f"{self.kind}: {', '.join(self.scores.values())}")
        if self.subgroups:
            lines.append(f"subgroups: {', '.join(self.subgroups)}")
        return lines


def find_columns(frame: pd.DataFrame, options: Options, name: str) -> Columns:
    """Find each role's column.

    Parameters
    ----------
    frame : DataFrame of str
        See `bycase.apps.judge.files.read_file`.
    options : Options
        What is said is not looked for; a patient column ``none`` says that patients are unknown.
    name : str
        The file, named in errors.

    Raises
    ------
    UserError
        If a column that is named or needed is not there, or two are equally good.
    """
    roles = {role: _find_role(frame, role, getattr(options, role), name) for role in ROLES}
    if (roles["predicted"] == roles["label"] and options.predicted is None) or (
        roles["predicted"] and options.predicted is None and not _holds_classes(frame[roles["predicted"]])
    ):
        roles["predicted"] = None
    for role in ("image", "label"):
        if roles[role] is None:
            raise UserError(f"{name}: no column for the {role}: name it with --{role}; there are {_listed(frame)}")
    taken = {column for column in roles.values() if column}
    subgroups = _find_subgroups(frame, options, taken, name)
    scores, kind = _find_scores(frame, options, taken | set(subgroups), str(roles["label"]), name)
    if not scores and roles["predicted"] is None:
        raise UserError(
            f"{name}: no probability, logit or class column found: name it with --score or --predicted; there are "
            f"{_listed(frame)}"
        )
    return Columns(
        image=str(roles["image"]),
        label=str(roles["label"]),
        patient=roles["patient"],
        part=roles["part"],
        fold=roles["fold"],
        predicted=roles["predicted"],
        scores=scores,
        kind=kind,
        subgroups=tuple(subgroups),
    )


def numbers(values: pd.Series) -> Floats:
    """Cells as float64, each to its last digit; NaN where a cell is no number."""
    return np.array([_number(value) for value in values], np.float64)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def plain(name: str) -> str:
    """A name without case and marks, so that ``Patient_ID`` and ``patientId`` are one."""
    return re.sub(r"[^0-9a-z]+", "", name.lower())


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, frame.columns))


def _check(frame: pd.DataFrame, column: str, option: str, name: str) -> str:
    if column not in frame.columns:
        raise UserError(f"{name}: --{option} {column}: no such column; there are {_listed(frame)}")
    return column


def _find_role(frame: pd.DataFrame, role: str, said: str | None, name: str) -> str | None:
    if said is not None:
        if said == "none" and role not in ("image", "label"):
            return None
        return _check(frame, said, role, name)
    for names in ROLES[role]:
        found = [str(column) for column in frame.columns if plain(str(column)) in names]
        if len(found) > 1:
            readings = " or ".join(f"'{column}' ({_examples(frame[column])})" for column in found)
            raise UserError(f"{name}: the {role} may be {readings}: choose with --{role} COLUMN")
        if found:
            return found[0]
    return None


def _examples(values: pd.Series) -> str:
    known = list(dict.fromkeys(values))
    return ", ".join(known[:3]) + (", ..." if len(known) > 3 else "")


def _holds_classes(values: pd.Series) -> bool:
    """Whether cells may be classes: words, or whole numbers."""
    found = numbers(values[values != ""])
    return bool(np.isnan(found).any() or (found == np.round(found)).all())


def _find_subgroups(frame: pd.DataFrame, options: Options, taken: set[str], name: str) -> list[str]:
    said = [_check(frame, column, "subgroup", name) for column in options.subgroup]
    known = {plain(each) for each in SUBGROUPS}
    found = [str(column) for column in frame.columns if plain(str(column)) in known]
    return [column for column in dict.fromkeys([*said, *found]) if column not in taken]


def _find_scores(
    frame: pd.DataFrame, options: Options, taken: set[str], label: str, name: str
) -> tuple[dict[str, str], Kind]:
    if options.score == ("none",):
        return {}, "classes"
    if options.score:
        scores = _said_scores(frame, options.score, name)
        logits = options.logits or all(_is_logit(column) for column in scores.values())
        return scores, "logits" if logits else "probabilities"
    free = [str(column) for column in frame.columns if column not in taken]
    readings = _readings(frame, free, set(frame[label]) | set(options.classes))
    if len(readings) > 1:
        shown = " or ".join(", ".join(scores.values()) for scores in readings)
        raise UserError(f"{name}: the scores may be {shown}: choose with --score COLUMN [COLUMN ...]")
    if not readings:
        return {}, "classes"
    scores = readings[0]
    logits = options.logits or all(_is_logit(column) for column in scores.values())
    return scores, "logits" if logits else "probabilities"


def _is_logit(column: str) -> bool:
    match = _SCORE.match(column)
    return (match["prefix"] if match else column).lower() in LOGIT


def _readings(frame: pd.DataFrame, free: Sequence[str], labels: set[str]) -> list[dict[str, str]]:
    """Every way to read scores: columns of one prefix, columns named as classes are, one column alone."""
    grouped: dict[str, dict[str, str]] = {}
    for column in free:
        match = _SCORE.match(column)
        if match and np.isfinite(numbers(frame[column])).any():
            grouped.setdefault(match["prefix"].lower(), {})[match["name"] or match["number"]] = column
    # Such as pred_class beside prob_0 and prob_1: no class of the table.
    several = [scores for scores in grouped.values() if len(scores) > 1]
    folded = {label.casefold() for label in labels if label}
    named = {column: column for column in free if column.casefold() in folded}
    if len(named) > 1:
        several.append(named)
    if several:
        return several
    alone = [{name: column} for scores in grouped.values() for name, column in scores.items()]
    names, seen = (*POSITIVE, *LOGIT), {column for scores in alone for column in scores.values()}
    alone += [
        {"": column}
        for column in free
        if column not in seen
        and plain(column) in names
        and np.isfinite(numbers(frame[column])).any()
        and not _holds_classes(frame[column])
    ]
    return alone


def _said_scores(frame: pd.DataFrame, said: Sequence[str], name: str) -> dict[str, str]:
    """Columns, patterns such as ``prob_*``, or ``CLASS=COLUMN``."""
    scores: dict[str, str] = {}
    for word in said:
        if "=" in word and word not in frame.columns:
            label, column = word.split("=", 1)
            scores[label] = _check(frame, column, "score", name)
            continue
        found = [str(column) for column in frame.columns if column == word or fnmatchcase(str(column), word)]
        if not found:
            raise UserError(f"{name}: --score {word}: no such column; there are {_listed(frame)}")
        for column in found:
            match = _SCORE.match(column)
            scores[(match["name"] or match["number"]) if match else column] = column
    if len(scores) == 1 and "=" not in said[0]:
        ((label, column),) = scores.items()
        return {"" if label == column else label: column}
    return scores
