"""`bycase check-split FILE`: what a split file (`image,part`) leaks, against the manifest.

Ends with 0 where it leaks nothing, with 1 where it does, or where it names images that the manifest cannot tell.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from bycase.datasets.duplicates import Waived
    from bycase.datasets.splits.external import Supplied

NAMES_SHOWN = 10


def check_split(
    supplied: "Supplied", manifest: "pd.DataFrame", duplicates: "pd.DataFrame | None", waived: "Waived"
) -> dict[str, Any]:
    """Everything that is wrong with a split file that was matched with the manifest.

    Returns
    -------
    dict
        ``clean`` (bool), ``counts`` by part, ``in_several_parts``, ``unknown``, ``ambiguous`` and ``missing`` (names),
        ``groups`` by level (see `Leak.summary`) and ``duplicates`` (None where left unchecked, as without a table of
        them). Images missing from the file are said and leave it clean: a file may be about a part of the data.
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
    held_out = "test" if report["counts"]["test"] else "val"
    learned = "train or val" if held_out == "test" else "train"
    for key, text in (
        ("in_several_parts", "LEAK: {} images in more than one part"),
        ("unknown", "NOT CHECKED: {} images that the manifest does not have"),
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
        lines.append("NOT CHECKED: duplicates (--without-duplicates)")
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
    """Check the file that the command line names, print the report, and end with 1 unless it is clean."""
    parser = argparse.ArgumentParser(prog="bycase check-split", description="What a split file leaks.")
    parser.add_argument("file", type=Path, help="CSV file with the columns image and part (train, val, test)")
    parser.add_argument("--json", type=Path, help="write the whole report, with all names, to this file")
    parser.add_argument("--manifest", type=Path, help="default: the pipeline's")
    parser.add_argument("--duplicates", type=Path, help="default: the pipeline's")
    parser.add_argument("--without-duplicates", action="store_true", help="check groups only")
    options = parser.parse_args(arguments)
    from bycase.core.files import write_json
    from bycase.core.params import load_params
    from bycase.datasets.duplicates import DUPLICATES, parse_waivers, read_duplicates
    from bycase.datasets.splits.external import match_images, read_split_file
    from bycase.tables.manifest import MANIFEST, read_manifest

    place = options.manifest or MANIFEST
    manifest = read_manifest(place)
    supplied = match_images(read_split_file(options.file), manifest)
    if supplied.subsets.empty and not supplied.in_several:
        raise UserError(f"split file {options.file} names no image of {place}: is it of another data set?")
    params = load_params()
    entries = params.audit.waive.get(params.dataset, [])
    waived = parse_waivers(entries, manifest["image"].tolist(), f"audit.waive.{params.dataset}")
    duplicates = None if options.without_duplicates else read_duplicates(options.duplicates or DUPLICATES)
    report = check_split(supplied, manifest, duplicates, waived)
    if options.json:
        write_json(options.json, report)
    sys.stdout.write("\n".join(write_lines(report)) + "\n")
    if not report["clean"]:
        sys.exit(1)
