"""Grad-CAM and Grad-CAM++: how much each place of the last feature map speaks for a class.

References
----------
Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra (2017), Grad-CAM: visual explanations from deep networks via
gradient-based localization, ICCV, arXiv:1610.02391.
Chattopadhay, Sarkar, Howlader, Balasubramanian (2018), Grad-CAM++: generalized gradient-based visual explanations
for deep convolutional networks, WACV, arXiv:1710.11063.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.explain.layers import Halves

Floats32 = NDArray[np.float32]
ClassIndex = int | NDArray[np.integer[Any]] | None

GRAD_CAM, GRAD_CAM_PLUS_PLUS = "grad_cam", "grad_cam_plus_plus"
METHODS = (GRAD_CAM, GRAD_CAM_PLUS_PLUS)
METHOD_WORDS = {GRAD_CAM: "Grad-CAM", GRAD_CAM_PLUS_PLUS: "Grad-CAM++"}


def check_method(method: str) -> None:
    """Refuse a method that is none of `METHODS`; names those there are."""
    if method not in METHODS:
        raise UserError(f"no method '{method}' of explanation; choose one of: {', '.join(METHODS)}")


def class_maps(maps: Floats32, gradients: Floats32, method: str) -> Floats32:
    """Weigh the channels of feature maps by what they do for a class, add them, and leave out what speaks against it.

    Parameters
    ----------
    maps : ndarray of shape (n, rows, columns, channels), float32
        The last feature map of each image.
    gradients : ndarray of the same shape, float32
        Of the class's score before sigmoid or softmax.
    method : {'grad_cam', 'grad_cam_plus_plus'}
        Equations 1 and 2 of Selvaraju et al., or 5, 6 and 19 of Chattopadhay et al. The latter's exponential of the
        score is a factor common to the whole map, and left out.

    Returns
    -------
    ndarray of shape (n, rows, columns), float32, 0 or more
    """
    check_method(method)
    if method == GRAD_CAM:
        weights = gradients.mean(axis=(1, 2))
    else:
        weights = (_alpha(maps, gradients) * np.maximum(gradients, 0)).sum(axis=(1, 2))
    return np.maximum(np.einsum("nijc,nc->nij", maps, weights), 0)


def _alpha(maps: Floats32, gradients: Floats32) -> Floats32:
    """Equation 19 of Chattopadhay et al., divided by the squared gradient above and below.

    The paper's maps come from ReLU. Of others, values below 0 count 0 in the sum, which might make the denominator
    vanish; where a gradient is not above 0, its weight does not count.
    """
    total = np.maximum(maps, 0).sum(axis=(1, 2), keepdims=True)
    return 1 / (2 + np.maximum(gradients, 0) * total)


def score_gradients(halves: Halves, maps: Floats32, chosen: ClassIndex) -> Floats32:
    """The gradient of each image's class score by its feature map.

    Parameters
    ----------
    halves : Halves
        Of the network.
    maps : ndarray of shape (n, rows, columns, channels), float32
        What its body gives.
    chosen : int, ndarray of shape (n,) or None
        The class of each image; None: its most probable one. Of two classes the score of the second is the logit,
        that of the first its negative.

    Returns
    -------
    ndarray of the shape of `maps`, float32

    Raises
    ------
    UserError
        If there is no such class, or Keras' backend is neither TensorFlow nor JAX.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _tensorflow_gradients(halves, maps, chosen)
    if backend == "jax":
        return _jax_gradients(halves, maps, chosen)
    raise UserError(f"maps need gradients, which are taken with TensorFlow or JAX, not {backend}: set KERAS_BACKEND")


def _tensorflow_gradients(halves: Halves, maps: Floats32, chosen: ClassIndex) -> Floats32:
    import tensorflow as tf

    places = tf.constant(maps)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(places)
        logits = halves.logits(places)
        total = tf.reduce_sum(logits * class_signs(logits.numpy(), chosen))
    gradients: Floats32 = tape.gradient(total, places).numpy()
    return gradients


def _jax_gradients(halves: Halves, maps: Floats32, chosen: ClassIndex) -> Floats32:
    import jax

    signs = class_signs(np.asarray(halves.logits(maps)), chosen)
    gradients = jax.grad(lambda places: (halves.logits(places) * signs).sum())(jax.numpy.asarray(maps))
    return np.asarray(gradients)


def class_signs(logits: Floats32, chosen: ClassIndex) -> Floats32:
    """What logits are multiplied with, so that their sum is the sum of the chosen classes' scores.

    Parameters
    ----------
    logits : ndarray of shape (n, 1) or (n, n_classes), float32
        Before sigmoid or softmax.
    chosen : int, ndarray of shape (n,) or None
        See `score_gradients`.

    Returns
    -------
    ndarray of the shape of `logits`, float32
        -1, 0 or 1.
    """
    n, width = logits.shape
    n_classes = max(2, width)
    if chosen is None:
        chosen = logits.argmax(axis=1) if width > 1 else (logits[:, 0] >= 0).astype(np.int64)
    classes = np.broadcast_to(np.asarray(chosen, np.int64), (n,))
    if len(classes) and not 0 <= classes.min() <= classes.max() < n_classes:
        raise UserError(f"no class number {classes.max()}: the network's {n_classes} classes count from 0")
    if width == 1:
        return (2 * classes[:, None] - 1).astype(np.float32)
    return np.eye(width, dtype=np.float32)[classes]
