from pathlib import Path
from typing import Any

import pytest

from bycase.tables.cost import cost_of, read_times, sizes_of, write_times

MODEL_INFO: dict[str, Any] = {"model": "vgg16", "parameters": 10, "flops": 100, "network_sha256": "a"}


def test_measurements_of_a_file_add_up_and_stay_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_times("a") == {}
    write_times("a", {"training_seconds": 2.0})
    write_times("a", {"inference_images_per_second": 9.0})
    write_times("b", {"training_seconds": 5.0})
    assert read_times("a") == {"training_seconds": 2.0, "inference_images_per_second": 9.0}


def test_size_is_the_networks_whatever_else_is_known_of_it() -> None:
    assert sizes_of(MODEL_INFO) == {"parameters": 10, "flops": 100}


def test_a_network_that_was_restored_does_not_get_another_ones_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recorded = {"network_sha256": "b", "machine": "a machine", "parameters": 20, "training_seconds": 5.0}
    assert cost_of(MODEL_INFO, recorded) == {"parameters": 10, "flops": 100}
    write_times("a", {"training_seconds": 2.0, "machine": "this one"})
    assert cost_of(MODEL_INFO, recorded) == {"parameters": 10, "flops": 100, "training_seconds": 2.0}
    recorded["network_sha256"] = "a"
    assert cost_of(MODEL_INFO, recorded)["training_seconds"] == 5.0


def test_runs_of_before_say_it_all_in_one_file() -> None:
    assert cost_of({"model": "vgg16"}, {"parameters": 20, "training_seconds": 5.0}) == {
        "parameters": 20,
        "training_seconds": 5.0,
    }
