"""The lock files hold what pyproject.toml lists, for every Python and system, and extras stay out of the core."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bycase.core.packages import EXTRAS
from tests import locks
from tests.locks import PAGE, PYTHONS, SYSTEMS, TABLE, environment, lists, lock_path, missing, project, read_lock, table


def listed(name: str) -> list[Requirement]:
    """What pyproject.toml lists for a lock file."""
    content = project()
    core = content["project"]["dependencies"]
    further = content["project"]["optional-dependencies"] | content["dependency-groups"]
    return [Requirement(each) for each in (further[name] if name else core)]


def pinned(name: str, system: str, python: tuple[int, int]) -> dict[str, set[str]]:
    """Versions by package, as they are installed from a lock file and requirements.txt, which it includes."""
    here = environment(system, python)
    versions: dict[str, set[str]] = {}
    for line in {*read_lock(lock_path("")), *read_lock(lock_path(name))}:
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(here):
            versions.setdefault(canonicalize_name(pin.name), set()).add(str(pin.specifier).removeprefix("=="))
    return versions


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS, ids=lambda python: f"{python[0]}.{python[1]}")
def test_each_lock_pins_one_version_of_what_is_listed(system: str, python: tuple[int, int]) -> None:
    for name in ("", *lists()):
        versions = pinned(name, system, python)
        assert {package: found for package, found in versions.items() if len(found) > 1} == {}
        for each in listed(name):
            if each.marker is None or each.marker.evaluate(environment(system, python)):
                (version,) = versions[canonicalize_name(each.name)]
                assert each.specifier.contains(version), f"{each}: {version} is pinned in {lock_path(name).name}"


def test_all_locks_hold_the_same_versions() -> None:
    """So that one environment can hold them all."""
    python = PYTHONS[-1]
    versions: dict[str, set[str]] = {}
    for name in lists():
        for package, found in pinned(name, "Linux x86-64", python).items():
            versions.setdefault(package, set()).update(found)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_every_further_lock_includes_the_core() -> None:
    names = {path.name for path in Path(lock_path("")).parent.glob("requirements*.txt")}
    assert names == {lock_path(name).name for name in ("", *lists())}
    for name in lists():
        lines = lock_path(name).read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if line.startswith("-")] == ["-r requirements.txt"]


def test_what_only_an_extra_needs_is_not_in_the_core() -> None:
    core = pinned("", "Linux x86-64", PYTHONS[0])
    assert {canonicalize_name(package) for package in EXTRAS} & set(core) == set()
    for package, extra in EXTRAS.items():
        assert canonicalize_name(package) in {each.name for each in listed(extra)}
        assert canonicalize_name(package) in pinned(extra, "Linux x86-64", PYTHONS[0])


def test_a_pin_without_a_wheel_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    monkeypatch.setattr(locks, "lists", dict)
    pins = ["pure==1", "compiled==2", "linux-only==3 ; sys_platform == 'linux'", "old==4", "source==5"]
    (tmp_path / "requirements.txt").write_text("# made\n" + "\n".join(pins) + "\n", encoding="utf-8")
    wheels = ["cp311-cp311-manylinux_2_28_x86_64", "cp311-abi3-manylinux2014_aarch64", "cp312-cp312-macosx_11_0_arm64"]
    rows = missing(
        {
            ("pure", "1"): (["pure-1-py3-none-any.whl"], False),
            ("compiled", "2"): ([f"compiled-2-{tag}.whl" for tag in wheels], True),
            ("linux-only", "3"): (["linux_only-3-cp311-abi3-manylinux_2_28_x86_64.whl"], False),
            ("old", "4"): (["old-4-py3-none-any.whl"], True),
            ("source", "5"): ([], True),
        }
    )
    everywhere = {system: ["3.11", "3.12", "3.13"] for system in SYSTEMS}
    lacking = {
        "Linux x86-64": ["3.12", "3.13"],
        "macOS arm64": ["3.11", "3.13"],
        "macOS x86-64": ["3.11", "3.12", "3.13"],
    }
    assert rows == [
        ("requirements.txt", "compiled 2", "source", lacking),
        ("requirements.txt", "linux-only 3", "nothing", {"Linux arm64": ["3.11", "3.12", "3.13"]}),
        ("requirements.txt", "source 5", "source", everywhere),
    ]
    assert (
        table(rows).splitlines()[2] == "| compiled 2 | `requirements.txt` | 3.12, 3.13 |  | 3.11, 3.13 | all | source |"
    )


def test_the_manual_speaks_of_the_versions_that_are_pinned() -> None:
    found = TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found
    rows = re.findall(r"^\| (\S+) (\S+) \| `(\S+)` \|", found[0], re.MULTILINE)
    assert len(rows) > 3
    for package, version, lock in rows:
        pins = [line.split(" ")[0] for line in read_lock(lock_path("").with_name(lock))]
        assert f"{package}=={version}" in pins, "run `make platforms`"
