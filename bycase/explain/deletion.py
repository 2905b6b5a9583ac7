"""How fast a class's probability falls as pixels are deleted in a map's order, and rises as they are inserted.

Petsiuk, Das, Saenko (2018), RISE: randomized input sampling for explanation of black-box models, BMVC,
arXiv:1806.07421. As there, deleted pixels become uniform and insertion starts from a blurred image; here the uniform
colour is the image's mean, and the blur is wider, since tissue keeps its class under a narrow one. A map is worth what
it gains over other orders: one by distance from the centre, and one at random that deletes patches as large as the
maps' own, since a network takes fright at single missing pixels wherever they are.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bycase.core.seeding import generator
from bycase.explain.grad_cam import Floats32
from bycase.explain.maps import to_heatmaps
from bycase.networks.forward import Forward
from bycase.networks.predict import predict_rows
from bycase.statistics.units import Floats, Integers

RANDOM, CENTRE = "random", "centre"
SCORES = ("deletion", "insertion")

BLUR = 10 / 224  # of the image's side: standard deviation

Pictures = NDArray[np.uint8]  # of shape (n, height, width, 3), RGB


def random_maps(names: Sequence[str], places: tuple[int, int], size: tuple[int, int], seed: int) -> Floats32:
    """Maps with a random number at each place of the feature map; what an image gets depends on its name.

    `places` and `size` are rows and columns of the feature map, and of the images; gives (n, height, width), float32,
    in [0, 1].
    """
    drawn = [generator(seed, "explain", "order", name).uniform(0.01, 1, places) for name in names]
    return to_heatmaps(np.asarray(drawn, np.float32), size)


def centre_maps(n: int, size: tuple[int, int]) -> Floats32:
    """`n` times a map that falls from the image's centre to its corners; (n, height, width), float32, in [0, 1]."""
    rows, columns = (np.linspace(-1, 1, side) for side in size)
    distance = np.hypot(rows[:, None], columns[None])
    return np.broadcast_to((1 - distance / distance.max()).astype(np.float32), (n, *size))


def rank_pixels(heatmaps: NDArray[Any], ties: NDArray[Any]) -> Integers:
    """The place of each pixel in the order of deletion, the highest first; (n, height, width), int64, from 0 up.

    `ties`, of the same shape as `heatmaps`, orders pixels of the same value, such as the many of 0.
    """
    n, height, width = heatmaps.shape
    ranks = np.empty((n, height * width), np.int64)
    for number, (heat, tie) in enumerate(zip(heatmaps, ties, strict=True)):
        ranks[number, np.lexsort((-tie.ravel(), -heat.ravel()))] = np.arange(height * width)
    return ranks.reshape(n, height, width)


def blank(images: Pictures) -> Pictures:
    """Each image as one colour, its mean."""
    mean = np.rint(images.mean(axis=(1, 2), keepdims=True)).astype(np.uint8)
    return np.broadcast_to(mean, images.shape)


def blurred(images: Pictures) -> Pictures:
    """Each image under a wide Gaussian blur."""
    return np.stack([cv2.GaussianBlur(image, (0, 0), BLUR * len(image)) for image in images])


def score_orders(
    forward: Forward, images: Pictures, explained: Integers, ranks: Sequence[Integers], steps: int, batch_size: int
) -> Floats:
    """The explained class's probability as the pixels of each order go, and as they come.

    Parameters
    ----------
    forward : callable
        See `bycase.networks.forward`.
    images : ndarray of shape (n, height, width, 3), uint8
        RGB.
    explained : ndarray of shape (n,), int64
        The class of each whose probability counts.
    ranks : sequence of n_orders ndarray of shape (n, height, width), int64
        Of `rank_pixels`.
    steps : int
        1 or more.
    batch_size : int
        Images at a time.

    Returns
    -------
    ndarray of shape (n_orders, n, 2, steps + 1), float64, in [0, 1]
        By `SCORES`, after 0, 1 / steps, ..., 1 of the pixels.
    """

    def predict(read: Any, rows: int) -> Floats:
        return predict_rows(forward, read, np.arange(rows), batch_size, "delete and insert")

    n, (height, width) = len(images), images.shape[1:3]
    grounds = np.stack([blank(images), blurred(images)])
    # What lies before the first and after the last pixel is the same in every order.
    whole_or_not = np.concatenate([images[None], grounds])
    ends = predict(lambda rows: whole_or_not[rows // n, rows % n], 3 * n)
    whole, gone, hazy = (ends.reshape(3, n, -1)[which, np.arange(n), explained] for which in range(3))
    curves = np.empty((len(ranks), n, 2, steps + 1))
    curves[..., 0, 0], curves[..., 0, -1], curves[..., 1, 0], curves[..., 1, -1] = whole, gone, hazy, whole

    counts = np.rint(np.arange(1, steps) * height * width / steps).astype(np.int64)
    shape = (len(ranks), n, 2, steps - 1)
    all_ranks = np.stack(ranks)

    def read(rows: NDArray[np.intp]) -> Pictures:
        order, image, kind, step = np.unravel_index(rows, shape)
        first = all_ranks[order, image] < counts[step][:, None, None]
        shown = first == (kind == 1)[:, None, None]
        return np.where(shown[..., None], images[image], grounds[kind, image])

    if steps > 1:
        inner = predict(read, int(np.prod(shape))).reshape(*shape, -1)
        classes = np.broadcast_to(explained[None, :, None, None, None], (*shape, 1))
        curves[..., 1:-1] = np.take_along_axis(inner, classes, axis=-1)[..., 0]
    return curves


def area(curves: Floats) -> Floats:
    """The area under curves over the last axis, whose points are evenly spread from 0 to 1; trapezoids."""
    return np.trapezoid(curves, dx=1 / (curves.shape[-1] - 1), axis=-1)
