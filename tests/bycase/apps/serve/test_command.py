"""The command: where it listens, and what it says of it."""

import logging
import socket
from typing import Any

import numpy as np
import pytest

from bycase.apps.serve import command
from bycase.apps.serve.examples import DRAW, draw_examples
from bycase.core.errors import UserError
from tests.fixtures.serve import make_classifier


def test_a_port_in_use_is_said_before_anything_is_loaded() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UserError, match="in use; choose another"):
            command.check_port("127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 0), ("127.0.0.1", 65536), ("256.1.1.1", 8080)])
def test_an_address_that_is_none_is_refused(host: str, port: int) -> None:
    with pytest.raises(UserError):
        command.check_port(host, port)


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
def test_other_than_loopback_is_warned_of(
    host: str, warned: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(command, "check_port", lambda *_: None)
    monkeypatch.setattr("bycase.apps.classifier.classifier.load_classifier", lambda _: make_classifier())
    monkeypatch.setattr("bycase.apps.serve.page.add_page", lambda *_: None)
    monkeypatch.setattr("uvicorn.run", lambda *_, **options: served.append((options["host"], options["port"])))
    caplog.set_level(logging.WARNING)
    command.main(["--host", host])
    assert served == [(host, 8080)]
    assert ("everyone who reaches this computer" in caplog.text) == warned


@pytest.mark.parametrize("layout", DRAW)
def test_examples_are_of_every_class_and_one_of_another_kind(layout: str) -> None:
    examples = draw_examples(layout)
    assert len(examples) >= 4
    assert examples[-1].name == "another kind of image"
    assert all(each.image.shape[2] == 3 and each.image.dtype == np.uint8 for each in examples)
    assert len({each.image.tobytes() for each in examples}) == len(examples)
