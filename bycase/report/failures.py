"""The failure gallery: the most confident errors as thumbnails, and the patients with the most errors."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.wording import count, share
from bycase.report.blocks import Example, Gallery, Section, Table, Text
from bycase.report.page import embed_thumbnail
from bycase.report.sections import NO_IMAGES
from bycase.statistics.units import positive_number, predict_classes
from bycase.tables.manifest import PREPROCESSED

ERRORS = 12
PATIENTS = 8
COPY_NOTE = (
    "The thumbnails are images of the data set, under its licence. For a copy without them: "
    "python -m stages.report --no-images"
)


def find_errors(
    predictions: pd.DataFrame, manifest: pd.DataFrame, classes: Sequence[str], positive: str | None
) -> pd.DataFrame:
    """Every image with its predicted class and the probability of that class, the most confident errors first.

    Parameters
    ----------
    predictions : DataFrame with the columns ``image``, ``label``, ``patient``, ``threshold`` and one a class
        One row an image; ``threshold`` is on the positive class' probability.
    manifest : DataFrame with the columns ``image``, ``subtype``, ``magnification``
        What else is known.
    classes : sequence of str
        The probability columns.
    positive : str or None
        The class that the threshold decides about; None: the most probable class is predicted.

    Returns
    -------
    DataFrame with the columns ``image``, ``label``, ``predicted``, ``probability``, ``patient``, ``subtype``, \
``magnification``, ``wrong``
        ``probability`` is that of the predicted class, in [0, 1].
    """
    scores = predictions[list(classes)].to_numpy(float)
    thresholds = predictions["threshold"].to_numpy(float)
    predicted = predict_classes(scores, positive_number(classes, positive), thresholds)
    names = np.asarray(classes, dtype=object)[predicted]
    table = predictions[["image", "label", "patient"]].assign(
        predicted=names,
        probability=scores[np.arange(len(scores)), predicted],
        wrong=names != predictions["label"].to_numpy(object),
    )
    table = table.merge(manifest[["image", "subtype", "magnification"]], on="image", how="left")
    return table.sort_values(["wrong", "probability", "image"], ascending=[False, False, True], ignore_index=True)


def count_by_patient(predicted: pd.DataFrame, most: int = PATIENTS) -> pd.DataFrame:
    """The patients with the most misclassified images.

    Parameters
    ----------
    predicted : DataFrame
        See `find_errors`.
    most : int
        Patients to return.

    Returns
    -------
    DataFrame with the columns ``patient``, ``label``, ``wrong``, ``images``
        Patients with an error, most errors first; ``label`` names their classes.
    """
    grouped = predicted.groupby("patient")
    counts = pd.DataFrame(
        {
            "label": grouped["label"].agg(lambda labels: ", ".join(sorted(set(labels)))),
            "wrong": grouped["wrong"].sum(),
            "images": grouped.size(),
        }
    ).reset_index()
    counts = counts[counts["wrong"] > 0].sort_values(["wrong", "images", "patient"], ascending=[False, True, True])
    return counts.head(most).reset_index(drop=True)


def failure_section(
    predicted: pd.DataFrame, model: str, tested: str, images: bool, known: bool = True, folder: Path = PREPROCESSED
) -> Section:
    """The most confident errors and, where patients are `known`, those with the most errors.

    Parameters
    ----------
    predicted : DataFrame
        See `find_errors`.
    model, tested : str
        The network, and what it was tested on.
    images : bool
        Whether thumbnails of the images in `folder` are shown, or only what is known of them.
    """
    wrong = predicted[predicted["wrong"]]
    title = "Failure gallery"
    if wrong.empty:
        return Section("failures", title, [Text(f"{model} predicts every image of {tested} correctly.")])
    rows = wrong.head(ERRORS).to_dict("records")
    caption = (
        f"{count(len(wrong))} of {count(len(predicted))} images are misclassified. Shown: the {len(rows)} most "
        f"confident errors of {model}; p: its probability of the predicted class."
    )
    gallery = Gallery(caption, [_example(row, folder if images else None, known) for row in rows])
    note = Text(COPY_NOTE if images else NO_IMAGES, "note")
    return Section("failures", title, [gallery, *([patient_table(predicted)] if known else []), note])


def _example(row: Mapping[Hashable, Any], folder: Path | None, known: bool) -> Example:
    path = folder / str(row["image"]) if folder else None
    lines = [f"p {share(row['probability'])}", *([f"patient {row['patient']}"] if known else [])]
    if pd.notna(row["subtype"]) and row["subtype"] != row["label"]:
        lines.append(f"subtype {row['subtype']}")
    if pd.notna(row["magnification"]) and row["magnification"]:
        lines.append(f"{int(row['magnification'])}X")
    lines.append(Path(str(row["image"])).name)
    source = embed_thumbnail(path) if path and path.exists() else None
    return Example(source, f"predicted {row['predicted']}, true {row['label']}", lines)


def patient_table(predicted: pd.DataFrame) -> Table:
    """`count_by_patient` as a table."""
    rows = [
        (row["patient"], row["label"], f"{row['wrong']} of {row['images']}", share(row["wrong"] / row["images"]))
        for row in count_by_patient(predicted).to_dict("records")
    ]
    n = int(predicted.groupby("patient")["wrong"].any().sum())
    caption = f"Patients with the most misclassified images ({len(rows)} of the {n} with any)."
    return Table(caption, ("patient", "true class", "misclassified", "share"), rows)
