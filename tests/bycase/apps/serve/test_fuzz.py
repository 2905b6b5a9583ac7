"""Requests that nobody would send on purpose: no 500, no traceback, no memory kept."""

import io
import math
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from PIL import Image
from schemathesis.checks import CHECKS, load_all_checks

from bycase.apps.serve.api import make_app
from bycase.apps.serve.limits import Limits, Rate
from tests.fixtures.serve import as_files, make_picture, make_service

FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
NAMES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
OPERATIONS = (("POST", "/api/predict"), ("GET", "/api/model"), ("GET", "/healthz"))
load_all_checks()
chosen = CHECKS.get_by_names(NAMES)


def damaged_files(seed: int = 0) -> Iterator[bytes]:
    """Pictures of every format cut, altered or with something put in, and files that are none."""
    rng = np.random.default_rng(seed)
    noise = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    for kind in FORMATS:
        written = io.BytesIO()
        noise.save(written, kind)
        whole = written.getvalue()
        for end in np.linspace(1, len(whole) - 1, 12, dtype=int):
            yield whole[:end]
        for _ in range(14):
            # Headers, where sizes and offsets stand, are hit as often as all the rest.
            altered = np.frombuffer(whole, np.uint8).copy()
            span = 64 if rng.random() < 0.5 else len(altered)
            altered[rng.integers(0, span, rng.integers(1, 9))] = rng.integers(0, 256)
            yield altered.tobytes()
        for _ in range(8):
            place = int(rng.integers(0, len(whole)))
            yield whole[:place] + rng.bytes(int(rng.integers(1, 400))) + whole[place:]
        yield whole[:8] + rng.bytes(2000)
    for start in (b"", b"\0", b"%PDF-1.7", b"PK\x03\x04", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe"):
        yield start + rng.bytes(300 if start else 0)
    yield bytes(128) + b"DICM" + rng.bytes(300)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return make_app(make_service(Limits(seconds=60)), Rate(1_000_000_000), hosts=None)


def test_damaged_files_are_answered_or_refused(app: FastAPI) -> None:
    files = list(damaged_files())
    assert len(files) >= 200
    client = TestClient(app, base_url="http://localhost")  # which raises what the application does not handle
    refused = answered = 0
    for start in range(0, len(files), 16):
        batch = files[start : start + 16]
        response = client.post("/api/predict", params={"heatmaps": True}, files=as_files(*batch))
        assert response.status_code in (200, 413, 422), response.text
        assert "Traceback" not in response.text
        if response.status_code != 200:
            refused += len(batch)
            continue
        content = response.json()
        assert len(content["answers"]) + len(content["unanswered"]) == len(batch)
        for answer in content["answers"]:
            numbers = [*answer["probabilities"].values(), answer["low"], answer["high"], answer["distance"]]
            assert all(math.isfinite(number) for number in numbers)
        for each in content["unanswered"]:
            assert each["error"]["code"] in ("unreadable", "too_many_pixels")
            assert "0x" not in each["error"]["message"]
        refused += len(content["unanswered"])
        answered += len(content["answers"])
    assert refused > 80
    assert answered > 20


def fuzz(app: FastAPI, method: str, path: str, examples: int) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", app)[path][method]

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def hold(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=chosen)

    hold()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_description_holds(app: FastAPI, method: str, path: str) -> None:
    fuzz(app, method, path, 5)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_description_holds_for_long(app: FastAPI, method: str, path: str) -> None:
    fuzz(app, method, path, 500)


@pytest.mark.slow
def test_a_thousand_requests_keep_no_memory(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://localhost")
    picture, process = make_picture(size=(1000, 800), format="BMP"), psutil.Process()

    def send(n: int) -> int:
        for _ in range(n):
            client.post("/api/predict", params={"heatmaps": True}, files=as_files(picture, b"no image"))
        return int(process.memory_info().rss)

    before = send(100)
    after = send(1000)
    assert after - before < 20e6, f"{(after - before) / 1e6:.1f} MB more; each request was {len(picture) / 1e6:.1f} MB"
