"""One line on what computes here."""

import os
import re
from importlib.metadata import PackageNotFoundError

import pytest

from bycase.core import machine
from bycase.core.machine import core_count, count, describe, describe_machine


def test_the_line_names_python_tensorflow_cores_and_cards() -> None:
    line = describe([], cuda=False)
    assert re.fullmatch(r"Python 3\.1[123], TensorFlow \d+\.\d+, \d+ cores?, no GPU", line)
    assert describe(["H100", "H100"], cuda=True).endswith(", H100, H100")
    assert describe(["H100"], cuda=False).endswith(", H100 not in use (make repro GPU=1 installs what it needs)")


def test_cores_are_counted_where_the_system_does_not_say_which_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= core_count() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert core_count() == 7
    assert (count(1, "core"), count(7, "core")) == ("1 core", "7 cores")


def test_the_line_names_jax_where_there_is_no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package == "jax":
            return "0.10.2"
        raise PackageNotFoundError

    monkeypatch.setattr(machine, "version", version)
    assert ", JAX 0.10, " in describe([], cuda=False)


def test_processor_cores_and_memory_are_named() -> None:
    words = describe_machine()
    assert re.search(r", \d+ cores?, \d+ GiB memory, ", words)
