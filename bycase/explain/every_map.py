"""All kinds of maps of one network at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bycase.explain.attention import ATTENTION, find_gates, make_attention
from bycase.explain.grad_cam import METHOD_WORDS, METHODS, Floats32
from bycase.explain.images import make_explainers
from bycase.statistics.units import Integers

if TYPE_CHECKING:
    import keras

MAP_WORDS = {**METHOD_WORDS, ATTENTION: "attention"}

EveryMap = Callable[[NDArray[Any], Integers], dict[str, Floats32]]


def make_every_map(network: "keras.Model", batch_size: int) -> EveryMap:
    """Grad-CAM and Grad-CAM++, and the attention of a network that has gates.

    Parameters
    ----------
    network : keras.Model
        Of `bycase.networks.head.join`; later changes of its weights are followed.
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
