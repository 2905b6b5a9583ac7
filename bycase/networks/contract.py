"""Whether images reach a network's first convolution as its weights expect.

A network that gets pixels divided by 255, and divides them by 255 once more, sees almost the same grey in every image.
It trains without any error, and ends at a constant prediction.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.core.seeding import generator
from bycase.images.pixels import read_pixels
from bycase.networks.registry import input_range
from bycase.networks.zoo.preprocessing import InputRange

if TYPE_CHECKING:
    import keras

# No real batch of [0, 255] is darker (the darkest image of BUSI reaches 136): in one that is, the pixels were divided
# by 255 or 127.5, or standardised.
DARKEST_WHITE = 3.0
# Half a grey level, for rounding.
ROUNDING = 0.5
# Share of the spread by which half precision may miss it.
TOLERANCE = 0.01
IMAGES = 16


def contract_breach(backbone: "keras.Model", pixels: NDArray[Any], name: str, variant: str | None = None) -> str | None:
    """Say how a batch of images misses what a network expects, if it does.

    Black and white images are sent to the first convolution's input to see what the layers before it do,
    and the batch for its own spread there. Dark, flat and grey images are none of its concern.

    Parameters
    ----------
    backbone : keras.Model
        Of `bycase.networks.registry.build_backbone`, or a model that begins with one.
    pixels : ndarray of shape (n_images, height, width, 3), uint8 or float32
        As the pipeline feeds them: RGB in [0, 255]. At most 16 of them are looked at.
    name : str
        The network's name in the zoo.
    variant : str, optional
        Its variant, by default its first.

    Returns
    -------
    str or None
        One line: what spread of the channel values the first convolution sees, which one its weights
        expect, and the usual cause.
    """
    expected = input_range(name, variant)
    sample = np.asarray(pixels[:IMAGES], np.float32)
    if not np.isfinite(sample).all():
        return f"images do not reach {name} as its weights expect: some pixels are no finite numbers"
    black_and_white = np.stack([np.zeros_like(sample[0]), np.full_like(sample[0], 255.0)])
    reaching = values_at_first_convolution(backbone, np.concatenate([black_and_white, sample]))
    cause = _fault_of_pixels(sample)
    if cause:
        return _describe(name, expected, channel_spread(reaching[2:]), cause)
    cause = _fault_of_network(name, reaching[:2], expected)
    return _describe(name, expected, channel_spread(reaching[:2]), cause) if cause else None


def values_at_first_convolution(backbone: "keras.Model", pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the first convolution gets of a batch, without the quarter at each edge where padding may lie.

    `pixels` are of shape (n_images, height, width, 3), the result float32 of about half that height and width.
    """
    import keras

    first = next(layer for layer in backbone.layers if any(len(weight.shape) == 4 for weight in layer.weights))
    # A transformer's is within a model of its own, right after the preprocessing.
    within = isinstance(first, keras.Model)
    stem = keras.Model(backbone.inputs[0], backbone.get_layer("preprocess").output if within else first.input)
    values = keras.ops.convert_to_numpy(keras.ops.cast(stem(pixels, training=False), "float32"))
    height, width = values.shape[1:3]
    return values[:, height // 4 : height - height // 4, width // 4 : width - width // 4]


def channel_spread(values: NDArray[np.float32]) -> float:
    """From the lowest to the highest value within one channel over all images, averaged over the channels."""
    return float(np.ptp(values, axis=(0, 1, 2)).mean())


def _fault_of_pixels(pixels: NDArray[np.float32]) -> str:
    low, high = float(pixels.min()), float(pixels.max())
    where = f"the pixels lie in [{low:.3g}, {high:.3g}] instead of [0, 255]"
    if low < -ROUNDING or (low < 0 and high <= DARKEST_WHITE):
        return f"{where}; usual cause: they were standardised before the network, which does it by itself"
    if 0 < high <= DARKEST_WHITE:
        return f"{where}; usual cause: they were divided by 255 before the network, which rescales by itself"
    if high > 255 + ROUNDING:
        return f"{where}; usual cause: images of 16 bits, or a rescale in the wrong direction"
    return ""


def _fault_of_network(name: str, black_and_white: NDArray[np.float32], expected: InputRange) -> str:
    low, high = float(black_and_white.min()), float(black_and_white.max())
    measured = InputRange(low, high, channel_spread(black_and_white))
    if all(abs(a - b) <= TOLERANCE * expected.spread for a, b in zip(measured, expected, strict=True)):
        return ""
    where = f"black and white arrive as [{low:.3g}, {high:.3g}] instead of [{expected.low:.3g}, {expected.high:.3g}]"
    if measured.spread < expected.spread:
        return f"{where}; usual cause: a rescale too much, as zoo.{name}.rescale below 1 is"
    return f"{where}; usual cause: the network's layer 'preprocess' is missing or another network's"


def _describe(name: str, expected: InputRange, spread: float, cause: str) -> str:
    return (
        f"images do not reach {name} as its weights expect: channel values spread {spread:.3g} at its first "
        f"convolution, expected {expected.spread:.3g} from black to white: {cause}"
    )


def refuse_breach(backbone: "keras.Model", images: Sequence[str], params: Params) -> None:
    """Check a sample of images (paths below ``data/preprocessed``) before they go through a backbone.

    Raises
    ------
    UserError
        If they would not reach the first convolution as its weights expect: rescaled twice or not at all. Where
        `train.contract_action` says so, there is only a warning.
    """
    random = generator(params.seed, "contract")
    chosen = random.choice(len(images), min(IMAGES, len(images)), replace=False)
    pixels = read_pixels([images[row] for row in np.sort(chosen)])
    breach = contract_breach(backbone, pixels, params.model, params.network.variant)
    if breach and params.train.contract_action == "stop":
        raise UserError(f"{breach}. To reproduce such a mistake, set train.contract_action to warn")
    if breach:
        logging.warning("WARNING: %s", breach)
