"""What is minimised, and what a network that learned nothing would reach."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax

from bycase.core.params_training import TrainParams
from bycase.networks.zoo.googlenet import AUXILIARY_LOSS_WEIGHT
from bycase.training.subsets import make_targets

if TYPE_CHECKING:
    import keras


def make_loss(params: TrainParams, n_classes: int) -> "keras.losses.Loss":
    """The loss that `params` names, for targets of `bycase.training.subsets.make_targets`.

    Focal loss is that of Lin et al. (2017), Focal loss for dense object detection, arXiv:1708.02002,
    without its class weight alpha, since `class_weight` weights classes for both losses.
    """
    from keras import losses

    smoothing = params.label_smoothing
    if params.loss == "focal":
        if n_classes == 2:
            return losses.BinaryFocalCrossentropy(gamma=params.focal_gamma, label_smoothing=smoothing)
        return losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=params.focal_gamma, label_smoothing=smoothing)
    if n_classes == 2:
        return losses.BinaryCrossentropy(label_smoothing=smoothing)
    return losses.CategoricalCrossentropy(label_smoothing=smoothing)


def prior_loss(loss: "keras.losses.Loss", shares: NDArray[np.float64]) -> float:
    """The loss of the best constant prediction: what a network converges to that learned the class shares alone.

    For cross-entropy it is the entropy of the shares: 0.622 on BreakHis' 68.6 % malignant images without
    class weights, 0.693 (log 2) with two balanced classes.

    Parameters
    ----------
    loss : keras.losses.Loss
        Of `make_loss`.
    shares : ndarray of shape (n_classes,)
        Of the images' weights, by class; sums to 1.

    Returns
    -------
    float
        In nats.
    """
    n_classes = len(shares)
    targets = make_targets(np.arange(n_classes), n_classes)

    def constant_loss(logits: NDArray[np.float64]) -> float:
        probabilities = softmax(logits)
        outputs = probabilities[1:] if n_classes == 2 else probabilities
        by_class = loss.call(targets, np.tile(outputs, (n_classes, 1)).astype(np.float32))
        return float(np.asarray(by_class, np.float64) @ shares)

    # Single precision: coarser steps than the default, and a method that needs no derivative.
    start = np.log(np.clip(shares, 1e-6, None))
    result: Any = minimize(constant_loss, start, method="Nelder-Mead", tol=1e-4)
    return min(float(result.fun), constant_loss(start))


def with_auxiliary(loss: "keras.losses.Loss", width: int) -> Any:
    """A loss over a main output and auxiliary ones that stand beside it in the same array.

    It takes targets (n, width) and outputs (n, k * width), the main one first, and gives losses (n,); `loss` is of one
    output.
    """

    def total(targets: Any, outputs: Any) -> Any:
        value = loss.call(targets, outputs[:, :width])
        for start in range(width, outputs.shape[1], width):
            value = value + AUXILIARY_LOSS_WEIGHT * loss.call(targets, outputs[:, start : start + width])
        return value

    return total


def main_loss(loss: "keras.losses.Loss", width: int) -> Any:
    """The loss of the main output alone, named ``main_loss``; see `with_auxiliary`."""

    def value(targets: Any, outputs: Any) -> Any:
        return loss.call(targets, outputs[:, :width])

    value.__name__ = "main_loss"
    return value


def accuracy(width: int) -> Any:
    """Whether the main output names the class with the largest target; targets may be mixed."""

    def value(targets: Any, outputs: Any) -> Any:
        from keras import ops

        main = outputs[:, :width]
        if width == 1:
            right = ops.equal(targets[:, 0] > 0.5, main[:, 0] > 0.5)
        else:
            right = ops.equal(ops.argmax(targets, axis=-1), ops.argmax(main, axis=-1))
        return ops.cast(right, "float32")

    value.__name__ = "accuracy"
    return value
