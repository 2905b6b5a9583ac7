import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from stages.bundle.card import ClassifierCard
from stages.bundle.reference import make_reference
from stages.predict.classifier import Classifier
from stages.serve.answerer import Answerer
from stages.serve.api import make_app
from stages.serve.limits import Limits, Rate

SIZE = 32
RED, BLUE, BLACK = (250, 20, 20), (20, 20, 250), (0, 0, 0)
MakeClient = Callable[..., TestClient]


def forward(images: np.ndarray) -> np.ndarray:
    """Features: the mean colour; output: how red. Red is malignant, blue benign."""
    colour = images.mean(axis=(1, 2)) / 255
    probability = 1 / (1 + np.exp(-4 * (colour[:, :1] - colour[:, 2:])))
    return np.concatenate([colour, probability], axis=1).astype(np.float32)


def make_card(**changes: Any) -> ClassifierCard:
    level = {"threshold": 0.5, "temperature": 1.0}
    content = {
        "format": 1,
        "model": "resnet50v2",
        "variant": None,
        "weights": "random",
        "dataset": "phantom",
        "phantom": True,
        "layout": "breakhis",
        "classes": ["Benign", "Malignant"],
        "positive": "Malignant",
        "image_size": SIZE,
        "resize": "squash",
        "preprocess": {"stain": "none", "clip_limit": 0.0, "denoise": 0.0, "target": None},
        "image": level,
        "patient": level,
        "sets": {"coverage": 0.9, "image": 0.3, "patient": 0.3, "n_patients": 20},
        "unlike": {
            "neighbours": 3,
            "quantile": 0.99,
            "distance": 0.5,
            "validation_flagged": 0.01,
            "test_flagged": 0.02,
        },
        "versions": {"python": "3.11"},
    }
    return ClassifierCard.model_validate(content | changes)


def make_classifier() -> Classifier:
    colours = np.array([RED, BLUE], np.float32).repeat(6, axis=0)
    images = [f"{'Benign' if row >= 6 else 'Malignant'}/{row}.png" for row in range(12)]
    labels = np.array([1] * 6 + [0] * 6)
    return Classifier(make_card(), make_reference(colours, images, labels), forward, 16, None)


def explain(images: np.ndarray, called: np.ndarray) -> np.ndarray:
    """The left half speaks for the class."""
    maps = np.zeros(images.shape[:3], np.float32)
    maps[:, :, : SIZE // 2] = 1
    return maps


def make_picture(colour: tuple[int, int, int] = RED, size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    written = BytesIO()
    Image.new("RGB", size, colour).save(written, **({"format": "PNG"} | options))
    return written.getvalue()


def as_files(*contents: bytes, name: str = "a.png") -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("images", (name, content, "image/png")) for content in contents]


def make_answerer(limits: Limits | None = None) -> Answerer:
    return Answerer(make_classifier(), explain, limits or Limits())


@pytest.fixture(scope="session")
def make_client() -> MakeClient:
    """``make_client(images=2)`` is a client of an API with these limits; none of a minute unless given."""

    def make(per_minute: int = 1_000_000, **limits: Any) -> TestClient:
        app = make_app(make_answerer(Limits(**limits)), Rate(per_minute))
        return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)

    return make


@pytest.fixture(scope="module")
def client(make_client: MakeClient) -> TestClient:
    return make_client()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve from a thread; gives the address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
