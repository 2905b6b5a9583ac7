"""A project folder to run the stage in, and a stand-in for Kaggle on this machine."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
STAGE = [sys.executable, "-m", "stages.download"]

Configure = Callable[..., None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project as the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def configure(project: Path) -> Configure:
    """Writes `params.yaml` with BreakHis as the data set and the given changes to its entry."""

    def write(**changes: Any) -> None:
        params = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
        params["dataset"] = "breakhis"
        params["datasets"]["breakhis"] |= changes
        (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")

    return write


@dataclass
class Kaggle:
    """What the stand-in answers, and what it was asked."""

    archive: bytes = b""
    refusal: int | None = None  # HTTP status instead of the archive
    token_is_active: bool = True
    stalls_after: int | None = None  # bytes of the archive after which nothing more comes
    requests: list[str] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)


class KaggleHandler(BaseHTTPRequestHandler):
    """Answers as Kaggle does: the download is a redirection to a storage that knows ranges."""

    protocol_version = "HTTP/1.1"
    kaggle: Kaggle

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        method = self.path.rsplit("/", 1)[-1]
        self.kaggle.requests.append(method)
        if method == "IntrospectToken":
            self._answer(200, {"active": self.kaggle.token_is_active, "username": "tester"})
        elif self.kaggle.refusal:
            self._answer(self.kaggle.refusal, {"code": self.kaggle.refusal, "message": "no\nway"})
        else:
            self.send_response(302)
            self.send_header("Location", "http://localhost/storage")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.kaggle.requests.append(f"GET {asked}".strip())
        start = int(asked.removeprefix("bytes=").removesuffix("-") or 0)
        content = self.kaggle.archive[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"one"')
        self.send_header("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(content[: self.kaggle.stalls_after])
        if self.kaggle.stalls_after is not None:
            self.kaggle.stalled.set()
            self.kaggle.closing.wait(20)
            self.close_connection = True

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder, an environment without Kaggle, and a client that is imported anew."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("KAGGLE_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(folder))
    yield folder
    # The client reads its environment when imported.
    for name in [name for name in sys.modules if name.split(".")[0] == "kaggle"]:
        del sys.modules[name]


@pytest.fixture
def kaggle(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    """Kaggle on 127.0.0.1: the client is told to use http://localhost, by way of a proxy."""
    state = Kaggle()
    handler = type("Handler", (KaggleHandler,), {"kaggle": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    yield state
    state.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def start_stage(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], "subprocess.Popen[str]"]:
    """Starts the stage's command in the project."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(STAGE, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start
