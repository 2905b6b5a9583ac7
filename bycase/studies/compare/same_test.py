"""Whether two runs were tested on the same images, labels and patients, and if not, what differs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.units import number_patients
from bycase.studies.compare.revisions import Revision, read_revision
from bycase.tables.predictions import TEST


def read_revisions(names: Sequence[str]) -> list[Revision]:
    """Read several runs, all tested on the same images.

    Raises
    ------
    UserError
        If a name stands twice, or as `read_revision` or `check_same_test`.
    """
    twice = {name for name in names if list(names).count(name) > 1}
    if twice:
        raise UserError(f"{min(twice)} stands twice; name each revision once")
    revisions = [read_revision(name) for name in names]
    for other in revisions[1:]:
        check_same_test(revisions[0], other)
    return revisions


def check_same_test(one: Revision, other: Revision) -> None:
    """Refuse two runs that were not tested on the same images, labels and patients.

    Raises
    ------
    UserError
        Saying what differs, in how many images, with an example and the parameters that may be why.
    """
    difference = find_difference(one, other)
    if difference:
        raise UserError(
            f"{one.name} and {other.name} cannot be compared, since their test sets differ: {difference}"
            f"{_describe_params(one, other)}"
        )


def find_difference(one: Revision, other: Revision) -> str | None:
    """What differs between two runs' test parts, whatever the order of their rows; None if nothing does."""
    cards = one.run_info.model_info, other.run_info.model_info
    for key, words in (("dataset", "data set"), ("classes", "classes"), ("positive", "positive class")):
        if cards[0][key] != cards[1][key]:
            return f"{words} {_plain(cards[0][key])} / {_plain(cards[1][key])}"
    tests = [_test_part(revision) for revision in (one, other)]
    apart = tests[0].index.symmetric_difference(tests[1].index)
    if len(apart):
        at = one.name if apart[0] in tests[0].index else other.name
        total = len(tests[0].index.union(tests[1].index))
        return f"{len(apart)} of {total} test images are in one only, such as {apart[0]} in {at}"
    mine, theirs = tests
    differing = {
        "have another label": mine["label"] != theirs["label"],
        "are grouped with other images (by patient)": _other_company(mine["patient"], theirs["patient"]),
        "are other pictures of the same name": mine["sha256"] != theirs["sha256"],
    }
    for words, differ in differing.items():
        if differ.any():
            return f"{differ.sum()} of {len(differ)} test images {words}, such as {differ.index[differ][0]}"
    return None


def _other_company(one: "pd.Series[int]", other: "pd.Series[int]") -> "pd.Series[bool]":
    """Whether each image's patient has other images in one run than in the other, whatever patients are called."""
    both = pd.DataFrame({"one": one, "other": other})
    alone, shared = (both.groupby(keys)["one"].transform("size") for keys in (["one"], ["one", "other"]))
    others = both.groupby("other")["one"].transform("size")
    return (alone != shared) | (others != shared)


def _test_part(revision: Revision) -> pd.DataFrame:
    """Label, patient and content of each test image, by image."""
    predictions = revision.predictions
    patient = number_patients(predictions, revision.manifest, Path(f"{revision.name}:{TEST}"))
    content = dict(zip(revision.manifest["image"], revision.manifest["sha256"], strict=True))
    table = pd.DataFrame(
        {
            "image": predictions["image"],
            "label": predictions["label"],
            "patient": patient,
            "sha256": predictions["image"].map(content),
        }
    )
    return table.set_index("image").sort_index()


def _describe_params(one: Revision, other: Revision) -> str:
    """The parameters that decide about the test part and differ, in brackets."""
    names = {revision.run_info.model_info["dataset"] for revision in (one, other)}
    sections = ("split.", *(f"datasets.{name}." for name in sorted(names)))
    keys = [key for key in {**one.params, **other.params} if key in ("dataset", "seed") or key.startswith(sections)]
    differing = [key for key in keys if _plain(one.params.get(key)) != _plain(other.params.get(key))]
    words = [f"{key} {_plain(one.params.get(key))} / {_plain(other.params.get(key))}" for key in differing]
    return f" (params that differ: {', '.join(words)})" if words else ""


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
