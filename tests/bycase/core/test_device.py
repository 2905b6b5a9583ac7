"""What follows from a machine's GPUs, as the backends would tell them."""

import gc
import json
import logging
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from bycase.core import device
from bycase.core.device import Gpu, choose_precision, find_gpus, log_devices
from bycase.core.machine import core_count, count

P100, V100, T4, A100, H100 = (Gpu("card", version) for version in ((6, 0), (7, 0), (7, 5), (8, 0), (9, 0)))
UNKNOWN = Gpu("another maker's", (0, 0))


@pytest.mark.parametrize(
    ("gpus", "precision"),
    [
        ([], "float32"),
        ([UNKNOWN], "float32"),
        ([P100], "float32"),
        ([V100], "mixed_float16"),
        ([T4], "mixed_float16"),
        ([A100], "mixed_bfloat16"),
        ([H100, H100], "mixed_bfloat16"),
        ([H100, T4], "mixed_float16"),
        ([H100, P100], "float32"),
    ],
)
def test_automatic_precision_is_what_the_oldest_gpu_is_fast_in(gpus: list[Gpu], precision: str) -> None:
    assert choose_precision("auto", gpus) == precision


@pytest.mark.parametrize("wanted", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("gpus", [[], [H100]])
def test_a_precision_that_is_asked_for_is_taken(wanted: str, gpus: list[Gpu]) -> None:
    assert choose_precision(wanted, gpus) == wanted


@pytest.mark.parametrize(
    ("devices", "gpus"),
    [
        ([types.SimpleNamespace(platform="cpu", device_kind="cpu")], ()),
        (
            [types.SimpleNamespace(platform="gpu", device_kind="NVIDIA H100", compute_capability="9.0")],
            (Gpu("NVIDIA H100", (9, 0)),),
        ),
        (
            [types.SimpleNamespace(platform="gpu", device_kind="Radeon", compute_capability="gfx90a")],
            (Gpu("Radeon", (0, 0)),),
        ),
    ],
)
def test_gpus_of_jax(monkeypatch: pytest.MonkeyPatch, devices: list[object], gpus: tuple[Gpu, ...]) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setitem(sys.modules, "jax", types.SimpleNamespace(local_devices=lambda: devices))  # type: ignore[arg-type]
    assert find_gpus.__wrapped__() == gpus


def test_gpus_of_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    cards = {
        "a": {"device_name": "Tesla T4", "compute_capability": (7, 5)},
        "b": {},  # as of other makers
    }
    listed = [types.SimpleNamespace(name=name) for name in cards]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: listed)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda card: cards[card.name])
    assert find_gpus.__wrapped__() == (Gpu("Tesla T4", (7, 5)), Gpu("b", (0, 0)))


def test_gpu_memory_is_to_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    grown: list[tuple[str, bool]] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu 0", "gpu 1"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda card, on: grown.append((card, on)))
    device.load_backend()
    assert grown == [("gpu 0", True), ("gpu 1", True)]


def test_devices_are_logged_once_a_process(caplog: pytest.LogCaptureFixture) -> None:
    log_devices.cache_clear()
    with caplog.at_level(logging.INFO):
        log_devices()
        log_devices()
    (line,) = [record.getMessage() for record in caplog.records if "sees" in record.getMessage()]
    assert re.fullmatch(rf"TensorFlow \d\S+ sees {count(core_count(), 'core')}, .+", line)


@pytest.mark.parametrize(
    ("missing", "backend", "words"),
    [
        ("tensorflow", "tensorflow", "TensorFlow is not installed.*set KERAS_BACKEND to jax where JAX"),
        ("jax", "jax", "JAX is not installed.*set KERAS_BACKEND to tensorflow where TensorFlow"),
    ],
)
def test_a_backend_that_is_missing_is_one_line(missing: str, backend: str, words: str) -> None:
    script = (
        "import sys\nclass Missing:\n    def find_spec(name, *_):\n"
        f"        if name == {missing!r}: raise ModuleNotFoundError('none', name=name)\n"
        "sys.meta_path.insert(0, Missing)\n"
        "from bycase.core.command import run_stage\nfrom bycase.core.seeding import make_deterministic\n"
        "run_stage('toy', lambda: make_deterministic(1))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert re.fullmatch(f"toy: error: {words}.*\n", ended.stderr)


def test_packages_that_are_left_out_can_be_imported_afterwards() -> None:
    sys.modules.pop("wave", None)
    with device.left_out(["wave", "json"]):
        with pytest.raises(ImportError):
            __import__("wave")
        assert __import__("json") is json
    assert "wave" not in sys.modules
    assert __import__("wave").open


def test_garbage_is_collected_again_once_all_is_loaded() -> None:
    assert gc.isenabled()
    with device.nothing_collected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_backend_starts_without_what_nothing_here_uses() -> None:
    code = """
import sys
from bycase.core import device
device.load_backend()
assert "tensorflow" in sys.modules
print(*(name for name in ("cv2", "matplotlib", "sklearn") if name in sys.modules))
import cv2, matplotlib, scipy.sparse, sklearn.linear_model
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
