"""The head, and the whole network: the one that is trained, and the one that is saved."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.params_training import ALL, DenseLayer, DropoutLayer
from bycase.core.rows import RowFile
from bycase.images.pixels import read_pixels
from bycase.tables.features import Features

if TYPE_CHECKING:
    import keras

# Relative to the largest feature: the same backbone on another batch size differs by rounding only.
FEATURE_TOLERANCE = {"float32": 1e-3, "mixed_float16": 0.05, "mixed_bfloat16": 0.2}
CHUNK = 256
LEAST_VARIANCE = 0.01  # of a feature, relative to the mean over all: at most ten times the amplification of most

Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]


def feature_statistics(features: RowFile, rows: NDArray[np.intp]) -> Statistics:
    """Mean and variance of each feature over all views of the images at `rows`; each of shape (n_features,)."""
    total, squares, count = np.zeros(features.shape[-1]), np.zeros(features.shape[-1]), 0
    shift = features.read(rows[:CHUNK]).astype(np.float64).mean(axis=(0, 1))
    for start in range(0, len(rows), CHUNK):
        views = features.read(rows[start : start + CHUNK]).reshape(-1, features.shape[-1]) - shift
        total += views.sum(axis=0)
        squares += (views**2).sum(axis=0)
        count += len(views)
    return shift + total / count, squares / count - (total / count) ** 2


def bound_amplification(statistics: Statistics) -> Statistics:
    """Statistics whose variances are at least `LEAST_VARIANCE` of their mean, for a head that is fine-tuned.

    A feature that is 0 in every training image, as those after a ReLU may be, would be divided by almost nothing. While
    the backbone is frozen its weight stays 0; once the layers below change, it fires, and the loss leaps.
    """
    mean, variance = statistics
    return mean, np.maximum(variance, LEAST_VARIANCE * variance.mean())


def build_head(
    width: int,
    layers: list[DropoutLayer | DenseLayer],
    n_classes: int,
    seed: int,
    statistics: Statistics | None = None,
    dropout: "type[keras.layers.Dropout] | None" = None,
) -> "keras.Model":
    """Build a head that follows the layer list.

    Parameters
    ----------
    width : int
        Number of features.
    layers : list of DropoutLayer or DenseLayer
        From the input up; hidden layers are ReLU.
    n_classes : int
        Two: one sigmoid unit, the probability of the positive class; more: softmax.
    seed : int
        Of the initial weights and of dropout.
    statistics : tuple of two ndarrays of shape (width,), optional
        Mean and variance by which the features are standardised first; of training images only.
    dropout : type, optional
        A kind of `keras.layers.Dropout` to use for it.

    Returns
    -------
    keras.Model
        From (n, width) to float32 (n, 1) or (n, n_classes), in [0, 1].
    """
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((width,), name="features")
    x = inputs
    if statistics:
        mean, variance = statistics
        x = keras.layers.Normalization(mean=mean, variance=variance, name="standardise")(x)
    for number, layer in enumerate(layers):
        if isinstance(layer, DropoutLayer):
            kind = dropout or keras.layers.Dropout
            x = kind(layer.dropout, seed=seed + number, name=f"dropout_{number}")(x)
        else:
            x = keras.layers.Dense(layer.dense, activation="relu", name=f"dense_{number}")(x)
    units, activation = (1, "sigmoid") if n_classes == 2 else (n_classes, "softmax")
    # Features of one backbone are correlated: random weights on a thousand of them add up to a loss of 10,
    # from which training takes long to return. Zeros begin at the loss of a constant.
    # Half precision would round probabilities near 0 and 1 away.
    output = keras.layers.Dense(
        units, activation=activation, kernel_initializer="zeros", dtype="float32", name="probability"
    )
    return keras.Model(inputs, output(x), name="head")


def join(backbone: "keras.Model", head: "keras.Model") -> "keras.Model":
    """The network from RGB in [0, 255] to probabilities; it shares the weights of both."""
    import keras

    return keras.Model(backbone.input, head(backbone.output), name=backbone.name)


def with_auxiliary_outputs(network: "keras.Model", auxiliary: list[Any]) -> "keras.Model":
    """The network of `join` with further outputs beside its own in one array, its own first, for training alone.

    Each of `auxiliary` has the shape of the network's output; without any the network stays itself.
    """
    import keras

    if not auxiliary:
        return network
    outputs = keras.layers.Concatenate(dtype="float32", name="all_outputs")([network.output, *auxiliary])
    return keras.Model(network.input, outputs, name=network.name)


def check_same_backbone(backbone: "keras.Model", features: Features) -> None:
    """Refuse cached features that this backbone does not give: those of another model, weights or seed."""
    import keras

    images = features.images[:4]
    # Not traced: four images are sooner through than the network is compiled.
    outputs = backbone(read_pixels(images).astype(np.float32), training=False)
    now = keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))
    stored = features.array[: len(images), 0]
    scale = max(float(np.abs(stored).max()), 1e-12)
    if (
        now.shape != stored.shape
        or float(np.abs(now - stored).max()) > FEATURE_TOLERANCE[keras.config.dtype_policy().name] * scale
    ):
        raise UserError(
            f"data/features is of another backbone or other images ({features.made_by['model']}, "
            f"{features.made_by['weights']} weights); run 'dvc repro -f embed'"
        )


def unfreeze_top(
    network: "keras.Model", layers: int | str, part: Fraction = Fraction(1), batch_norm_momentum: float | None = None
) -> None:
    """Make the head and the top of the backbone trainable, and nothing else.

    Parameters
    ----------
    network : keras.Model
        Of `join`.
    layers : int or 'all'
        Counted from the top; a larger number than there are means all.
    part : Fraction, in (0, 1]
        Of these layers, the topmost to unfreeze.
    batch_norm_momentum : float, in (0, 1), optional
        Trains batch norm as well: it standardises by each batch, and its moving averages, which validation uses, follow
        the new images with this momentum. None: it stays frozen, in inference mode with the statistics of the
        pre-training, which those of a small batch would undo.

    Raises
    ------
    UserError
        If batch norm shall be trained whose statistics are not those of any images.
    """
    import keras

    backbone = [layer for layer in network.layers if layer.name != "head"]
    for layer in backbone:
        layer.trainable = False
    chosen = len(backbone) if layers == ALL else min(int(layers), len(backbone))
    for layer in backbone[len(backbone) - int(chosen * part) :]:
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = batch_norm_momentum is not None or not normalises
        if normalises and batch_norm_momentum is not None:
            _check_statistics(layer)
            layer.momentum = batch_norm_momentum
    network.get_layer("head").trainable = True


def _check_statistics(layer: Any) -> None:
    import keras

    mean, variance = (keras.ops.convert_to_numpy(each) for each in (layer.moving_mean, layer.moving_variance))
    if (mean == 0).all() and (variance == 1).all():
        raise UserError(
            f"zoo.<model>.unfreeze.batch_norm: layer {layer.name} holds no statistics (these weights have them folded "
            "into the convolutions, or are random): standardising by the batch would undo what the head was trained "
            "on; set it to frozen, or mode to end_to_end"
        )


def unfreeze_all(network: "keras.Model", batch_norm_momentum: float) -> None:
    """Make every layer trainable, with this momentum of batch norm's moving averages.

    Keras' own 0.99 needs hundreds of steps to forget the initial statistics, so that validation looks like chance in a
    short training.
    """
    import keras

    for layer in network.layers:
        layer.trainable = True
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
