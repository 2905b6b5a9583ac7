"""What computes a network's outputs: Keras, or OpenVINO where it gives the same."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bycase.core.device import find_gpus
from bycase.core.errors import UserError, one_line
from bycase.core.machine import core_count
from bycase.core.packages import need
from bycase.core.versions import installed_versions
from bycase.networks.forward import Forward, fill_up, frozen_forward
from bycase.networks.graph import save_graph
from bycase.networks.parity import (
    LARGEST_DIFFERENCE,
    LARGEST_FEATURE_DIFFERENCE,
    describe_breach,
    largest_difference,
    relative_difference,
)

if TYPE_CHECKING:
    import keras

KERAS, OPENVINO, AUTO = "keras", "openvino", "auto"
WAY_OUT = "set engine to keras"
Outputs = Literal["features", "probabilities"]
Check = tuple[str, Callable[[NDArray[np.float32], NDArray[np.float32]], float], float]

SAMPLE = 16  # inputs on which both are compared
CHECKS: dict[str, Check] = {
    "features": ("largest relative feature difference", relative_difference, LARGEST_FEATURE_DIFFERENCE),
    "probabilities": ("largest probability difference", largest_difference, LARGEST_DIFFERENCE),
}


@dataclass(frozen=True)
class Engine:
    """What computes a network's outputs.

    Attributes
    ----------
    forward : callable
        See `bycase.networks.forward.frozen_forward`.
    made_by : dict
        For the record beside the outputs: ``name``, ``keras`` or ``openvino``; of the latter its ``version``, and the
        ``largest_difference`` to Keras on the compared inputs; of the former ``because``, where ``auto`` chose it.
    """

    forward: Forward
    made_by: dict[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """What outputs depend on, of `made_by`."""
        return {key: self.made_by[key] for key in ("name", "version") if key in self.made_by}


def choose_engine(
    network: "keras.Model", wanted: str, batch_size: int, sample: Callable[[], NDArray[Any]], outputs: Outputs
) -> Engine:
    """Prepare a network whose weights stay as they are, in the engine that is wanted.

    Parameters
    ----------
    network : keras.Model
        Of one input and one output.
    wanted : {'keras', 'openvino', 'auto'}
        'auto': OpenVINO, unless it is not installed, there is a GPU, or the network does not pass; which is logged.
    batch_size : int
        Most inputs at a time.
    sample : callable
        Gives an ndarray of shape (n, ...), inputs on which OpenVINO's outputs are compared with Keras'; see `spread`.
    outputs : {'features', 'probabilities'}
        Which limit holds: `LARGEST_FEATURE_DIFFERENCE` or `LARGEST_DIFFERENCE`, as for exports.

    Raises
    ------
    UserError
        If OpenVINO is wanted and not installed, cannot express the network, or gives other outputs.
    """
    reason = None
    if wanted != KERAS:
        try:
            if wanted == AUTO and (gpus := find_gpus()):
                raise UserError(f"{gpus[0].name} computes")
            return _choose_openvino(network, batch_size, sample().astype(np.float32), outputs)
        except UserError as error:
            if wanted == OPENVINO:
                raise
            reason = str(error).removesuffix(f"; {WAY_OUT}").removesuffix(f"; or {WAY_OUT}")
            logging.info("engine auto: Keras, because %s", reason)
    made_by = {"name": KERAS} | ({"because": reason} if reason else {})
    return Engine(frozen_forward(network, batch_size), made_by)


def spread(images: Sequence[str], most: int = SAMPLE) -> list[str]:
    """At most `most` of the images, evenly spread over all."""
    rows = np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int)
    return [images[row] for row in rows]


def engine_identity(wanted: str) -> str:
    """What outputs depend on before a network is there: the engine wanted, and OpenVINO's version where it may compute.

    'auto' with OpenVINO installed differs from 'auto' without.
    """
    return " ".join([wanted, *(installed_versions([OPENVINO]).values() if wanted != KERAS else ())])


def openvino_model(network: "keras.Model", instead: str = WAY_OUT) -> Any:
    """The network as an `openvino.Model` of one output; any number of inputs at a time.

    It goes by way of a SavedModel, which OpenVINO reads by itself: on Python 3.13 its reader of functions in memory
    fails, and elsewhere makes an output of every activation that has a gradient of its own, such as SiLU.
    """
    openvino = need("openvino", "OpenVINO's format", instead)
    with TemporaryDirectory() as folder:
        save_graph(network, Path(folder))
        with _log_as_it_is():
            model = openvino.convert_model(folder)
    (output,) = model.outputs
    return openvino.Model([output.get_node()], model.get_parameters(), network.name)


@contextmanager
def _log_as_it_is() -> Iterator[None]:
    """OpenVINO's converter has the root logger keep back all but errors, and adds a filter to it each time."""
    root = logging.getLogger()
    level, filters, handlers = root.level, root.filters[:], root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters[:], root.handlers[:] = filters, handlers


def compile_openvino(model: Any, batch_size: int) -> Forward:
    """An `openvino.Model` of one input and one output, ready for at most `batch_size` inputs; threads may share it."""
    openvino = need("openvino", "OpenVINO's format")
    (entry,) = model.inputs
    # Faster than a length left open.
    model.reshape([batch_size, *(side.get_length() for side in list(entry.partial_shape)[1:])])
    # By default OpenVINO computes in bfloat16 on CPUs that can, which changes probabilities by up to 0.2.
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        # As many as TensorFlow is given, of which jobs beside each other have a share each.
        "INFERENCE_NUM_THREADS": os.environ.get("TF_NUM_INTRAOP_THREADS", str(core_count())),
    }
    compiled = openvino.Core().compile_model(model, "CPU", settings)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        # Requests serve one thread each: every call has its own.
        (outputs,) = compiled.infer_new_request({0: fill_up(batch, batch_size)}).values()
        return np.asarray(outputs, np.float32)[: len(batch)]

    return run


def _choose_openvino(network: "keras.Model", batch_size: int, sample: NDArray[np.float32], outputs: Outputs) -> Engine:
    import keras

    need("openvino", "engine openvino", WAY_OUT)
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UserError(f"engine openvino reads networks by TensorFlow, and KERAS_BACKEND is {backend}; {WAY_OUT}")
    with one_line("engine openvino cannot express the network", WAY_OUT):
        forward = compile_openvino(openvino_model(network), batch_size)
        batches = [sample[start : start + batch_size] for start in range(0, len(sample), batch_size)]
        computed = np.concatenate([forward(batch) for batch in batches])
    # Not traced: few inputs are sooner through than the network is compiled.
    expected = np.concatenate([np.asarray(network(batch, training=False), np.float32) for batch in batches])
    name, measure, limit = CHECKS[outputs]
    difference = measure(expected, computed)
    if breach := describe_breach([(name, difference, limit)]):
        raise UserError(f"engine openvino: not the network's outputs on {len(sample)} images: {breach}; {WAY_OUT}")
    version = installed_versions([OPENVINO])[OPENVINO]
    logging.info("OpenVINO %s computes: %s to Keras %.2g on %d images", version, name, difference, len(sample))
    return Engine(forward, {"name": OPENVINO, "version": version, "largest_difference": difference})
