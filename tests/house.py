"""The code that each DVC stage depends on, in the three pipelines: `make deps` writes it, test_house.py checks it."""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from bycase.core.closure import EXEMPT, PACKAGES, ROOT, holds_code, import_closure

PIPELINES = ("dvc.yaml", "benchmark/dvc.yaml", "tuning/dvc.yaml")
MODULE = re.compile(r"python -m (\S+)")
CODE = tuple(f"{package}/" for package in PACKAGES)


def read_stages(pipeline: str, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """The stages of a dvc.yaml, by name."""
    stages: dict[str, dict[str, Any]] = yaml.safe_load((root / pipeline).read_text(encoding="utf-8"))["stages"]
    return stages


def stage_closure(stage: dict[str, Any], root: Path = ROOT) -> set[str]:
    """All the code that a stage's command reaches."""
    match = MODULE.match(stage["cmd"])
    assert match, stage["cmd"]
    return {path.as_posix() for path in import_closure([match[1]], root)}


def code_below(dep: str, root: Path = ROOT) -> set[str]:
    """The code under a dependency, a file or a folder; packages' docstrings are no code."""
    if (root / dep).is_file():
        return {dep}
    files = (path for path in (root / dep).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix() for path in files if path.name != "__init__.py" or holds_code(path)}


def as_deps(closure: set[str], root: Path = ROOT) -> list[str]:
    """The same files in few lines: a folder where all that is in it counts."""
    folders = {parent for name in closure for parent in Path(name).parents if len(parent.parts) > 1}
    whole = {folder for folder in folders if len(code := code_below(folder.as_posix(), root)) > 1 and code <= closure}
    kept = whole | {Path(name) for name in closure}
    return sorted(path.as_posix() for path in kept if not whole & set(path.parents))


def missing_deps(stage: dict[str, Any], root: Path = ROOT) -> set[str]:
    """Files that a stage's code reaches and that are under none of its deps."""
    return stage_closure(stage, root) - {name for dep in _code_deps(stage) for name in code_below(dep, root)}


def needless_deps(stage: dict[str, Any], root: Path = ROOT) -> set[str]:
    """Code under a stage's deps that it does not reach."""
    return {name for dep in _code_deps(stage) for name in code_below(dep, root)} - stage_closure(stage, root)


def write_deps(pipeline: str, root: Path = ROOT) -> str:
    """The text of a dvc.yaml with the code deps of every stage as they should be; all else as it is."""
    lines: list[str] = []
    stages, name, in_deps = read_stages(pipeline, root), "", False
    for line in (root / pipeline).read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"  (\w+):", line):
            name = match[1]
        if in_deps and line.startswith(tuple(f"      - {code}" for code in CODE)):
            continue
        in_deps = line == "    deps:" or (in_deps and line.startswith("      - "))
        lines.append(line)
        if line == "    deps:":
            lines += [f"      - {dep}" for dep in as_deps(stage_closure(stages[name], root), root)]
    return "\n".join(lines) + "\n"


def _code_deps(stage: dict[str, Any]) -> list[str]:
    return [dep for dep in stage["deps"] if dep.startswith(CODE)]


def main() -> None:
    """Write all three."""
    for pipeline in PIPELINES:
        text = write_deps(pipeline)
        if text != (ROOT / pipeline).read_text(encoding="utf-8"):
            (ROOT / pipeline).write_text(text, encoding="utf-8")
            sys.stderr.write(f"{pipeline}: code deps written\n")
    if absent := [name for name in EXEMPT if not (ROOT / name).is_file()]:
        sys.exit(f"bycase/core/closure.py exempts files that are not there: {', '.join(absent)}")


if __name__ == "__main__":
    main()
