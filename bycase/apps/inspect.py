"""`bycase inspect PATH`: what a folder, archive or table of images seems to be, and its entry for `params.yaml`.

Ends with 1, and writes nothing, where two readings are as good and the user must choose.
"""

import argparse
import re
import shlex
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError

NAME = re.compile(r"[A-Za-z][\w-]*")


def main(arguments: list[str] | None = None) -> None:
    """Look at what the command line names, print the report and the entry, and write it if asked to."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="bycase inspect",
        description="What a folder, archive or table of images is, and its entry for params.yaml.",
    )
    parser.add_argument("path", type=Path, help="a folder, a .zip, .tar or .tar.gz archive, or a table")
    where = "a column, a folder level (1: the top, -1: the image's own) or an expression"
    parser.add_argument("--label", help=f"where the class stands: {where}")
    parser.add_argument("--patient", help=f"where the patient stands: {where}; none: nowhere")
    parser.add_argument("--part", help=f"where train, val and test stand: {where}; none: nowhere")
    parser.add_argument("--image", help="the table's column of images")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="LABEL=CLASS",
        help="call a label so; LABEL= leaves its images out",
    )
    parser.add_argument("--write", metavar="NAME", help="put the entry into params.yaml under this name")
    options = parser.parse_args(words)
    if options.write and not NAME.fullmatch(options.write):
        raise UserError(f"--write {options.write}: a name of letters, digits, - and _, a letter first")
    from bycase.core.params import PARAMS_PATH, Params, read_yaml
    from bycase.datasets.inspect.found import find
    from bycase.datasets.inspect.inspection import Options, inspect
    from bycase.datasets.inspect.words import questions, report

    if options.write and options.write in read_yaml(PARAMS_PATH, Params)["datasets"]:
        raise UserError(
            f"--write {options.write}: params.yaml has that data set; take another name, or remove its entry"
        )
    place = Path(options.path).expanduser()
    choices = Options(options.label, options.patient, options.part, options.image, read_names(options.name))
    with find(place) as found:
        inspection = inspect(found, Path(place.name) if found.kind == "table" else None, choices)
    _print([str(options.path), *(f"  {line}" for line in report(inspection))])
    asked = questions(inspection)
    if asked or inspection.entry is None or inspection.listing is None:
        key, values = asked[0]
        listed = " or ".join(shlex.quote(value) for value in values)
        raise UserError(f"which is the {key} only you can say: give --{key} {listed}; nothing was written")
    entry = inspection.entry | {"path": portable(Path(inspection.entry["path"]))}
    name = options.write or suggest_name(
        place, read_yaml(PARAMS_PATH, Params)["datasets"] if PARAMS_PATH.is_file() else ()
    )
    supplied = any(image.part or image.fold for image in inspection.listing.images)
    command = f"dvc exp run -S dataset={name} -S model=efficientnetlite{' -S split.protocol=supplied' * supplied}"
    if options.write:
        write_entry(PARAMS_PATH, name, entry)
        _print(["", f"params.yaml: datasets.{name} and audit.waive.{name} written; run it by", "", f"    {command}"])
    else:
        again = shlex.join(["bycase", "inspect", *words, "--write", name])
        _print(
            ["", "The entry for params.yaml:", "", *show_entry(name, entry), "", "Write it there, and run it, by", ""]
        )
        _print([f"    {again}", f"    {command}"])


def _print(lines: list[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def read_names(given: list[str]) -> dict[str, str | None]:
    """The labels and classes of ``LABEL=CLASS``; None for a label without a class."""
    names: dict[str, str | None] = {}
    for text in given:
        label, sign, name = text.partition("=")
        if not sign or not label.strip():
            raise UserError(f"--name {text}: write LABEL=CLASS")
        names[label.strip()] = name.strip() or None
    return names


def portable(source: Path) -> str:
    """A path for `params.yaml`: below the project relative to it, else absolute."""
    absolute = source.resolve()
    return absolute.relative_to(Path.cwd()).as_posix() if absolute.is_relative_to(Path.cwd()) else absolute.as_posix()


def suggest_name(place: Path, taken: Collection[str]) -> str:
    """A name for the data set, after its folder or file, that no other one has."""
    plain = re.sub(r"[^a-z0-9]+", "_", place.resolve().name.lower().partition(".")[0]).strip("_")
    name = plain if plain[:1].isalpha() else f"images_{plain}".rstrip("_")
    return f"my_{name}" if name in taken else name


def show_entry(name: str, entry: dict[str, Any]) -> list[str]:
    """The entry as YAML, without what is null."""
    import yaml

    said = {key: value for key, value in entry.items() if value is not None or key == "positive"}
    text = yaml.safe_dump({"datasets": {name: said}}, sort_keys=False, allow_unicode=True, width=110)
    return [f"    {line}" for line in text.splitlines()]


def write_entry(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Put an entry into `params.yaml`, with the empty list of waivers that every data set has; comments stay."""
    import yaml

    from bycase.core.files import replace_file
    from bycase.core.params import check_params, upgrade_text
    from bycase.core.yaml_edit import edit_yaml

    text = upgrade_text(path.read_bytes().decode("utf-8"), str(path))
    content = yaml.safe_load(text)
    datasets = content["datasets"] | {name: entry}
    audit = content["audit"] | {"waive": content["audit"]["waive"] | {name: []}}
    content |= {"datasets": datasets, "audit": audit}
    check_params(content, str(path))
    edited = edit_yaml(text, content, str(path))
    with replace_file(path) as partial:
        partial.write_bytes(edited.encode("utf-8"))
