"""The failure gallery: the surest mistakes as thumbnails, with what is known of each."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.wording import count, share
from bycase.report.blocks import Block, Example, Gallery, Section, Table, Text
from bycase.report.failures import MISTAKES, count_by_patient
from bycase.report.pictures import embed_thumbnail
from bycase.report.sections import NO_IMAGES
from bycase.tables.manifest import PREPROCESSED


def failure_section(
    called: pd.DataFrame, model: str, tested: str, images: bool, folder: Path = PREPROCESSED
) -> Section:
    """The surest mistakes and the patients with most mistakes.

    Parameters
    ----------
    called : DataFrame
        See `bycase.report.failures.find_mistakes`.
    model : str
        Whose mistakes these are.
    tested : str
        On what.
    images : bool
        Whether thumbnails are shown; otherwise only what is known of them.
    folder : Path
        Where the images are.
    """
    wrong = called[called["wrong"]]
    title = "Failure gallery"
    if wrong.empty:
        return Section("failures", title, [Text(f"{model} calls every image of {tested} right.")])
    shown = wrong.head(MISTAKES)
    caption = (
        f"{count(len(wrong))} of {count(len(called))} images are wrong. The {len(shown)} mistakes of which {model} is "
        "surest, surest first; p: the probability that it gives to the class it calls."
    )
    rows = shown.to_dict("records")
    blocks: list[Block] = [
        Gallery(caption, [_example(row, folder if images else None) for row in rows]),
        _patient_table(called),
    ]
    note = (
        NO_IMAGES
        if not images
        else (
            "The thumbnails are images of the data set, under its licence. For a copy without them: "
            "python -m stages.report --no-images"
        )
    )
    return Section("failures", title, [*blocks, Text(note, "note")])


def _example(row: Mapping[Hashable, Any], folder: Path | None) -> Example:
    path = folder / str(row["image"]) if folder else None
    lines = [f"p {share(row['probability'])}", f"patient {row['patient']}"]
    if pd.notna(row["subtype"]) and row["subtype"] != row["label"]:
        lines.append(f"subtype {row['subtype']}")
    if pd.notna(row["magnification"]) and row["magnification"]:
        lines.append(f"{int(row['magnification'])}X")
    lines.append(Path(str(row["image"])).name)
    source = embed_thumbnail(path) if path and path.exists() else None
    return Example(source, f"called {row['called']}, truly {row['label']}", lines)


def _patient_table(called: pd.DataFrame) -> Table:
    counts = count_by_patient(called)
    rows = [
        (row["patient"], row["label"], f"{row['wrong']} of {row['images']}", share(row["wrong"] / row["images"]))
        for row in counts.to_dict("records")
    ]
    n = int(called.groupby("patient")["wrong"].any().sum())
    caption = f"Patients with most wrong images, {len(rows)} of the {n} that have any."
    return Table(caption, ("patient", "truth", "wrong images", "share"), rows)
