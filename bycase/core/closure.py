"""Which of this project's files a module's code reaches by its imports, read from the syntax trees.

A pipeline that keeps a result after the code that made it has changed is not reproducible (treeverse/dvc issues 1577
and 9195). The closure is what a stage's ``deps`` in dvc.yaml must hold, and what fingerprints of unfinished work
cover; see `bycase.core.fingerprint`.
"""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
PACKAGES = ("bycase", "stages")


def import_closure(modules: Iterable[str], root: Path = ROOT) -> list[Path]:
    """Find the files that modules consist of, with all that they import, directly or not.

    Imports inside functions count. A package's ``__init__.py`` counts where it holds more than a docstring.

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
    """
    waiting, found = list(modules), set()
    while waiting:
        path = find_module(waiting.pop(), root)
        if path is not None and path not in found:
            found.add(path)
            waiting += imported_names(root / path)
    return sorted(path for path in found if path.name != "__init__.py" or _holds_code(root / path))


def find_module(name: str, root: Path = ROOT) -> Path | None:
    """Find the file of a module of this project, relative to `root`; None of any other name."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return None
    place = Path(*parts)
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if (root / path).is_file()), None)


@cache
def imported_names(path: Path) -> tuple[str, ...]:
    """List every name that a file imports, with the packages on the way to it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return tuple(".".join(parts[:n]) for parts in (name.split(".") for name in names) for n in range(1, len(parts) + 1))


def _holds_code(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)
