"""The head, and the whole network that is saved."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stages.common.errors import UserError
from stages.common.training_params import DenseLayer, DropoutLayer, ModelParams
from stages.embed.table import Features
from stages.restructure.pixels import read_pixels

if TYPE_CHECKING:
    import keras

# Relative to the largest feature: the same backbone on another batch size differs by rounding only.
FEATURE_TOLERANCE = 1e-3


def build_head(
    features: NDArray[np.float32], layers: list[DropoutLayer | DenseLayer], n_classes: int, seed: int
) -> "keras.Model":
    """Build a head that standardises its input, then follows the layer list.

    Parameters
    ----------
    features : ndarray of shape (n, n_features)
        Their mean and variance become the head's first layer. Of training images only, all views.
    layers : list of DropoutLayer or DenseLayer
        From the input up; hidden layers are ReLU.
    n_classes : int
        Two: one sigmoid unit, the probability of the positive class; more: softmax.
    seed : int
        Of the initial weights and of dropout.

    Returns
    -------
    keras.Model
        From (n, n_features) to (n, 1) or (n, n_classes), in [0, 1].
    """
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((features.shape[1],), name="features")
    standardise = keras.layers.Normalization(name="standardise")
    standardise.adapt(features)
    x = standardise(inputs)
    for number, layer in enumerate(layers):
        if isinstance(layer, DropoutLayer):
            x = keras.layers.Dropout(layer.dropout, seed=seed + number, name=f"dropout_{number}")(x)
        else:
            x = keras.layers.Dense(layer.dense, activation="relu", name=f"dense_{number}")(x)
    units, activation = (1, "sigmoid") if n_classes == 2 else (n_classes, "softmax")
    # Features of one backbone are correlated: random weights on a thousand of them add up to a loss of 10,
    # from which training takes long to return. Zeros begin at the loss of a constant.
    output = keras.layers.Dense(units, activation=activation, kernel_initializer="zeros", name="probability")
    return keras.Model(inputs, output(x), name="head")


def join(backbone: "keras.Model", head: "keras.Model") -> "keras.Model":
    """The network from RGB in [0, 255] to probabilities; it shares the weights of both."""
    import keras

    return keras.Model(backbone.input, head(backbone.output), name=backbone.name)


def check_same_backbone(backbone: "keras.Model", features: Features) -> None:
    """Refuse cached features that this backbone does not give.

    Raises
    ------
    UserError
        If the features of a few images differ from those computed now: another model, weights or seed.
    """
    images = features.images[:4]
    now = np.asarray(backbone.predict_on_batch(read_pixels(images).astype(np.float32)))
    stored = features.array[: len(images), 0]
    scale = max(float(np.abs(stored).max()), 1e-12)
    if now.shape != stored.shape or float(np.abs(now - stored).max()) > FEATURE_TOLERANCE * scale:
        raise UserError(
            f"data/features is of another backbone or other images ({features.made_by['model']}, "
            f"{features.made_by['weights']} weights); run 'dvc repro -f embed'"
        )


def unfreeze_top(network: "keras.Model", layers: int) -> None:
    """Make the head and the top of the backbone trainable, and nothing else.

    Parameters
    ----------
    network : keras.Model
        Of `join`.
    layers : int
        How many of the backbone's layers, counted from the top. Batch norm stays frozen whatever
        the number: its statistics of a small batch would undo the pre-training.
    """
    import keras

    backbone = [layer for layer in network.layers if layer.name != "head"]
    for layer in backbone:
        layer.trainable = False
    for layer in backbone[max(0, len(backbone) - layers) :]:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    network.get_layer("head").trainable = True


def compile_network(network: "keras.Model", settings: ModelParams, learning_rate: float, n_classes: int) -> None:
    """Give a network its optimiser and cross-entropy."""
    import keras

    optimizers = {
        "adam": lambda: keras.optimizers.Adam(learning_rate),
        "adamw": lambda: keras.optimizers.AdamW(learning_rate, weight_decay=settings.weight_decay),
        "sgd": lambda: keras.optimizers.SGD(learning_rate, momentum=0.9, weight_decay=settings.weight_decay or None),
    }
    network.compile(
        optimizer=optimizers[settings.optimizer](),
        loss="binary_crossentropy" if n_classes == 2 else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    network.optimizer.build(network.trainable_variables)


def class_probabilities(outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """One column a class, negative class first, from a network's output.

    Parameters
    ----------
    outputs : ndarray of shape (n, 1) or (n, n_classes)
        In [0, 1].

    Returns
    -------
    ndarray of shape (n, 2) or (n, n_classes)
        Rows sum to 1.
    """
    wide = outputs.astype(np.float64)
    return np.hstack([1.0 - wide, wide]) if wide.shape[1] == 1 else wide / wide.sum(axis=1, keepdims=True)
