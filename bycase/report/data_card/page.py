"""The card's text, in Markdown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bycase.core.params_data import DatasetParams
from bycase.datasets.layouts.listing import About
from bycase.report.data_card.counts import count_groups, count_masks, count_mixed_groups, count_sizes, count_unknown

NAMED = 10  # files that are named one by one; the report names all
# The title says the first; the second is said by the cases on both sides, and a case is not always a patient.
UNSAID = ("dataset", "patient_disjoint")


@dataclass(frozen=True)
class DataSetInfo:
    """All that a card is made of.

    `report` is the content of ``metrics/restructure.json``, `colours` comes from `bycase.report.data_card.colour`,
    `protocol` is the content of ``data/splits.json``, None where there is no split.
    """

    dataset: str
    data: DatasetParams
    about: About
    manifest: pd.DataFrame
    report: dict[str, Any]
    colours: pd.DataFrame
    protocol: dict[str, Any] | None

    @property
    def phantom(self) -> bool:
        """Whether the images are generated."""
        return self.data.source == "phantom"


def write_page(info: DataSetInfo, thumbnails: str) -> str:
    """The whole card.

    Parameters
    ----------
    info : DataSetInfo
        What it is made of.
    thumbnails : str
        Path of the figure, from the card.

    Returns
    -------
    str
        Markdown, the last line ended. Every heading of a phantom's card says so.
    """
    mark = " (phantom)" if info.phantom else ""
    sections = {
        "Source": _source(info),
        "Classes and groups": _classes(info),
        "Sizes and colours": _sizes(info),
        "What is missing": _missing(info),
        "What was left out": _rejected(info.report),
        "How it was split": _split(info.protocol),
        "Examples": [f"![Examples of each class{mark}]({thumbnails})"],
    }
    lines = [f"# Data card: {info.dataset}{mark}"]
    for heading, content in sections.items():
        lines += ["", f"## {heading}{mark}", "", *content]
    return "\n".join(lines) + "\n"


def _source(info: DataSetInfo) -> list[str]:
    about, data = info.about, info.data
    if info.phantom:
        return [
            f"**Generated images**, drawn by this project in the layout of {about.title}. They show that the "
            "pipeline works; nothing measured on them says anything about patients. No publisher, no citation; "
            "the licence is this project's.",
        ]
    origin = f"Kaggle, `{data.slug}`" if data.source == "kaggle" else "a local folder or archive"
    return [
        f"- Data set: {about.title}",
        f"- Taken from: {origin}; publisher's page: <{about.page}>",
        f"- Licence: {about.licence}",
        f"- Cite: {about.citation}",
        *(f"- Known: {limit}" for limit in about.limits),
    ]


def _classes(info: DataSetInfo) -> list[str]:
    manifest = info.manifest
    lines = [
        f"{len(manifest)} images, {manifest['group'].nunique()} groups; a group is one {info.about.group}."
        + ("" if info.phantom else f" {info.about.group_note}"),
        "",
        *_count_table(manifest, "label", "class"),
        "",
        f"Groups with images of more than one class: {count_mixed_groups(manifest)}.",
    ]
    masked, several = count_masks(manifest)
    if masked:
        lines.append(f"Images with masks: {masked}, of them {several} with more than one.")
    if (manifest["subtype"] != manifest["label"]).any():
        lines += ["", *_count_table(manifest, "subtype", "subtype")]
    if (manifest["magnification"] > 0).any():
        named = manifest.assign(magnification=manifest["magnification"].map("{:>3}X".format))
        lines += ["", *_count_table(named, "magnification", "magnification")]
    return lines


def _count_table(manifest: pd.DataFrame, by: str, name: str) -> list[str]:
    rows = []
    for row in count_groups(manifest, by).to_dict("records"):
        value, median = str(row[by]).strip(), f"{row['median']:g}"
        rows.append((value, row["images"], f"{row['share']:.1%}", row["groups"], row["min"], median, row["max"]))
    return _table((name, "images", "share", "groups", "images a group: min", "median", "max"), rows)


def _sizes(info: DataSetInfo) -> list[str]:
    size = info.data.image_size
    colours = [
        (
            row["class"],
            *(" / ".join(f"{value:.0f}" for value in row[key]) for key in ("mean", "pixels_sd", "images_sd")),
        )
        for row in info.colours.to_dict("records")
    ]
    return [
        *_table(("published size, pixels", "images"), count_sizes(info.manifest)),
        "",
        f"Restructured to {size}x{size} ({info.data.resize}). Their colours, red / green / blue from 0 to 255:",
        "",
        *_table(("class", "mean", "SD over pixels", "SD over images' means"), colours),
    ]


def _missing(info: DataSetInfo) -> list[str]:
    report, n = info.report, len(info.manifest)
    if info.phantom:
        lines = ["- Images: none, a phantom is whole as it is."]
    elif report["partial"]:
        lines = [
            f"- Images: **partial: {n} of {report['expected']}** published ones; what is here may not be like the rest."
        ]
    else:
        lines = [f"- Images: none, all {report['expected']} published ones are here."]
    absent = report["rows_without_image"]
    if absent:
        lines.append(f"- Rows of metadata without an image: {len(absent)}, among them {_names(absent)}.")
    for column, unknown in count_unknown(info.manifest).items():
        lines.append(f"- `{column}`: not known for {unknown} of {n} images.")
    return lines


def _rejected(report: dict[str, Any]) -> list[str]:
    lines = []
    for key, what in (("rejected", "unusable"), ("copies", "copies of another file")):
        files = report[key]
        lines.append(f"- {len(files)} files, {what}." if files else f"- No file, {what}.")
        if key == "rejected":
            lines += [f"    - {n} x {reason}" for reason, n in sorted(Counter(f["reason"] for f in files).items())]
        if files:
            lines.append(f"    - {_names([entry['file'] for entry in files])}")
    return [*lines, "- All are named in `metrics/restructure.json`."]


def _split(protocol: dict[str, Any] | None) -> list[str]:
    if protocol is None:
        return ["Not yet."]
    said = {key: value for key, value in protocol.items() if not isinstance(value, dict) and key not in UNSAID}
    lines = [f"- {key.replace('_', ' ')}: {_value(value)}" for key, value in said.items()]
    counts = protocol.get("counts", {})
    classes = sorted({label for part in counts.values() for label in part.get("by_class", {})})
    rows = [
        (part, of["images"], of["groups"], *(of["by_class"].get(label, 0) for label in classes))
        for part, of in counts.items()
    ]
    return [*lines, "", *_table(("part", "images", "groups", *classes), rows)] if rows else lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all" if len(value) <= NAMED else f"{len(value)} entries"
    return "none" if value is None else str(value)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    numbers = ["---", *["---:"] * (len(header) - 1)]
    return [f"| {' | '.join(str(cell) for cell in row)} |" for row in (header, numbers, *rows)]
