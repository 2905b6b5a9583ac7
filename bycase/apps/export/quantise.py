"""The network in whole numbers of 8 bits, for CPUs: OpenVINO's format, quantised by NNCF after training."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.packages import need
from bycase.core.seeding import generator
from bycase.images.pixels import read_pixels
from bycase.networks.engine import openvino_model
from bycase.networks.repeated import HEAD

if TYPE_CHECKING:
    import keras

Read = Callable[[Sequence[str]], NDArray[Any]]

CALIBRATION = 300  # images, as NNCF recommends
INSTEAD = "choose --format openvino, in float32"


def choose_calibration(images: pd.DataFrame, seed: int) -> list[str]:
    """Draw the images by which the range of every layer is found: of the training part, and of no other.

    `images` is the split, with the columns ``image`` and ``part``; gives at most `CALIBRATION`, sorted.
    """
    training = np.sort(images["image"][images["part"] == "train"].to_numpy(str))
    chosen = generator(seed, "export", "calibration").permutation(training)[:CALIBRATION]
    return sorted(chosen.tolist())


def quantise(network: "keras.Model", path: Path, calibration: Sequence[str], read: Read = read_pixels) -> None:
    """Write a quantised OpenVINO ``.xml``, and its weights beside it as ``.bin``.

    Weights are rounded channel by channel, activations by the ranges that they take on the calibration images (paths
    below ``data/preprocessed``), and biases set right afterwards (NNCF's post-training quantisation, preset "mixed").
    The head stays in float32: it takes next to no time, and rounding it moved the AUC further.
    """
    openvino = need("openvino", "the format int8", INSTEAD)
    nncf = need("nncf", "the format int8", INSTEAD)
    # Not `nncf.set_log_level`, which also closes handlers that others gave its logger.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    images = nncf.Dataset(calibration, lambda image: read([image]).astype(np.float32))
    quantised = nncf.quantize(
        openvino_model(network, INSTEAD),
        images,
        preset=nncf.QuantizationPreset.MIXED,
        ignored_scope=nncf.IgnoredScope(patterns=[f".*/{HEAD}.*"], validate=False),
        subset_size=len(calibration),
    )
    openvino.save_model(quantised, path, compress_to_fp16=False)
