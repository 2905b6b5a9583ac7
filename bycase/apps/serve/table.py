"""The answers as CSV."""

from collections.abc import Sequence

import pandas as pd

from bycase.apps.serve.schema import NOTICE, Answer


def make_csv(answers: Sequence[Answer]) -> str:
    """One row an image, columns named as `bycase predict` names them.

    Parameters
    ----------
    answers : sequence of Answer
        At least one.

    Returns
    -------
    str
        CSV with a header; `notice` says in every row what the numbers are not for.
    """
    return pd.DataFrame([_row(answer) for answer in answers]).to_csv(index=False, lineterminator="\n")


def _row(answer: Answer) -> dict[str, str | float | int]:
    return {
        "image": answer.image,
        "sha256": answer.sha256,
        "class": answer.called,
        **{f"probability_{name}": value for name, value in answer.probabilities.items()},
        "low": answer.low,
        "high": answer.high,
        "set": "|".join(answer.classes_set),
        "entropy": answer.entropy,
        "distance": answer.distance,
        "unlike": int(answer.unlike),
        "notes": "; ".join(answer.notes),
        "notice": NOTICE,
    }
