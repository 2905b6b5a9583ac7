"""The network with its features beside its probabilities, loaded from an untrusted file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import one_line
from bycase.networks.predict import class_probabilities
from bycase.networks.repeated import split_at_head
from bycase.networks.saved import import_layers
from bycase.statistics.units import Floats

if TYPE_CHECKING:
    import keras


def open_network(path: Path) -> "keras.Model":
    """Load the network of a classifier file in Keras' safe mode: no code in the file is run.

    Raises
    ------
    UserError
        If Keras cannot, or will not, load it, or a package that its layers are of is not installed.
    """
    import keras

    import_layers(path)
    with one_line(f"{path}: Keras does not load the network", "get the file again"):
        return keras.saving.load_model(path, compile=False, safe_mode=True)


def with_features(network: "keras.Model") -> "keras.Model":
    """The network with one output, float32 (n, n_features + n_outputs): what its head gets, then what its head gives.

    It shares the weights of `network`, which `bycase.networks.head.join` made: float32 RGB in [0, 255] to
    (n, n_outputs), in [0, 1].
    """
    import keras

    body, head = split_at_head(network)
    features = body.output
    outputs = keras.layers.Concatenate(dtype="float32", name="features_and_outputs")([features, head(features)])
    return keras.Model(body.input, outputs, name=network.name)


def split_outputs(outputs: NDArray[np.float32], n_classes: int) -> tuple[NDArray[np.float32], Floats]:
    """Take apart what a network of `with_features` gives: (n, n_features + n_outputs), float32.

    Two classes have one output, more have one each.

    Returns
    -------
    features : ndarray of shape (n, n_features), float32
    scores : ndarray of shape (n, n_classes), float64, in [0, 1]
        Rows sum to 1.
    """
    n_features = outputs.shape[1] - (1 if n_classes == 2 else n_classes)
    return outputs[:, :n_features], class_probabilities(outputs[:, n_features:])
