"""Versions: of Python and packages, which results are kept with, and of the layout of files."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

from bycase.core.errors import UserError


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Python's version and those of `packages`, by name; one that is not installed is left out."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = installed_version(package)
        except PackageNotFoundError:
            continue
    return versions


def check_version(content: Mapping[str, Any], newest: int, source: str) -> int:
    """The version of a file's layout; 1 where it says none, as files did before there were versions.

    Raises
    ------
    UserError
        If it is none that is known here.
    """
    version = content.get("version", 1)
    if not isinstance(version, int) or not 1 <= version <= newest:
        raise UserError(
            f"{source}: version {version!r} is not known here, which reads up to {newest}: use the bycase that wrote "
            "it, or a newer one"
        )
    return version
