"""The same image predicted again and again: as its mirror images and turns, or with other units left out.

Test-time augmentation turns and mirrors an image, which changes no diagnosis of tissue or skin. In Monte Carlo dropout
(Gal, Ghahramani 2016, Dropout as a Bayesian approximation: representing model uncertainty in deep learning, ICML) only
the head's dropout is on: the backbone, its batch norm and its stochastic depth stay as in any prediction, so that its
features are computed once.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bycase.core.seeding import derive_seed
from bycase.networks.forward import Forward, frozen_forward
from bycase.networks.imported import input_reader
from bycase.networks.predict import class_probabilities, predict_images, run_images

if TYPE_CHECKING:
    import keras


def turn(images: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """One of the eight symmetries of the square, of images (n_images, size, size, 3), float32.

    `number` is 0 to 3 for so many quarter turns, 4 to 7 for the mirror images of these.
    """
    turned = np.rot90(images, number % 4, axes=(1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if number >= 4 else turned)


def predict_views(
    forward: Forward, images: Sequence[str], plain: NDArray[np.float64], views: int, batch_size: int
) -> NDArray[np.float64]:
    """Predict every image in the first `views` (2 to 8) symmetries, of which the first is the image as it is.

    Parameters
    ----------
    forward : callable
        The network's; see `bycase.networks.forward`.
    images : sequence of str
        Paths below ``data/preprocessed``.
    plain : ndarray of shape (n_images, n_classes), float64
        Predictions of the images as they are.

    Returns
    -------
    ndarray of shape (views, n_images, n_classes), float64
        Rows of classes sum to 1.
    """

    def predict(number: int) -> NDArray[np.float64]:
        return predict_images(lambda batch: forward(turn(batch, number)), images, batch_size, f"view {number}")

    return np.stack([plain, *(predict(number) for number in range(1, views))])


HEAD = "head"


def find_dropout(network: "keras.Model") -> list["keras.layers.Dropout"]:
    """The dropout layers of the network's head that leave anything out; empty where there are none."""
    import keras

    heads = [layer for layer in network.layers if layer.name == HEAD and isinstance(layer, keras.Model)]
    layers = [layer for head in heads for layer in head.layers]
    return [layer for layer in layers if isinstance(layer, keras.layers.Dropout) and layer.rate > 0]


def split_at_head(network: "keras.Model") -> tuple["keras.Model", "keras.Model"]:
    """The network of `bycase.networks.head.join` up to its features, and its head; both share its weights."""
    import keras

    head = network.get_layer(HEAD)
    # Layers are sorted by depth, and the head, which is the last, has one input.
    features = network.layers[network.layers.index(head) - 1].output
    return keras.Model(network.input, features), head


def predict_with_dropout(
    network: "keras.Model",
    images: Sequence[str],
    passes: int,
    batch_size: int,
    seed: int,
    prepare: Callable[["keras.Model", int], Forward] = frozen_forward,
) -> NDArray[np.float64]:
    """Predict each image `passes` times with the head's dropout on.

    Parameters
    ----------
    network : keras.Model
        With at least one layer of `find_dropout`.
    images : sequence of str
        Paths below ``data/preprocessed``.
    passes : int
        How often.
    batch_size : int
        Images in memory at a time.
    seed : int
        What is left out depends on it alone.
    prepare : callable
        The network up to its features and the batch size to what computes them, see `bycase.networks.engine`.

    Returns
    -------
    ndarray of shape (passes, n_images, n_classes), float64
        Rows of classes sum to 1.
    """
    body, head = split_at_head(network)
    features = run_images(prepare(body, batch_size), images, batch_size, "features", input_reader(network))
    for number, layer in enumerate(find_dropout(network)):
        layer.seed_generator.state.assign([derive_seed(seed, "uncertainty", "dropout", number), 0])
    outputs = [np.asarray(head(features, training=True), np.float32) for _ in range(passes)]
    return np.stack([class_probabilities(output) for output in outputs])
