"""What the squeeze-and-excitation gates of `mresnet` let through, wherever it is and whatever the class.

The feature map of the last block, its channels weighed by the gates (Hu, Shen, Sun 2017, Squeeze-and-excitation
networks, CVPR 2018, arXiv:1709.01507), summed over channels as absolute values (Zagoruyko, Komodakis 2017, Paying more
attention to attention, ICLR, arXiv:1612.03928, F_sum).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.explain.grad_cam import Floats32
from bycase.explain.images import BATCH_SIZE, each_batch, highest_to_1, to_heatmaps
from bycase.networks.forward import forward

if TYPE_CHECKING:
    import keras

ATTENTION = "attention"
GATE = "_se_gate"  # the layer of a gate ends so; what it weighs is the output of the same name without "_gate"


def find_gates(network: "keras.Model") -> list[str]:
    """The names of the gates' layers from the input up; empty where the network has none."""
    return [layer.name for layer in network.layers if layer.name.endswith(GATE)]


def attention_maps(network: "keras.Model", images: NDArray[Any], batch_size: int = BATCH_SIZE) -> Floats32:
    """What the gates of the last block let through, from the least (0) to the most (1) of each image.

    Parameters
    ----------
    network : keras.Model
        With gates, see `find_gates`.
    images : ndarray of shape (n, height, width, 3)
        RGB in [0, 255].
    batch_size : int
        Images at a time.

    Returns
    -------
    ndarray of shape (n, height, width), float32, in [0, 1]

    Raises
    ------
    UserError
        If the network has no gates.
    """
    return make_attention(network, batch_size)(images)


def make_attention(network: "keras.Model", batch_size: int = BATCH_SIZE) -> Callable[[NDArray[Any]], Floats32]:
    """`attention_maps` of one network, to be called again and again; follows later changes of its weights."""
    import keras

    gates = find_gates(network)
    if not gates:
        raise UserError(f"network {network.name} has no squeeze-and-excitation gates to show; mresnet has")
    body = keras.Model(network.input, network.get_layer(gates[-1].removesuffix("_gate")).output)

    def attend(images: NDArray[Any]) -> Floats32:
        found = [np.zeros((0, *images.shape[1:3]), np.float32)]
        for _, batch in each_batch(images, batch_size):
            let_through = np.abs(forward(body, batch, batch_size)).sum(axis=-1)
            wide = to_heatmaps(let_through, images.shape[1:3])
            found.append(highest_to_1(wide - wide.min(axis=(1, 2), keepdims=True)))
        return np.concatenate(found)

    return attend
