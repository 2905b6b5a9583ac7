"""Versions: of Python and packages, which results are kept with, and of the layout of files."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bycase.core.errors import UserError


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Python's version and those of `packages`, by name; one that is not installed is left out."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def check_version(content: Mapping[str, Any], newest: int, source: str) -> int:
    """The version of a file's layout, 0 where it says none, as files did before there were versions.

    Raises
    ------
    UserError
        If it is none that is known here.
    """
    found = content.get("version", 0)
    if not isinstance(found, int) or not 0 <= found <= newest:
        raise UserError(
            f"{source}: version {found!r} is not known here, which reads versions up to {newest}: use the bycase that "
            "wrote it, or a newer one"
        )
    return found
