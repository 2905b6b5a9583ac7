"""The lock files, made from pyproject.toml for every Python and system at once, and what the index has for each.

``python tests/locks.py write [--upgrade]`` (`make lock`) resolves everything that pyproject.toml lists into one set of
versions and writes requirements.txt and one requirements-NAME.txt for each extra and group. Without ``--upgrade``, what
is pinned stays. ``python tests/locks.py platforms`` (`make platforms`) compares the pins with the index's file lists
and writes what has no wheel into docs/how-to/install.md. Both ask the package index, by uv; the files name none.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[1]
PYTHONS = ((3, 11), (3, 12), (3, 13))
SYSTEMS = {
    "Linux x86-64": ("linux", "x86_64"),
    "Linux arm64": ("linux", "aarch64"),
    "macOS arm64": ("darwin", "arm64"),
    "macOS x86-64": ("darwin", "x86_64"),
}
GLIBC = 36  # 2.36, of Debian 12
MACOS = (14, 0)
PAGE = ROOT / "docs" / "how-to" / "install.md"
TABLE = re.compile(r"(?<=<!-- platforms -->\n).*(?=<!-- /platforms -->)", re.DOTALL)


def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return content


def lists() -> dict[str, list[str]]:
    """What to add to the core for each further lock file, as options of `uv export`."""
    content = project()
    extras = {name: ["--extra", name] for name in content["project"]["optional-dependencies"]}
    return extras | {name: ["--group", name] for name in content["dependency-groups"]}


def lock_path(name: str) -> Path:
    return ROOT / (f"requirements-{name}.txt" if name else "requirements.txt")


def read_lock(path: Path) -> list[str]:
    """The pins of a lock file, markers included, without those of a file that it includes."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in lines if line[:1].isalnum()]


def pins() -> list[str]:
    """Every pin of every lock file, once."""
    return sorted({line for name in ("", *lists()) for line in read_lock(lock_path(name))})


def uv(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run(
        ["uv", *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def toml_strings(values: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def write_locks(folder: Path, upgrade: bool) -> None:
    """Resolve everything in `folder`, and write the lock files."""
    kept = [] if upgrade else pins()
    resolved = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f"{resolved}\n[tool.uv]\nconstraint-dependencies = {toml_strings(kept)}\n", encoding="utf-8"
    )
    uv(folder, "lock", "--quiet")
    plain = ("--no-hashes", "--no-header", "--no-annotate", "--no-emit-project", "--no-default-groups", "--quiet")
    core = uv(folder, "export", *plain).splitlines()
    written = {"": core} | {
        name: ["-r requirements.txt"]
        + [line for line in uv(folder, "export", *plain, *added).splitlines() if line not in core]
        for name, added in lists().items()
    }
    for name, lines in written.items():
        lock_path(name).write_text(
            "\n".join(["# Made by `make lock` from pyproject.toml.", *lines, ""]), encoding="utf-8"
        )


def tags(system: str, python: tuple[int, int]) -> set[Tag]:
    """What a wheel's tags may be on one of `SYSTEMS`."""
    kernel, machine = SYSTEMS[system]
    if kernel == "darwin":
        platforms = list(mac_platforms(MACOS, machine))
    else:
        old = ["manylinux2014", "manylinux2010", "manylinux1"]
        names = [f"manylinux_2_{minor}" for minor in range(5, GLIBC + 1)] + old + ["linux"]
        platforms = [f"{name}_{machine}" for name in names]
    interpreter = f"cp{python[0]}{python[1]}"
    return {*cpython_tags(python, platforms=platforms), *compatible_tags(python, interpreter, platforms)}


def environment(system: str, python: tuple[int, int]) -> dict[str, str]:
    """What markers ask for on one of `SYSTEMS`."""
    kernel, machine = SYSTEMS[system]
    version = f"{python[0]}.{python[1]}"
    return {key: str(value) for key, value in default_environment().items()} | {
        "sys_platform": kernel,
        "platform_system": kernel.title(),
        "platform_machine": machine,
        "python_version": version,
        "python_full_version": f"{version}.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def file_lists(folder: Path) -> dict[tuple[str, str], tuple[list[str], bool]]:
    """The index's wheels of every pin, by name and version, and whether it has the source."""
    content = project()["project"]
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "pins"\nversion = "0"\nrequires-python = "{content["requires-python"]}"\n'
        f"dependencies = {toml_strings(pins())}\n",
        encoding="utf-8",
    )
    uv(folder, "lock", "--quiet")
    packages = tomllib.loads((folder / "uv.lock").read_text(encoding="utf-8"))["package"]
    return {
        (each["name"], each["version"]): (
            [wheel["url"].rpartition("/")[2] for wheel in each.get("wheels", [])],
            "sdist" in each,
        )
        for each in packages
    }


def missing(files: dict[tuple[str, str], tuple[list[str], bool]]) -> list[tuple[str, str, str, dict[str, list[str]]]]:
    """Pins without a wheel somewhere: the lock's name, the pin, what there is instead, and the Pythons by system."""
    rows = []
    for name in ("", *lists()):
        for line in read_lock(lock_path(name)):
            pin = Requirement(line)
            version = str(pin.specifier).removeprefix("==")
            wheels, source = files[canonicalize_name(pin.name), version]
            offered = [parse_wheel_filename(wheel.replace("%2B", "+"))[3] for wheel in wheels]
            lacking: dict[str, list[str]] = {}
            for system in SYSTEMS:
                for python in PYTHONS:
                    wanted = pin.marker is None or pin.marker.evaluate(environment(system, python))
                    fits = tags(system, python)
                    if wanted and not any(fits & each for each in offered):
                        lacking.setdefault(system, []).append(f"{python[0]}.{python[1]}")
            if lacking:
                rows.append((lock_path(name).name, f"{pin.name} {version}", "source" if source else "nothing", lacking))
    return rows


def table(rows: list[tuple[str, str, str, dict[str, list[str]]]]) -> str:
    """The rows of `missing` in Markdown; a cell names the Pythons that have no wheel."""
    lines = [f"| package | lock file | {' | '.join(SYSTEMS)} | there is |", "|---" * (len(SYSTEMS) + 3) + "|"]
    for lock, package, instead, lacking in rows:
        cells = [
            "all" if len(lacking.get(system, [])) == len(PYTHONS) else ", ".join(lacking.get(system, []))
            for system in SYSTEMS
        ]
        lines.append(f"| {package} | `{lock}` | {' | '.join(cells)} | {instead} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/locks.py", description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("write", "platforms"))
    parser.add_argument("--upgrade", action="store_true", help="newest versions, not what is pinned")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if options.what == "write":
            write_locks(Path(place), options.upgrade)
        else:
            found = table(missing(file_lists(Path(place))))
            text = PAGE.read_text(encoding="utf-8")
            PAGE.write_text(TABLE.sub(lambda _: found, text), encoding="utf-8")
            sys.stdout.write(found)


if __name__ == "__main__":
    main()
