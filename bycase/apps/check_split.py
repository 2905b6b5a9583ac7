"""`bycase check-split FILE`: what somebody's split leaks, against the manifest, or by BreakHis' names alone.

Ends with 0 where it leaks nothing, with 1 where it does, or where it names what cannot be placed.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from bycase.datasets.duplicates import Waived
    from bycase.datasets.splits.external import Supplied

NAMES_SHOWN = 10
UNIT_WORDS = {"image": "images", "folder": "slide folders", "case": "patients (cases)", "group": "groups"}


def check_split(
    supplied: "Supplied", manifest: "pd.DataFrame", duplicates: "pd.DataFrame | None", waived: "Waived"
) -> dict[str, Any]:
    """Everything that is wrong with a split file that was matched with the manifest.

    Returns
    -------
    dict
        ``clean`` (bool), ``counts`` by part, ``in_several_parts``, ``unknown``, ``ambiguous`` and ``missing`` (names),
        ``units``: how many names are of images, slide folders, cases; ``complement``: whether training is all that the
        file does not name; ``groups`` by level (see `Leak.summary`) and ``duplicates`` (None where left unchecked, as
        without a table of them). Images missing from the file are said and leave it clean: a file may be about a part
        of the data.
    """
    from bycase.datasets.splits.leaks import find_leaks, find_shared_images
    from bycase.tables.splits import SUBSETS

    frame = manifest[manifest["image"].isin(supplied.subsets.index)]
    frame = frame.assign(part=frame["image"].map(supplied.subsets))
    groups = {leak.level: leak.summary() for leak in find_leaks(frame)}
    shared = None if duplicates is None else find_shared_images(frame, duplicates, waived)
    faults = [supplied.in_several, supplied.unknown, supplied.ambiguous]
    leaks = any(level["straddling"] for level in groups.values()) or bool(shared and shared["pairs"])
    return {
        "clean": not leaks and not any(faults),
        "counts": {part: int((frame["part"] == part).sum()) for part in SUBSETS},
        "units": supplied.units,
        "complement": supplied.complement,
        "in_several_parts": supplied.in_several,
        "unknown": supplied.unknown,
        "ambiguous": supplied.ambiguous,
        "missing": supplied.missing,
        "groups": groups,
        "duplicates": shared,
    }


def write_lines(report: dict[str, Any]) -> list[str]:
    """The report for a reader; every kind of fault is one line that names the first few."""
    lines = [", ".join(f"{part}: {count} images" for part, count in report["counts"].items())]
    if set(report["units"]) - {"image"}:
        lines.append("names: " + ", ".join(f"{count} {UNIT_WORDS[unit]}" for unit, count in report["units"].items()))
    if report["complement"]:
        lines.append("note: the file names one part only; all other images are taken for train")
    held_out = "test" if report["counts"]["test"] else "val"
    learned = "train or val" if held_out == "test" else "train"
    for key, text in (
        ("in_several_parts", "LEAK: {} images in more than one part"),
        ("unknown", "NOT CHECKED: {} names that are of no image, slide folder or patient"),
        ("ambiguous", "NOT CHECKED: {} names that mean several images"),
        ("missing", "note: {} images of the manifest that the file does not name"),
    ):
        if report[key]:
            lines.append(f"{text.format(len(report[key]))}: {_some(report[key])}")
    for level, leak in report["groups"].items():
        if not leak["straddling"]:
            lines.append(f"{level}: none in more than one part")
            continue
        classes = ", ".join(f"{label} {count['seen']}/{count['images']}" for label, count in leak["by_class"].items())
        lines.append(
            f"LEAK: {level}: {leak['straddling']} in more than one part; {leak['seen_images']} of "
            f"{leak['held_out_images']} {held_out} images ({leak['seen_share']:.1%}) have theirs in {learned} "
            f"({classes}): {_some(leak['names'])}"
        )
    shared = report["duplicates"]
    if shared is None:
        lines.append("NOT CHECKED: duplicates")
    elif shared["pairs"]:
        pairs = _some([" = ".join(pair) for pair in shared["pairs"]])
        lines.append(
            f"LEAK: duplicates between {held_out} and {learned}: {shared['exact']} exact, {shared['near']} near: "
            f"{pairs}"
        )
    else:
        lines.append(f"duplicates: none between {held_out} and {learned}, {shared['waived']} waived")
    return [*lines, "clean" if report["clean"] else "NOT CLEAN"]


def _some(names: list[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more (all in --json)" if rest > 0 else "")


def main(arguments: list[str] | None = None) -> None:
    """Check the split that the command line names, print the report, and end with 1 unless it is clean."""
    parser = argparse.ArgumentParser(prog="bycase check-split", description="What somebody's split leaks.")
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="a table (image, slide or patient, and part), a text of lists, a JSON or YAML of lists, or a folder with "
        "train and test below it; one split, or several folds",
    )
    name = parser.add_mutually_exclusive_group()
    name.add_argument("--image", metavar="COLUMN", help="the table's column of images")
    name.add_argument("--patient", metavar="COLUMN", help="the table's column of patients, or of slides")
    parser.add_argument("--part", metavar="COLUMN", help="the table's column of train, val and test")
    parser.add_argument("--fold", metavar="COLUMN", help="the table's column of folds")
    parser.add_argument("--json", type=Path, help="write the whole report, with all names, to this file")
    parser.add_argument("--manifest", type=Path, help="default: the pipeline's")
    parser.add_argument("--duplicates", type=Path, help="default: the pipeline's")
    parser.add_argument("--without-duplicates", action="store_true", help="check groups only")
    parser.add_argument("--without-images", action="store_true", help="by BreakHis' names alone, without a manifest")
    parser.add_argument("--magnification", type=int, nargs="+", default=[], help="of the images that slides stand for")
    parser.add_argument("--published", action="store_true", help="the table of published BreakHis splits, no file")
    parser.add_argument("--run", type=Path, help="with --published: folder of a run on BreakHis, whose images to use")
    options = parser.parse_args(arguments)
    if options.published:
        from bycase.studies.published_splits import main as tell_published

        arguments = ["--run", str(options.run)] if options.run else []
        return tell_published([*arguments, *(["--json", str(options.json)] if options.json else [])])
    if options.file is None:
        parser.error("the following arguments are required: file (or --published)")
    clean = _check(options)
    if not clean:
        sys.exit(1)
    return None


def _check(options: argparse.Namespace) -> bool:
    """Print the report of every fold; whether all are clean."""
    from bycase.core.files import write_json
    from bycase.datasets.splits.claims import read_claims
    from bycase.tables.manifest import MANIFEST

    columns = {"name": options.image or options.patient, "part": options.part, "fold": options.fold}
    claims = read_claims(options.file, {key: column for key, column in columns.items() if column})
    place = options.manifest or MANIFEST
    by_names = options.without_images or (options.manifest is None and not place.exists())
    lines, reports = [], {}
    if by_names:
        lines.append(
            "by names alone, as BreakHis has them" + ("" if options.without_images else f"; there is no {place}")
        )
    for claim in claims:
        report = _check_by_names(options, claim.table) if by_names else _check_by_manifest(options, claim.table, place)
        reports[claim.fold] = report
        lines += [f"fold {claim.fold}:"] if len(claims) > 1 else []
        lines += write_lines(report)
    if options.json:
        write_json(options.json, reports[claims[0].fold] if len(claims) == 1 else {"folds": reports})
    sys.stdout.write("\n".join(lines) + "\n")
    return all(report["clean"] for report in reports.values())


def _check_by_names(options: argparse.Namespace, table: "pd.DataFrame") -> dict[str, Any]:
    from bycase.datasets.splits.places import manifest_by_names, match_names

    manifest = manifest_by_names(table["name"], options.magnification)
    supplied = match_names(table, manifest)
    if supplied.subsets.empty and not supplied.in_several:
        raise UserError(
            f"{options.file} names no image, slide folder or patient of BreakHis (the first is "
            f"{table['name'].iloc[0]}): for another data set run 'dvc repro audit', whose manifest tells the patients"
        )
    # Images that only are counted have no names that could be told as missing.
    return check_split(replace(supplied, missing=[]), manifest, None, [])


def _check_by_manifest(options: argparse.Namespace, table: "pd.DataFrame", place: Path) -> dict[str, Any]:
    from bycase.core.params import load_params
    from bycase.datasets.duplicates import DUPLICATES, parse_waivers, read_duplicates
    from bycase.datasets.splits.places import match_names
    from bycase.tables.manifest import read_manifest

    manifest = read_manifest(place)
    if options.magnification:
        manifest = manifest[manifest["magnification"].isin(options.magnification)]
    supplied = match_names(table, manifest)
    if supplied.subsets.empty and not supplied.in_several:
        raise UserError(
            f"split file {options.file} names no image of {place}: is it of another data set? BreakHis' names are "
            "checked without a manifest by --without-images"
        )
    params = load_params()
    entries = params.audit.waive.get(params.dataset, [])
    waived = parse_waivers(entries, manifest["image"].tolist(), f"audit.waive.{params.dataset}")
    duplicates = None if options.without_duplicates else read_duplicates(options.duplicates or DUPLICATES)
    return check_split(supplied, manifest, duplicates, waived)
