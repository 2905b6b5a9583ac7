"""What a network costs beyond time: operations of one image, and the energy of the training."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.core.files import write_json
from bycase.training.energy import EnergyMeter, find_counters

if TYPE_CHECKING:
    import keras

ENERGY = Path("data/checkpoints/energy.json")

Report = Callable[[dict[str, Any]], None]


def count_flops(network: "keras.Model") -> dict[str, int]:
    """Floating-point operations of one image's forward pass, counted by TensorFlow's profiler.

    A multiplication and an addition are two, where the literature often counts one multiply-add: MobileNetV2 at 224
    pixels has 0.61 G here and 0.30 G there. Kinds of operations that the profiler has no formula for, such as batch
    norm and activations other than ReLU, are few beside the convolutions and count 0.

    Parameters
    ----------
    network : keras.Model
        Of images of one size.

    Returns
    -------
    dict
        ``flops``; empty on another backend than TensorFlow.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return {}
    import tensorflow as tf

    call = tf.function(
        lambda image: network(image, training=False),
        input_signature=[tf.TensorSpec((1, *network.input_shape[1:]), tf.float32)],
        autograph=False,
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with _quiet():
        profile = tf.compat.v1.profiler.profile(call.get_concrete_function().graph, options=options)
    return {"flops": int(profile.total_float_ops)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the profiler's warning that it was written for TensorFlow 1."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


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

    def remove(self) -> None:
        """Delete the file, once the training's outputs are written."""
        self._path.unlink(missing_ok=True)


def sum_energy(epochs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Add up the joules of all epochs by source; see `EnergyLog.total`.

    Parameters
    ----------
    epochs : sequence of mapping
        Source ('cpu', 'gpu') to joules.
    """
    sources = sorted({source for epoch in epochs for source in epoch})
    if not sources or any(set(epoch) != set(sources) for epoch in epochs):
        return {}
    of_source = {source: sum(epoch[source] for epoch in epochs) for source in sources}
    return {
        "energy_joules": round(sum(of_source.values()), 1),
        **{f"energy_{source}_joules": round(joules, 1) for source, joules in of_source.items()},
    }


@contextmanager
def energy_log(fingerprint: str, epochs: int, path: Path = ENERGY) -> Iterator[EnergyLog]:
    """Measure the energy of a training from here to the end of the block.

    Parameters
    ----------
    fingerprint : str
        Of all that the training depends on.
    epochs : int
        Epochs done before an interruption.
    path : Path
        Where it is written after every epoch.
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
