"""The data card: counts of the manifest, colours, gaps and the split, as Markdown."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bycase.core.params_data import DatasetParams
from bycase.core.wording import capitalise, markdown_table, value_with_interval
from bycase.datasets.layouts.listing import About
from bycase.images.ranges import in_words
from bycase.tables.manifest import OPTIONAL, PATIENTS_UNKNOWN, more_columns

NAMED = 10  # files that are named one by one; metrics/restructure.json names all
# The first is in the title; the second follows from the cases on both sides, and a case is not always a patient.
ADVICE = (
    "A network can reach as much without looking at what is to be recognised; where nothing in the disease explains "
    "it, images of the classes came to the data set in different ways."
)
LEFT_OUT = ("dataset", "patient_disjoint")


@dataclass(frozen=True)
class DataSetInfo:
    """The content of a card.

    `report` is the content of ``metrics/restructure.json``, `colours` comes from `bycase.report.data_colours`, `light`
    and `shortcuts` from `bycase.report.shortcuts`, `protocol` is the content of ``data/splits.json``, None where there
    is no split.
    """

    dataset: str
    data: DatasetParams
    about: About
    manifest: pd.DataFrame
    report: dict[str, Any]
    colours: pd.DataFrame
    light: pd.DataFrame
    shortcuts: pd.DataFrame
    protocol: dict[str, Any] | None

    @property
    def phantom(self) -> bool:
        """Whether the images are generated."""
        return self.data.source == "phantom"


def write_data_card(info: DataSetInfo, thumbnails: str) -> str:
    """The whole card.

    Parameters
    ----------
    info : DataSetInfo
        The content.
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
        "Shortcuts": _shortcuts(info),
        "Missing data": _missing(info),
        "Excluded files": _rejected(info.report),
        "Split": _split(info.protocol),
        "Examples": [f"![Examples of each class{mark}]({thumbnails})"],
    }
    lines = [f"# Data card: {info.dataset}{mark}"]
    for heading, content in sections.items():
        lines += ["", f"## {heading}{mark}", "", *content]
    return "\n".join(lines) + "\n"


def describe_origin(data: DatasetParams) -> str:
    """Where a data set's files came from, in Markdown, with what pins them."""
    return {
        "kaggle": f"Kaggle, `{data.slug}`",
        "huggingface": f"Hugging Face Hub, `{data.slug}`" + (f", revision `{data.revision}`" if data.revision else ""),
        # What follows the question mark may be a signature that gives access.
        "url": f"<{(data.url or '').split('?')[0]}>" + (f", sha256 `{data.sha256}`" if data.sha256 else ""),
    }.get(data.source, "a local folder or archive")


def _source(info: DataSetInfo) -> list[str]:
    about, data = info.about, info.data
    if info.phantom:
        return [
            f"**Generated images**, drawn by this project in the layout of {about.title}. They show that the pipeline "
            "works; nothing measured on them says anything about patients. No publisher and no citation; licence: that "
            "of this project.",
        ]
    return [
        f"- Data set: {about.title}",
        f"- Obtained from: {describe_origin(data)}" + (f"; publisher's page: <{about.page}>" if about.page else ""),
        f"- Licence: {about.licence}",
        f"- Cite: {about.citation}",
        *(f"- Known limitation: {limit}" for limit in about.limits),
    ]


def _classes(info: DataSetInfo) -> list[str]:
    manifest = info.manifest
    lines = [
        *([] if info.data.names_patient else [f"**{capitalise(PATIENTS_UNKNOWN)}.**", ""]),
        f"{len(manifest)} images in {manifest['group'].nunique()} groups; each group is one {info.about.group}."
        + ("" if info.phantom else f" {info.about.group_note}"),
        "",
        _count_table(manifest, "label", "class"),
        "",
        f"Groups with images of more than one class: {count_mixed_groups(manifest)}.",
    ]
    masked, several = count_masks(manifest)
    if masked:
        lines.append(f"Images with masks: {masked}, of which {several} have more than one.")
    if (manifest["subtype"] != manifest["label"]).any():
        lines += ["", _count_table(manifest, "subtype", "subtype")]
    if (manifest["magnification"] > 0).any():
        named = manifest.assign(magnification=manifest["magnification"].map("{:>3}X".format))
        lines += ["", _count_table(named, "magnification", "magnification")]
    return lines


def _count_table(manifest: pd.DataFrame, by: str, name: str) -> str:
    header = (name, "images", "share", "groups", "images per group: min", "median", "max")
    rows = []
    for row in count_groups(manifest, by).to_dict("records"):
        value, median = str(row[by]).strip(), f"{row['median']:g}"
        rows.append((value, row["images"], f"{row['share']:.1%}", row["groups"], row["min"], median, row["max"]))
    return markdown_table(header, rows, numbers=True)


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
        markdown_table(("published size, pixels", "images"), count_sizes(info.manifest), numbers=True),
        "",
        f"Restructured to {size}x{size} ({info.data.resize}). Colours after that, red / green / blue from 0 to 255:",
        "",
        markdown_table(("class", "mean", "SD over pixels", "SD over images' means"), colours, numbers=True),
        *(
            ["", *(f"- {in_words(kind, values)}." for kind, values in info.report["pixel_values"].items())]
            if any(
                (kind, values["origin"]) != ("8-bit", "type") for kind, values in info.report["pixel_values"].items()
            )
            else []
        ),
    ]


def _shortcuts(info: DataSetInfo) -> list[str]:
    """Whether light or files alone tell the classes."""
    light = [
        (
            f"{row['by']} {row['value']}",
            row["images"],
            *(" / ".join(f"{value:.0f}" for value in row[key]) for key in ("brightness", "contrast")),
        )
        for row in info.light.to_dict("records")
    ]
    alone = [
        (
            row["property"],
            row["class"],
            value_with_interval(row["auc"], row["ci"]),
            "**yes**" if row["shortcut"] else "no",
        )
        for row in info.shortcuts.to_dict("records")
    ]
    told = [row["property"] for row in info.shortcuts.to_dict("records") if row["shortcut"]]
    return [
        *(
            [f"**{capitalise(' and '.join(told))} alone tell{'s' * (len(told) == 1)} the classes.** {ADVICE}", ""]
            if told
            else []
        ),
        "Brightness (mean) and contrast (standard deviation over pixels) of the restructured images, 0 to 255, at "
        "5 / 50 / 95 % of the images:",
        "",
        markdown_table(("images", "number", "brightness", "contrast"), light, numbers=True),
        "",
        *(
            [
                "What light, size (pixels of the published image) or format of the file alone reach, by case:",
                "",
                markdown_table(("property", "class", "AUC (95 % interval)", "shortcut"), alone),
            ]
            if alone
            else ["All images are alike in light, size and format."]
        ),
    ]


def _missing(info: DataSetInfo) -> list[str]:
    report, n = info.report, len(info.manifest)
    if info.phantom:
        images = "none missing; a phantom is complete"
    elif report["expected"] is None:
        images = f"{n} as found; how many there should be is not known here"
    elif report["partial"]:
        images = f"**partial: {n} of {report['expected']}** published images; they may not represent the rest"
    else:
        images = f"none missing; all {report['expected']} published images are present"
    lines = [f"- Images: {images}."]
    absent = report["rows_without_image"]
    if absent:
        lines.append(f"- Rows of metadata without an image: {len(absent)}, including {_names(absent)}.")
    for column, unknown in count_unknown(info.manifest).items():
        lines.append(f"- `{column}`: unknown for {unknown} of {n} images.")
    return lines


def _rejected(report: dict[str, Any]) -> list[str]:
    lines = []
    for key, what in (
        ("rejected", "unusable files"),
        ("blank", "images with nothing to see, which stay in"),
        ("copies", "copies of another file, byte for byte"),
        ("copies_by_name", "copies by their names, augmented or saved twice, which stay in, in their original's group"),
    ):
        files = report.get(key, [])
        lines.append(f"- {len(files) or 'No'} {what}.")
        if key in ("rejected", "blank"):
            lines += [f"    - {n} x {reason}" for reason, n in sorted(Counter(f["reason"] for f in files).items())]
        if files:
            lines.append(f"    - {_names([entry['file'] for entry in files])}")
    return [*lines, "- All are listed in `metrics/restructure.json`."]


def _split(protocol: dict[str, Any] | None) -> list[str]:
    if protocol is None:
        return ["Not split yet."]
    lines = [
        f"- {key.replace('_', ' ')}: {_value(value)}"
        for key, value in protocol.items()
        if not isinstance(value, dict) and key not in LEFT_OUT
    ]
    counts = protocol.get("counts", {})
    classes = sorted({label for subset in counts.values() for label in subset.get("by_class", {})})
    rows = [
        (name, subset["images"], subset["groups"], *(subset["by_class"].get(label, 0) for label in classes))
        for name, subset in counts.items()
    ]
    return [*lines, "", markdown_table(("subset", "images", "groups", *classes), rows, numbers=True)] if rows else lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all" if len(value) <= NAMED else f"{len(value)} entries"
    return "none" if value is None else str(value)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def count_groups(manifest: pd.DataFrame, by: str) -> pd.DataFrame:
    """Images and groups by the values of one column.

    Parameters
    ----------
    manifest : DataFrame with the columns ``group`` and `by`
        One row an image.
    by : str
        Such as ``label``.

    Returns
    -------
    DataFrame with the columns `by`, ``images``, ``share``, ``groups``, ``min``, ``median``, ``max``
        Sorted by `by`. The share is of all images, in [0, 1]; the last three are images per group, among
        groups with this value.
    """
    images = manifest.groupby(by).size()
    sizes = manifest.groupby([by, "group"]).size().groupby(by)
    table = pd.DataFrame(
        {
            "images": images,
            "share": images / len(manifest),
            "groups": sizes.size(),
            "min": sizes.min(),
            "median": sizes.median(),
            "max": sizes.max(),
        }
    )
    return table.reset_index()


def count_mixed_groups(manifest: pd.DataFrame, column: str = "label") -> int:
    """Groups with images of more than one class (or other `column`)."""
    pairs = manifest.drop_duplicates(["group", column])
    return int(pairs.loc[pairs["group"].duplicated(), "group"].nunique())


def count_sizes(manifest: pd.DataFrame, most: int = 5) -> list[tuple[str, int]]:
    """Published sizes, such as ``700x460``, most frequent first; beyond `most` they are counted together."""
    sizes = manifest["width"].astype(str) + "x" + manifest["height"].astype(str)
    counts = sorted(sizes.value_counts().items(), key=lambda pair: (-pair[1], str(pair[0])))
    shown = [(str(size), int(n)) for size, n in counts[:most]]
    rest = counts[most:]
    return [*shown, (f"{len(rest)} others", int(sum(n for _, n in rest)))] if rest else shown


def count_unknown(manifest: pd.DataFrame) -> dict[str, int]:
    """Images without a value, for each optional column that has one for some image but not for all."""
    empty = {column: int((manifest[column] == "").sum()) for column in (*OPTIONAL, *more_columns(manifest))}
    return {column: n for column, n in empty.items() if 0 < n < len(manifest)}


def count_masks(manifest: pd.DataFrame) -> tuple[int, int]:
    """Images with at least one mask, and with several."""
    masks = manifest["mask"]
    return int((masks != "").sum()), int(masks.str.contains("|", regex=False).sum())
