"""All kinds of maps of one network at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from stages.evaluate.units import Integers
from stages.explain.attention import ATTENTION, find_gates, make_attention
from stages.explain.grad_cam import METHOD_WORDS, METHODS, Floats32
from stages.explain.images import make_explainers

if TYPE_CHECKING:
    import keras

MAP_WORDS = {**METHOD_WORDS, ATTENTION: "attention"}

EveryMap = Callable[[NDArray[Any], Integers], dict[str, Floats32]]


def make_every_map(network: "keras.Model", batch_size: int) -> EveryMap:
    """Grad-CAM and Grad-CAM++, and the attention of a network that has gates.

    Parameters
    ----------
    network : keras.Model
        Of `stages.train.network.join`; later changes of its weights are followed.
    batch_size : int
        Images at a time.

    Returns
    -------
    callable
        From images (n, height, width, 3) in [0, 255] and classes (n,) to heatmaps (n, height, width) by method.
    """
    explain = make_explainers(network, METHODS, batch_size)
    if not find_gates(network):
        return explain
    attend = make_attention(network, batch_size)
    return lambda images, explained: {**explain(images, explained), ATTENTION: attend(images)}
