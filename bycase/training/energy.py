"""The energy that the machine has used, as its processors and graphics cards count it.

Linux' powercap interface gives the counters of Intel's and AMD's processors (RAPL, with the memory where it has one
of its own), which only root may read on most machines; NVML gives those of NVIDIA's graphics cards from Volta on.
Each counts what its whole chip uses, other programs' share included. Where there is no counter, nothing is estimated.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bycase.core.files import write_json

Report = Callable[[dict[str, Any]], None]

ENERGY = Path("data/checkpoints/energy.json")
POWERCAP = Path("/sys/class/powercap")
READ_EVERY = 30.0  # seconds; a processor's counter may begin again after some ten minutes

GPU_UNITS = 1e-3  # joules of NVML's millijoules
CPU_UNITS = 1e-6  # joules of RAPL's microjoules


@dataclass(frozen=True)
class Counter:
    """One counter of energy.

    Attributes
    ----------
    source : {'cpu', 'gpu'}
        What it counts.
    read : callable
        Its present value in units of its own.
    unit : float
        Joules a unit.
    span : int
        From which value on it begins again at 0; 0: never.
    """

    source: str
    read: Callable[[], int]
    unit: float
    span: int = 0

    def joules(self, before: int, now: int) -> float:
        """The energy between two values, the counter having begun again at most once in between."""
        used = now - before
        return (used + self.span if used < 0 else used) * self.unit


class EnergyMeter:
    """Adds up what the counters count, from its construction until `close`; without counters it reads nothing."""

    def __init__(self, counters: list[Counter]) -> None:
        self._counters = counters
        self._last = [counter.read() for counter in counters]
        self._joules = {counter.source: 0.0 for counter in counters}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        if counters:
            threading.Thread(target=self._keep_reading, daemon=True).start()

    def read(self) -> Mapping[str, float]:
        """Joules since construction by source; a source without a counter is left out."""
        with self._lock:
            for position, counter in enumerate(self._counters):
                now = counter.read()
                self._joules[counter.source] += counter.joules(self._last[position], now)
                self._last[position] = now
            return dict(self._joules)

    def close(self) -> None:
        """Stop reading in the background."""
        self._closed.set()

    def _keep_reading(self) -> None:
        while not self._closed.wait(READ_EVERY):
            self.read()


def find_counters(gpu: bool, powercap: Path = POWERCAP) -> list[Counter]:
    """The counters of this machine that can be read.

    Empty where there is none, or where one of those that do the work cannot be read: some of the energy would pass for
    all of it.

    Parameters
    ----------
    gpu : bool
        Whether graphics cards do the work; those of ``CUDA_VISIBLE_DEVICES`` count.
    powercap : Path
        Where Linux lists the processors' counters.
    """
    processors = _processor_counters(powercap)
    cards = _card_counters() if gpu else []
    return [] if cards is None else [*processors, *cards]


def _processor_counters(powercap: Path) -> list[Counter]:
    """A counter a socket, and one for its memory; neither its cores alone nor the whole platform, which overlap."""
    counters = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text().strip()
            if not name.startswith("package") and name != "dram":
                continue
            span = _read_number(zone / "max_energy_range_uj")
            counter = Counter("cpu", partial(_read_number, zone / "energy_uj"), CPU_UNITS, span)
            counter.read()
        except (OSError, ValueError):
            return []
        counters.append(counter)
    return counters


def _read_number(path: Path) -> int:
    return int(path.read_text())


def _card_counters() -> list[Counter] | None:
    """A counter a graphics card in use; None where one has none."""
    import pynvml

    try:
        pynvml.nvmlInit()
        handles = _cards_in_use(pynvml)
        for handle in handles:
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except (pynvml.NVMLError, ValueError):
        return None
    read = pynvml.nvmlDeviceGetTotalEnergyConsumption
    return [Counter("gpu", partial(read, handle), GPU_UNITS) for handle in handles] or None


def _cards_in_use(pynvml: Any) -> list[Any]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
    names = [name.strip() for name in visible.split(",")]
    return [
        pynvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else pynvml.nvmlDeviceGetHandleByUUID(name)
        for name in names
    ]


class EnergyLog:
    """The energy of every epoch on disk, so that an interrupted training's is added up.

    Parameters
    ----------
    path : Path
        A JSON file.
    fingerprint : str
        The training's; a file of another one is not used.
    epochs : int
        Epochs that are done.
    meter : EnergyMeter
        Read at every epoch's end.
    """

    def __init__(self, path: Path, fingerprint: str, epochs: int, meter: EnergyMeter) -> None:
        self._path, self._fingerprint, self._meter = path, fingerprint, meter
        # An epoch is written before the checkpoint that counts it; after an interruption in between it is done again.
        self._epochs = self._read()[:epochs]
        self._known = len(self._epochs) == epochs
        self._before = dict(meter.read())

    def _read(self) -> list[dict[str, float]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        epochs: list[dict[str, float]] = content["epochs"] if content["fingerprint"] == self._fingerprint else []
        return epochs

    def add_epoch(self) -> None:
        """Write what the epoch that ends now has used."""
        now = dict(self._meter.read())
        self._epochs.append({source: now[source] - self._before[source] for source in now})
        self._before = now
        write_json(self._path, {"fingerprint": self._fingerprint, "epochs": self._epochs})

    def total(self) -> dict[str, float]:
        """``energy_joules`` of all epochs, and of which ``energy_cpu_joules`` and ``energy_gpu_joules``.

        Only what was counted in every epoch: empty where one was trained on a machine without counters.
        """
        return sum_energy(self._epochs) if self._known else {}


def sum_energy(epochs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Add up the joules of all epochs, each a mapping from source ('cpu', 'gpu') to joules; see `EnergyLog.total`."""
    sources = sorted({source for epoch in epochs for source in epoch})
    if not sources or any(set(epoch) != set(sources) for epoch in epochs):
        return {}
    totals = {source: sum(epoch[source] for epoch in epochs) for source in sources}
    return {
        "energy_joules": round(sum(totals.values()), 1),
        **{f"energy_{source}_joules": round(joules, 1) for source, joules in totals.items()},
    }


@contextmanager
def energy_log(fingerprint: str, epochs: int, path: Path = ENERGY) -> Iterator[EnergyLog]:
    """Measure the energy of a training from here to the end of the block.

    Parameters as of `EnergyLog`; `epochs` are those done before an interruption.
    """
    import keras

    meter = EnergyMeter(find_counters(any("gpu" in name for name in keras.distribution.list_devices())))
    try:
        yield EnergyLog(path, fingerprint, epochs, meter)
    finally:
        meter.close()


def after_each(report: Report, energy: EnergyLog) -> Report:
    """`report`, and the epoch's energy with it."""

    def both(row: dict[str, Any]) -> None:
        report(row)
        energy.add_epoch()

    return both
