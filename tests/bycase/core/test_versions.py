import logging

import pytest

from bycase.core.versions import RUNTIME, installed_versions, warn_of_other_versions


def test_a_package_that_is_not_installed_is_left_out() -> None:
    assert set(installed_versions(["numpy", "no-such-package"])) == {"numpy"}


def test_another_minor_version_warns_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    here = installed_versions(RUNTIME)
    major, minor, *_ = here["keras"].split(".")
    warn_of_other_versions(
        here | {"keras": f"{major}.{int(minor) + 1}.0", "tensorflow": "1.15.5"}, "models/model.keras"
    )
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    message = record.getMessage()
    assert f"models/model.keras was made with tensorflow 1.15.5 (here {here['tensorflow']}), keras" in message
    assert "numpy" not in message


def test_the_same_another_patch_or_no_known_version_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    here = installed_versions(RUNTIME)
    patch = {package: ".".join([*version.split(".")[:2], "999"]) for package, version in here.items()}
    for made_with in (here, patch, {}, {"pandas": "0.1"}):
        warn_of_other_versions(made_with, "models/model.keras")
    assert caplog.records == []
