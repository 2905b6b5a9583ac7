"""Imported features in a network's place: what is trained and saved takes features instead of pixels."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.params_training import IMPORTED, is_imported
from bycase.images.pixels import read_pixels
from bycase.tables.features import Features, read_features

if TYPE_CHECKING:
    import keras

Read = Callable[[list[str]], NDArray[Any]]


def feature_input(features: Features) -> "keras.Model":
    """What stands for the backbone of imported features: from float32 (n, n_features) to the same.

    Raises
    ------
    UserError
        If ``data/features`` is of a network.
    """
    import keras

    if not is_imported(features.made_by["model"]):
        raise UserError(f"data/features is of {features.made_by['model']}, not imported; run 'dvc repro -f embed'")
    inputs = keras.Input((features.array.shape[-1],), name="features")
    return keras.Model(inputs, keras.layers.Identity(name="same")(inputs), name=IMPORTED)


def takes_pixels(network: "keras.Model") -> bool:
    """Whether a network takes images (n, size, size, 3), not features (n, n_features)."""
    return len(network.input_shape) == 4


def input_reader(network: "keras.Model") -> Read:
    """What reads a network's inputs by their images' paths: pixels, or the features of ``data/features``."""
    if takes_pixels(network):
        return read_pixels
    features = read_features()
    return lambda images: features.array[features.rows(pd.Series(images)), 0]


def refuse_without_pixels(model_info: Mapping[str, Any], what: str) -> None:
    """Say that something needs pixels where a classifier has imported features.

    Raises
    ------
    UserError
        In one line, with what can be done without.
    """
    if is_imported(model_info["model"]):
        raise UserError(
            f"{what} needs a network that takes pixels, and model {model_info['model']} has only features of "
            f"{model_info['weights']}; 'dvc repro uncertainty', 'bycase benchmark run' and "
            "'bycase judge data/predictions/test.csv' do without"
        )
