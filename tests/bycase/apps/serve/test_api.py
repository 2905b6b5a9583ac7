"""What the API predicts, refuses and never repeats."""

import base64
import io
import json
import logging
import socket
import tempfile
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image, PngImagePlugin

from bycase.apps.serve.api import make_app
from bycase.apps.serve.guard import HEADERS
from bycase.apps.serve.limits import Limits, Rate
from tests.fixtures.serve import (
    BLACK,
    BLUE,
    RED,
    SIZE,
    MakeClient,
    as_files,
    make_classifier,
    make_picture,
    make_service,
    running,
)

PREDICT = "/api/predict"
PATIENT = "Doe^Jane"


def error_of(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    content = response.json()
    assert set(content) == {"error"}
    assert set(content["error"]) == {"code", "message"}
    return str(content["error"]["code"])


def test_the_predictions_are_the_classifiers(client: TestClient) -> None:
    contents = [make_picture(RED), make_picture(BLUE), make_picture(BLACK)]
    content = client.post(PREDICT, files=as_files(*contents)).json()
    assert content["notice"] == "Research use, not a diagnosis"
    assert content["unanswered"] == []
    images = [np.full((30, 40, 3), colour, np.uint8) for colour in (RED, BLUE, BLACK)]
    expected = make_classifier().predict(images, views=4)
    for row, answer in enumerate(content["answers"]):
        assert answer["image"] == f"image {row + 1}"
        assert list(answer["probabilities"].values()) == pytest.approx(expected.probabilities[row])
        assert (answer["low"], answer["high"]) == pytest.approx((expected.low[row], expected.high[row]))
        assert answer["distance"] == pytest.approx(expected.distance[row])
    assert [answer["class"] for answer in content["answers"]] == ["Malignant", "Benign", "Malignant"]
    assert [answer["set"] for answer in content["answers"]] == [["Malignant"], ["Benign"], ["Benign", "Malignant"]]
    assert [answer["unlike"] for answer in content["answers"]] == [False, False, True]
    assert {near["label"] for near in content["answers"][0]["similar"]} == {"Malignant"}
    assert {near["label"] for near in content["answers"][1]["similar"]} == {"Benign"}
    assert all(answer["heatmap"] is None for answer in content["answers"])


def test_heatmaps_are_sent_when_asked_for(client: TestClient) -> None:
    content = client.post(PREDICT, params={"heatmaps": True}, files=as_files(make_picture(RED))).json()
    with Image.open(from_uri(content["answers"][0]["heatmap"])) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (SIZE, SIZE, 3)
    assert tuple(pixels[0, 0]) == (253, 231, 37)  # viridis' last colour, on the left half
    assert tuple(pixels[0, -1]) == (68, 1, 84)


def from_uri(uri: str) -> io.BytesIO:
    assert uri.startswith("data:image/png;base64,")
    return io.BytesIO(base64.b64decode(uri.split(",")[1]))


def test_one_bad_file_does_not_spoil_the_others(client: TestClient) -> None:
    content = client.post(PREDICT, files=as_files(b"no image", make_picture(BLUE))).json()
    assert [answer["image"] for answer in content["answers"]] == ["image 2"]
    assert content["answers"][0]["class"] == "Benign"
    assert [(each["image"], each["error"]["code"]) for each in content["unanswered"]] == [("image 1", "unreadable")]


def test_every_limit_has_its_error(make_client: MakeClient) -> None:
    picture = make_picture()
    limited = make_client(per_minute=6, images=2, image_bytes=len(picture), request_bytes=3000, pixels=1200)
    assert error_of(limited.post(PREDICT, files=as_files(picture, picture, picture)), 413) == "too_many_images"
    assert error_of(limited.post(PREDICT, files=as_files(picture + b"0")), 413) == "image_too_large"
    assert error_of(limited.post(PREDICT, files=as_files(make_picture(size=(40, 31)))), 413) in (
        "too_many_pixels",
        "image_too_large",
    )
    assert error_of(limited.post(PREDICT, files=as_files(bytes(4000))), 413) == "too_large"
    assert error_of(limited.post(PREDICT, content=iter([bytes(2000)] * 2)), 413) == "too_large"
    assert limited.post(PREDICT, files=as_files(picture, picture)).status_code == 200
    refused = limited.post(PREDICT, files=as_files(picture))
    assert error_of(refused, 429) == "too_many_requests"
    assert refused.headers["retry-after"] == "60"
    assert limited.get("/healthz").json() == {"status": "ok"}


def test_pixels_are_counted_before_they_are_decoded(make_client: MakeClient) -> None:
    # A header that claims 60,000 x 60,000 pixels, as a decompression bomb's does.
    bomb = bytearray(make_picture())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    assert error_of(make_client().post(PREDICT, files=as_files(bytes(bomb))), 413) == "too_many_pixels"
    few = make_client(pixels=1199)
    assert error_of(few.post(PREDICT, files=as_files(make_picture())), 413) == "too_many_pixels"


def test_the_rate_forgets_after_a_minute() -> None:
    now = [0.0]
    rate = Rate(2, lambda: now[0])
    rate.take("a"), rate.take("a"), rate.take("b")
    with pytest.raises(Exception, match="more than 2 requests a minute"):
        rate.take("a")
    now[0] = 60.0
    rate.take("a")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "POST", "url": PREDICT}, 422),
        ({"method": "POST", "url": PREDICT, "data": {"images": "text"}}, 422),
        ({"method": "POST", "url": PREDICT, "json": {"images": PATIENT}}, 422),
        ({"method": "POST", "url": PREDICT, "files": as_files(b"")}, 422),
        ({"method": "POST", "url": PREDICT, "files": [("other", ("a", b"x"))]}, 422),
        ({"method": "POST", "url": f"{PREDICT}?heatmaps={PATIENT}", "files": as_files(make_picture())}, 422),
        (
            {
                "method": "POST",
                "url": PREDICT,
                "content": b"--x\r\n",
                "headers": {"content-type": "multipart/form-data"},
            },
            400,
        ),
        ({"method": "GET", "url": PREDICT}, 405),
        ({"method": "POST", "url": "/api/model"}, 405),
        ({"method": "GET", "url": "/api/elsewhere"}, 404),
        ({"method": "GET", "url": "/healthz", "headers": {"host": "evil.example"}}, 421),
        ({"method": "GET", "url": "/healthz", "headers": {"host": "[::1"}}, 421),
        ({"method": "POST", "url": PREDICT, "headers": {"origin": "http://evil.example"}}, 403),
    ],
)
def test_mistakes_are_answered_in_json(client: TestClient, request_: dict[str, Any], status: int) -> None:
    response = client.request(**request_)
    error_of(response, status)
    assert PATIENT not in response.text
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_a_defect_shows_no_traceback(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    service = make_service()

    def fail(*_: Any) -> None:
        raise ZeroDivisionError(PATIENT)

    monkeypatch.setattr(service, "predict_files", fail)
    client = TestClient(make_app(service, Rate(9)), base_url="http://localhost", raise_server_exceptions=False)
    response = client.post(PREDICT, files=as_files(make_picture()))
    assert error_of(response, 500) == "defect"
    assert "Zero" not in response.text
    assert "ZeroDivisionError" in caplog.text
    assert "Doe" not in caplog.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_nothing_that_names_a_patient_comes_back(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x0112] = PATIENT, PATIENT, 6
    text = PngImagePlugin.PngInfo()
    text.add_text("PatientName", PATIENT)
    dicom = bytes(128) + b"DICM\x10\x00\x10\x00PN\x08\x00" + PATIENT.encode()
    files = [
        ("images", (f"{PATIENT}.jpg", make_picture(format="JPEG", exif=exif), f"image/{PATIENT}")),
        ("images", (f"../../{PATIENT}.png", make_picture(pnginfo=text), "image/png")),
        ("images", (f"{PATIENT}.dcm", dicom, "application/dicom")),
    ]
    caplog.set_level(logging.INFO)
    response = client.post(PREDICT, params={"heatmaps": True}, files=files)
    content = response.json()
    assert [answer["image"] for answer in content["answers"]] == ["image 1", "image 2"]
    assert content["answers"][0]["notes"] == ["turned as its EXIF says", "of one colour"]
    for word in ("Doe", "Jane", "dcm", ".."):
        assert word not in response.text.replace("...", "")
        assert word not in str(response.headers)
    # httpx, the test's own client, is not the server.
    assert "Doe" not in "".join(each.getMessage() for each in caplog.records if not each.name.startswith("http"))
    for answer in content["answers"]:
        assert b"Doe" not in from_uri(answer["heatmap"]).getvalue()


def test_nothing_is_written_to_disk(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).save(written, "PNG")
    assert len(written.getvalue()) > 2_000_000  # beyond what Starlette keeps in memory by default
    response = make_client().post(PREDICT, files=as_files(written.getvalue()))
    assert response.status_code == 200
    assert list(tmp_path.iterdir()) == []


def test_the_model_says_what_it_is(client: TestClient) -> None:
    content = client.get("/api/model").json()
    assert content["notice"] == "Research use, not a diagnosis"
    assert (content["dataset"], content["phantom"], content["classes"]) == ("phantom", True, ["Benign", "Malignant"])
    assert (content["coverage"], content["unlike_from"], content["heatmaps"]) == (0.9, 0.5, True)


def test_the_description_is_whole_and_loads_nothing(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) == {"/api/predict", "/api/model", "/healthz"}
    assert {"200", "413", "422", "429"} <= set(description["paths"][PREDICT]["post"]["responses"])
    assert "HTTPValidationError" not in json.dumps(description)
    assert client.get("/docs").status_code == 404


def test_twenty_clients_at_once_each_get_their_own_prediction() -> None:
    colours = [RED, BLUE]
    start = threading.Barrier(20)
    with running(make_app(make_service(), Rate(1_000_000))) as address:

        def ask(number: int) -> list[str]:
            start.wait()
            with httpx.Client() as one:
                files = as_files(make_picture(colours[number % 2], (20 + number, 30)))
                answers = [one.post(f"{address}{PREDICT}", files=files, timeout=60).json() for _ in range(5)]
            return [answer["answers"][0]["class"] for answer in answers]

        with ThreadPoolExecutor(20) as pool:
            got = list(pool.map(ask, range(20)))
    assert got == [[("Malignant", "Benign")[number % 2]] * 5 for number in range(20)]


def test_too_many_at_once_are_told_to_wait() -> None:
    service = make_service(Limits(at_once=1))
    waiting, go_on = threading.Event(), threading.Event()
    predict_files = service.predict_files

    def slow(*arguments: Any) -> Any:
        waiting.set()
        go_on.wait(20)
        return predict_files(*arguments)

    service.predict_files = slow  # type: ignore[method-assign]
    files = as_files(make_picture())
    with running(make_app(service, Rate(100))) as address, ThreadPoolExecutor(1) as pool:
        first = pool.submit(httpx.post, f"{address}{PREDICT}", files=files, timeout=60)
        assert waiting.wait(20)
        assert error_of(httpx.post(f"{address}{PREDICT}", files=files), 503) == "busy"
        go_on.set()
        assert first.result().status_code == 200


def test_a_slow_body_is_not_waited_for() -> None:
    with running(make_app(make_service(Limits(seconds=0.2)), Rate(100))) as address:
        port = int(address.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
            assert b" 408 " in connection.recv(100)
