"""Reference tables of the manual, from what the pipeline itself reads: parameter models, dvc.yaml, the commands."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from bycase.cli import COMMANDS
from bycase.core.closure import PACKAGES, ROOT
from bycase.core.params import Params
from bycase.studies.benchmark.params import BenchmarkParams
from bycase.studies.tune.params import TuningParams

PARAMETERS: dict[str, type[BaseModel]] = {
    "params.yaml": Params,
    "benchmark/params.yaml": BenchmarkParams,
    "tuning/params.yaml": TuningParams,
}
PIPELINES = ("dvc.yaml", "benchmark/dvc.yaml", "tuning/dvc.yaml")
ENTRIES = {"datasets": "<name>", "zoo": "<model>"}  # sections with an entry a name; the first one is commented
KEY = re.compile(r"( *)([\w*]+):(.*)")
COMMENT = re.compile(r"(?:^|\s)#\s*(.*)$")

Schema = dict[str, Any]


def parameter_tables() -> str:
    """A table a section of every parameter file: key, values, value in the file, meaning."""
    return "\n\n".join(_file_tables(name, model) for name, model in PARAMETERS.items())


def read_comments(text: str) -> dict[str, str]:
    """What a commented YAML file says beside or above each key, by dotted key; flow mappings count as values."""
    comments: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    above = ""
    for line in text.splitlines():
        comment = match[1] if (match := COMMENT.search(line)) else ""
        if not (key := KEY.match(line)):
            above = comment
            continue
        stack = [(indent, name) for indent, name in stack if indent < len(key[1])] + [(len(key[1]), key[2])]
        comments.setdefault(".".join(name for _, name in stack), comment or above)
        above = ""
    return comments


def parameter_rows(model: type[BaseModel], name: str) -> Iterator[tuple[str, str, str, str]]:
    """Key, values, value in the file and meaning of every parameter of a file.

    Parameters
    ----------
    model : type
        What the file must hold.
    name : str
        The file, relative to the project's top folder.

    Yields
    ------
    tuple of str
        The key is dotted; an entry's name is a placeholder in angle brackets.
    """
    text = (ROOT / name).read_text(encoding="utf-8")
    file, schema, comments = yaml.safe_load(text), model.model_json_schema(), read_comments(text)
    for dotted, content, field in _leaves(schema, schema["properties"], file, ""):
        section, *keys = dotted.split(".")
        if keys and keys[0] == ENTRIES.get(section):
            keys[0] = next(iter(file[section]))
        yield dotted, describe(schema, field), _shown(content), comments.get(".".join([section, *keys]), "")


def describe(schema: Schema, field: Schema) -> str:
    """The values that a field may take, in a few words."""
    if "$ref" in field:
        names = schema["$defs"][field["$ref"].rsplit("/", 1)[1]]["properties"]
        return f"{{{', '.join(names)}}}"
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(dict.fromkeys(describe(schema, each) for each in field[several]))
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if "const" in field:
        return str(field["const"])
    if field["type"] == "array" and "prefixItems" in field:
        return f"[{', '.join(describe(schema, each) for each in field['prefixItems'])}]"
    if field["type"] == "array":
        return f"list of {describe(schema, field['items'])}"
    if field["type"] == "object":
        return f"{describe(schema, field['additionalProperties'])}, by name"
    words = {"number": "number", "integer": "whole number", "string": "text", "boolean": "true, false", "null": "null"}
    bounds = [
        f"{sign} {_short(field[key])}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in field
    ]
    return " ".join([words[field["type"]], ", ".join(bounds)]).strip()


def stage_tables() -> str:
    """What every stage of the three pipelines reads and writes, from their dvc.yaml."""
    return "\n\n".join(f"## `{name}`\n\n{_pipeline_table(name)}" for name in PIPELINES)


def command_help() -> str:
    """The help of every command and of its sub-commands, as they print it."""
    parts = []
    for command in COMMANDS:
        text = _help(command)
        parts.append(f"## bycase {command}\n\n```text\n{text}\n```")
        parts += [f"### bycase {command} {word}\n\n```text\n{_help(command, word)}\n```" for word in _subcommands(text)]
    return "\n\n".join(parts)


def _file_tables(name: str, model: type[BaseModel]) -> str:
    schema, lines = model.model_json_schema(), [f"## `{name}`"]
    section = None
    rows = sorted(parameter_rows(model, name), key=lambda row: "." in row[0])  # those of no section first
    for dotted, values, content, meaning in rows:
        top = dotted.split(".")[0] if "." in dotted else ""
        if top != section:
            section = top
            words = _section_words(schema, top)
            lines += ["", *([f"### {top}", "", words, ""] if top else [])]
            lines += ["| key | values | in the file | meaning |", "|---|---|---|---|"]
        lines.append(f"| `{dotted}` | {_cell(values)} | {_cell(content, code=True)} | {_cell(meaning)} |")
    return "\n".join(lines)


def _section_words(schema: Schema, name: str) -> str:
    if not name:
        return ""
    field = schema["properties"][name]
    reference = field.get("$ref") or field["additionalProperties"]["$ref"]
    return str(schema["$defs"][reference.rsplit("/", 1)[1]].get("description", "")).replace("\n", " ")


def _leaves(schema: Schema, fields: Schema, content: Any, prefix: str) -> Iterator[tuple[str, Any, Schema]]:
    """The fields that are no sections, with their dotted keys and what the file holds."""
    for key, field in fields.items():
        value = content.get(key) if isinstance(content, dict) else None
        entry = ENTRIES.get(key) if not prefix else None
        inner = field.get("additionalProperties", field) if entry else field
        name = prefix + key + (f".{entry}" if entry else "")
        if entry:
            value = next(iter((value or {}).values()), None)
        references = [each["$ref"] for each in (inner, *inner.get("anyOf", [])) if "$ref" in each]
        if references:
            section = schema["$defs"][references[0].rsplit("/", 1)[1]]
            left_out = isinstance(content, dict) and key in content and value is None  # a section that is null there
            if section["title"] != "Dimension" and not left_out:
                yield from _leaves(schema, section["properties"], value, name + ".")
                continue
        yield name, value, field


def _shown(content: Any) -> str:
    return yaml.safe_dump(content, default_flow_style=True, width=1000).removesuffix("...\n").strip()


def _short(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def _cell(text: str, code: bool = False) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if code and text else escaped.replace("<", "&lt;")


def _pipeline_table(name: str) -> str:
    stages = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["stages"]
    parts = []
    for stage, content in stages.items():
        deps = [each for each in content.get("deps", []) if not each.startswith(tuple(f"{p}/" for p in PACKAGES))]
        writes = [_path(each) for kind in ("outs", "metrics", "plots") for each in content.get(kind, [])]
        rows = {"reads": deps, "parameters": [_path(each) for each in content.get("params", [])], "writes": writes}
        parts += [f"### {stage} {{ #{_anchor(name, stage)} }}", "", content.get("desc", ""), "", "| | |", "|---|---|"]
        parts += [f"| command | `{content['cmd']}` |"]
        parts += [f"| {word} | {' '.join(f'`{each}`' for each in paths)} |" for word, paths in rows.items() if paths]
        parts.append("")
    return "\n".join(parts)


def _anchor(pipeline: str, stage: str) -> str:
    return stage if pipeline == "dvc.yaml" else f"{Path(pipeline).parent}-{stage}"


def _path(entry: str | Schema) -> str:
    """An output's path, or a parameter's key or file with its keys."""
    if isinstance(entry, str):
        return entry
    (path, keys), *_ = entry.items()
    return f"{path}: {', '.join(keys)}" if isinstance(keys, list) else path


def _help(*words: str) -> str:
    command = [sys.executable, "-m", "bycase", *words, "--help"]
    environment = os.environ | {"COLUMNS": "76", "PYTHONPATH": str(ROOT)}
    environment["PYTHONPATH"] += os.pathsep + os.environ.get("PYTHONPATH", "")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _subcommands(text: str) -> list[str]:
    """The words of argparse's list of sub-commands, which it indents by four."""
    listed = text.partition("positional arguments:")[2].partition("options:")[0]
    return re.findall(r"^    ([a-z][\w-]*)(?=  |$)", listed, re.MULTILINE)
