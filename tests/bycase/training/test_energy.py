import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bycase.training import energy as energy_module
from bycase.training.energy import (
    Counter,
    EnergyLog,
    EnergyMeter,
    after_each,
    energy_log,
    find_counters,
    sum_energy,
)


@dataclass
class Ticks:
    """A counter that shows given values one after another, the last one for ever."""

    values: list[int] = field(default_factory=list)

    def __call__(self) -> int:
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]


def meter(*values: int, span: int = 0, source: str = "cpu") -> EnergyMeter:
    return EnergyMeter([Counter(source, Ticks(list(values)), 1e-6, span)])


def test_a_counter_that_begins_again_loses_nothing() -> None:
    assert meter(9_000_000, 1_000_000, span=10_000_000).read() == {"cpu": pytest.approx(2.0)}
    again = meter(5, 8, 2, 9, span=10)
    assert [again.read()["cpu"] for _ in range(3)] == pytest.approx([3e-6, 7e-6, 14e-6])


def test_a_meter_without_counters_says_nothing() -> None:
    assert EnergyMeter([]).read() == {}
    assert sum_energy([{}, {}]) == {}


def powercap(folder: Path, zones: dict[str, tuple[str, int]]) -> Path:
    for zone, (name, microjoules) in zones.items():
        (folder / zone).mkdir(parents=True)
        (folder / zone / "name").write_text(f"{name}\n")
        (folder / zone / "energy_uj").write_text(f"{microjoules}\n")
        (folder / zone / "max_energy_range_uj").write_text("262143328850\n")
    return folder


def test_sockets_and_memory_count_once_and_no_part_of_them_again(tmp_path: Path) -> None:
    zones = {
        "intel-rapl:0": ("package-0", 1),
        "intel-rapl:0:0": ("core", 10),
        "intel-rapl:0:1": ("dram", 100),
        "intel-rapl:1": ("psys", 1000),
        "intel-rapl-mmio:0": ("package-0", 10_000),
    }
    counters = find_counters(False, powercap(tmp_path, zones))
    assert sum(counter.read() for counter in counters) == 101
    assert {counter.source for counter in counters} == {"cpu"}
    assert counters[0].span == 262143328850


def test_counters_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    place = powercap(tmp_path, {"intel-rapl:0": ("package-0", 1), "intel-rapl:1": ("package-1", 1)})
    (place / "intel-rapl:1/energy_uj").unlink()
    assert find_counters(False, place) == []
    assert find_counters(False, tmp_path / "absent") == []


def test_the_energy_of_a_card_that_cannot_be_read_is_not_that_of_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = powercap(tmp_path, {"intel-rapl:0": ("package-0", 1)})
    monkeypatch.setattr("bycase.training.energy._card_counters", lambda: None)
    assert find_counters(True, place) == []
    monkeypatch.setattr("bycase.training.energy._card_counters", lambda: [Counter("gpu", lambda: 5, 1e-3)])
    assert [counter.source for counter in find_counters(True, place)] == ["cpu", "gpu"]


def fake_cards(readable: bool) -> ModuleType:
    """NVML with two cards, 3 J on the first and 4 J on the second."""
    module = ModuleType("pynvml")

    class NVMLError(Exception):
        pass

    def total(handle: int) -> int:
        if not readable:
            raise NVMLError
        return 3000 + 1000 * handle

    module.NVMLError, module.nvmlInit, module.nvmlDeviceGetCount = NVMLError, lambda: None, lambda: 2
    module.nvmlDeviceGetHandleByIndex, module.nvmlDeviceGetHandleByUUID = lambda number: number, lambda name: 1
    module.nvmlDeviceGetTotalEnergyConsumption = total
    return module


@pytest.mark.parametrize(("visible", "joules"), [(None, [3, 4]), ("0", [3]), ("GPU-8f6d", [4]), ("1,0", [4, 3])])
def test_the_cards_in_use_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, joules: list[int]
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_cards(True))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    counters = find_counters(True, tmp_path)
    assert [counter.joules(0, counter.read()) for counter in counters] == pytest.approx(joules)


def test_a_card_without_a_counter_leaves_the_energy_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_cards(False))
    place = powercap(tmp_path, {"intel-rapl:0": ("package-0", 1)})
    assert find_counters(True, place) == []


def log(path: Path, epochs: int, *values: int) -> EnergyLog:
    return EnergyLog(path, "training", epochs, meter(0, 0, *values))


def test_an_interrupted_training_adds_up_its_finished_epochs(tmp_path: Path) -> None:
    path = tmp_path / "energy.json"
    first = log(path, 0, 1_000_000, 3_000_000, 7_000_000)
    for _ in range(3):
        first.add_epoch()
    # Killed before the checkpoint of the third epoch, which is done again.
    second = log(path, 2, 5_000_000)
    second.add_epoch()
    assert second.total() == {"energy_joules": 8.0, "energy_cpu_joules": 8.0}
    assert json.loads(path.read_text())["epochs"] == [{"cpu": 1.0}, {"cpu": 2.0}, {"cpu": 5.0}]


def test_energy_is_not_said_where_an_epoch_was_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "energy.json"
    unknown = log(path, 2, 1_000_000)
    unknown.add_epoch()
    assert unknown.total() == {}
    EnergyLog(path, "training", 0, EnergyMeter([])).add_epoch()
    elsewhere = log(path, 1, 1_000_000)
    elsewhere.add_epoch()
    assert elsewhere.total() == {}
    assert EnergyLog(path, "another", 0, meter(0, 0)).total() == {}


def test_each_report_ends_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy_module, "find_counters", lambda gpu: [Counter("cpu", Ticks([0, 0, 2_000_000]), 1e-6)])
    rows: list[dict[str, Any]] = []
    with energy_log("training", 0, tmp_path / "energy.json") as energy:
        after_each(rows.append, energy)({"epoch": 1})
        assert energy.total()["energy_joules"] == 2.0
    assert rows == [{"epoch": 1}]
