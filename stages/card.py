"""`python -m stages.card`: describe the data set in `metrics/data_card.md`, with examples in `plots/data_card.png`."""

import json
import logging
from functools import partial
from pathlib import Path
from typing import Any

from bycase.core.command import run_stage
from bycase.core.errors import UserError
from bycase.core.files import replace_file
from bycase.core.params import load_params
from bycase.core.wording import value_with_interval
from bycase.datasets.layouts.registry import about_dataset
from bycase.datasets.restructure import REPORT
from bycase.figures.style import data_words, encode_png
from bycase.figures.thumbnails import choose_thumbnails, draw_thumbnails
from bycase.images.pixels import read_pixels
from bycase.report.data_card import DataSetInfo, write_data_card
from bycase.report.data_colours import colour_sums, colour_table
from bycase.report.shortcuts import describe_images, light_by_source, measure_shortcuts
from bycase.tables.manifest import RESTRUCTURED, read_manifest
from bycase.tables.splits import PROTOCOL, read_protocol

CARD = Path("metrics/data_card.md")
THUMBNAILS = Path("plots/data_card.png")


def main() -> None:
    """Write the card and its figure."""
    params, manifest = load_params(), read_manifest()
    # The card shows the images as published, before any preprocessing.
    read_published = partial(read_pixels, folder=RESTRUCTURED)
    sums = colour_sums(manifest["image"].tolist(), read_published)
    images = describe_images(manifest, sums)
    info = DataSetInfo(
        dataset=params.dataset,
        data=params.data,
        about=about_dataset(params.data, params.dataset),
        manifest=manifest,
        report=_read_report(params.dataset),
        colours=colour_table(sums, manifest["label"]),
        light=light_by_source(images),
        shortcuts=measure_shortcuts(images, params.data.positive),
        protocol=read_protocol() if PROTOCOL.exists() else None,
    )
    chosen = choose_thumbnails(manifest, max(2, 8 // manifest["label"].nunique()))
    title = f"{data_words(params.dataset, info.phantom)}: examples"
    figure = encode_png(draw_thumbnails(read_published(chosen["image"].tolist()), chosen["label"].tolist(), title))
    with replace_file(THUMBNAILS) as path:
        path.write_bytes(figure)
    with replace_file(CARD) as path:
        path.write_text(write_data_card(info, f"../{THUMBNAILS.as_posix()}"), encoding="utf-8")
    for row in info.shortcuts[info.shortcuts["shortcut"]].to_dict("records"):
        logging.warning(
            "WARNING: %s alone tells %s from the rest, AUC %s by case (%s)",
            row["property"],
            row["class"],
            value_with_interval(row["auc"], row["ci"]),
            CARD,
        )
    logging.info("%d images described in %s", len(manifest), CARD)


def _read_report(dataset: str) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{REPORT} not found: run 'dvc repro restructure' first") from None
    if report["dataset"] != dataset:
        raise UserError(f"{REPORT} describes {report['dataset']}, not {dataset}: run 'dvc repro restructure' first")
    return report


if __name__ == "__main__":
    run_stage("card", main)
