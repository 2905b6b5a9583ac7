"""Which of this project's files a module's code reaches by its imports, read from the syntax trees.

A pipeline that keeps a result after the code that made it has changed is not reproducible (treeverse/dvc issues 1577
and 9195). The closure is what a stage's ``deps`` in dvc.yaml must hold, and what fingerprints of unfinished work
cover; see `bycase.core.fingerprint`.
"""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
PACKAGES = ("bycase", "stages")
FRONT = Path("bycase/__init__.py")  # hands out the public interface on demand, which no stage and no floor asks for
MODULE_NAME = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)+")

# Files that cannot change a result, each with the reason why.
EXEMPT = {
    "bycase/core/child.py": "hands on what another process gives, in its order",
    "bycase/core/closure.py": "decides only whether finished and unfinished work is used again",
    "bycase/core/command.py": "sets up the log and turns errors into exit codes",
    "bycase/core/errors.py": "is the exception of a user's mistake",
    "bycase/core/files.py": "writes what it is given, every digit of it, under a temporary name, and renames",
    "bycase/core/fingerprint.py": "decides only whether unfinished work is used again",
    "bycase/core/machine.py": "counts cores and names the machine, which decide how fast a result is computed",
    "bycase/core/memory.py": "turns memory that runs out into one line",
    "bycase/core/nested.py": "takes values out of nested mappings by dotted keys; makes none",
    "bycase/core/packages.py": "imports a package of an extra, or says how to get it",
    "bycase/core/parallel.py": "gives results in the order of its inputs, whatever runs beside or ahead of them",
    "bycase/core/params.py": "checks values and hands them on as the file has them; DVC tracks the values by `params:`",
    "bycase/core/params_data.py": "checks values, as params.py does",
    "bycase/core/params_training.py": "checks values, as params.py does",
    "bycase/core/params_migration.py": "completes older files, which DVC reads only once they are complete",
    "bycase/core/versions.py": "names versions beside a result, and warns",
    "bycase/core/yaml_edit.py": "edits the text of YAML files, which DVC tracks",
}


def import_closure(modules: Iterable[str], root: Path = ROOT) -> list[Path]:
    """Find the files that modules consist of, with all that they import, directly or not.

    Imports inside functions count, and so does a string that is the name of a module, which is run as a program. A
    package's ``__init__.py`` counts where it holds more than a docstring, but for `FRONT`. A module that mentions
    ``__file__`` reads the other files of its folder, such as templates. `EXEMPT` is left out.

    Parameters
    ----------
    modules : iterable of str
        Dotted names, such as ``stages.train``.
    root : Path
        The folder of the packages.

    Returns
    -------
    list of Path
        Relative to `root`, sorted.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    waiting = list(modules)
    if strangers := [name for name in waiting if find_module(name, root) is None]:
        raise ValueError(f"no module {', '.join(strangers)} below {root}")
    seen: set[Path] = set()
    while waiting:
        path = find_module(waiting.pop(), root)
        if path is not None and path not in seen and path != FRONT:
            seen.add(path)
            source = (root / path).read_text(encoding="utf-8")
            waiting += [*imported_names(source), *program_names(source)]
    code = {path for path in seen if path.name != "__init__.py" or holds_code(root / path)}
    data = {file for path in code for file in _data_files(path, root)}
    return sorted(path for path in code | data if path.as_posix() not in EXEMPT)


def find_module(name: str, root: Path = ROOT) -> Path | None:
    """Find the file of a module of this project, relative to `root`; None of any other name."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return None
    place = Path(*parts)
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if (root / path).is_file()), None)


@cache
def imported_names(source: str) -> tuple[str, ...]:
    """List every name that a module's source text imports, with the packages on the way to it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return tuple(".".join(parts[:n]) for parts in (name.split(".") for name in names) for n in range(1, len(parts) + 1))


@cache
def program_names(source: str) -> tuple[str, ...]:
    """List the modules whose names stand as strings in a module's source text, which runs them as programs."""
    strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return tuple(value for value in strings if isinstance(value, str) and MODULE_NAME.fullmatch(value))


def holds_code(path: Path) -> bool:
    """Whether a file holds more than a docstring."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def _data_files(module: Path, root: Path) -> list[Path]:
    if "__file__" not in (root / module).read_text(encoding="utf-8"):
        return []
    files = (path for path in (root / module).parent.rglob("*") if path.is_file())
    return [path.relative_to(root) for path in files if path.suffix not in (".py", ".pyc")]
