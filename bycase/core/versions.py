"""Versions: of packages, which results are kept with, and of the layout of files."""

import logging
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

from bycase.core.errors import UserError

RUNTIME = ("tensorflow", "jax", "keras", "numpy")


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of `packages`, by name; one that is not installed is left out.

    Python's is the machine's: results are the same on each that the locks serve.
    """
    versions = {}
    for package in packages:
        try:
            versions[package] = installed_version(package)
        except PackageNotFoundError:
            continue
    return versions


def warn_of_other_versions(made_with: Mapping[str, str], name: str) -> None:
    """Log one line where the major or minor version of a package in `RUNTIME` is not the one that made something.

    Parameters
    ----------
    made_with : mapping of str to str
        Package to version, of `installed_versions`; a package that is not there is not compared.
    name : str
        What was made, for the message.
    """
    differing = [
        f"{package} {made_with[package]} (here {here})"
        for package, here in installed_versions(RUNTIME).items()
        if package in made_with and here.split(".")[:2] != made_with[package].split(".")[:2]
    ]
    if differing:
        logging.warning("WARNING: %s was made with %s; its numbers may differ here", name, ", ".join(differing))


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
