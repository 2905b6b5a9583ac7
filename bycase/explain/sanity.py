"""Whether maps change when the network forgets what it has learned; see `bycase.explain.randomise`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from bycase.explain.every_map import make_every_map
from bycase.explain.grad_cam import Floats32
from bycase.explain.randomise import STEP_WORDS, group_layers, randomise
from bycase.statistics.units import Floats, Integers

if TYPE_CHECKING:
    import keras

RANKS, SSIM = "rank_correlation", "ssim"
SIMILARITIES = (RANKS, SSIM)
# From here up, at the end of the cascade, maps are taken to stay as they were.
ALIKE = 0.5


def compare_cascade(
    network: "keras.Model",
    images: NDArray[np.uint8],
    explained: Integers,
    shown: int,
    randomisations: int,
    batch_size: int,
    seed: int,
) -> tuple[dict[str, Floats], dict[str, Floats32]]:
    """Compare each image's maps with those of networks whose weights become random from the top down.

    Parameters
    ----------
    network : keras.Model
        Of `bycase.networks.head.join`; left as it is.
    images : ndarray of shape (n, height, width, 3), uint8
        RGB.
    explained : ndarray of shape (n,), int64
        The class that maps are of.
    shown : int
        Of so many of the images the maps are given back.
    randomisations : int
        Random networks that similarities are averaged over.
    batch_size : int
        Images at a time.
    seed : int
        The pipeline's seed.

    Returns
    -------
    similarities : dict of str to ndarray of shape (n, n_steps, 2), float64
        By method; steps as in `bycase.explain.randomise.STEP_WORDS`, the first 1, then `SIMILARITIES`.
    maps : dict of str to ndarray of shape (n_steps, shown, height, width), float32
        By method, of the first random network.
    """
    import keras

    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    explain, groups = make_every_map(copy, batch_size), group_layers(copy)
    trained = explain(images, explained)
    shape = len(images), len(STEP_WORDS), len(SIMILARITIES)
    found: dict[str, Floats] = {method: np.zeros(shape) for method in trained}
    kept = {method: [of[:shown]] for method, of in trained.items()}
    for draw in range(randomisations):
        copy.set_weights(network.get_weights())
        for step, layers in enumerate(groups, 1):
            randomise(layers, seed, draw)
            for method, of in explain(images, explained).items():
                found[method][:, step] += compare_maps(trained[method], of) / randomisations
                if draw == 0:
                    kept[method].append(of[:shown])
    for similarities in found.values():
        similarities[:, 0] = 1
    return found, {method: np.stack(of) for method, of in kept.items()}


def compare_maps(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """Similarities of the heatmaps of the same images.

    Parameters
    ----------
    one, other : ndarray of shape (n, height, width), in [0, 1]
        Of 11 pixels or more either way; `one` by the trained network.

    Returns
    -------
    ndarray of shape (n, 2), float64, in [-1, 1]
        By `SIMILARITIES`: Spearman's rank correlation over pixels, and the structural similarity of Wang, Bovik,
        Sheikh, Simoncelli (2004, IEEE Transactions on Image Processing 13(4)). A map of the trained network that is
        the same everywhere has no ranks and shows nothing: its correlation counts as 1, that it might not pass for
        one that changes. If only the other is so, it is 0.
    """
    import tensorflow as tf

    ranks = [rankdata(of.reshape(len(of), -1), axis=1) for of in (one, other)]
    a, b = (of - of.mean(axis=1, keepdims=True) for of in ranks)
    norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    flat = (a == 0).all(axis=1).astype(np.float64)
    correlation = np.divide((a * b).sum(axis=1), norms, out=flat, where=norms > 0)
    structure = tf.image.ssim(*(tf.constant(of[..., None], tf.float32) for of in (one, other)), max_val=1.0)
    return np.column_stack([correlation, structure.numpy()])


def compare_others(maps: NDArray[Any], patient: Integers) -> Floats:
    """The rank correlation of each image's map with that of another patient's image, where there is one.

    Parameters
    ----------
    maps : ndarray of shape (n, height, width), in [0, 1]
        Of the trained network.
    patient : ndarray of shape (n,), int64
        Whose each image is.

    Returns
    -------
    ndarray of shape (n,), float64
        How alike maps are whatever is in the image, such as by their common centre.
    """
    n = len(maps)
    partner = np.array(
        [next((k % n for k in range(i + 1, i + n) if patient[k % n] != patient[i]), i) for i in range(n)]
    )
    return compare_maps(maps, maps[partner])[:, SIMILARITIES.index(RANKS)]


def find_empty(maps: NDArray[Any]) -> Floats:
    """1 where a heatmap (n, height, width) is 0 everywhere, else 0."""
    return np.array([not of.any() for of in maps], np.float64)


def judge(of: Mapping[str, Any]) -> str:
    """What a method's entry of ``sanity`` in ``metrics/explain.json`` says of its maps, in words."""
    limits = of["ci"][RANKS]
    number = f"rank correlation {of[RANKS]:.2f}, 95 % CI {limits['low']:.2f} to {limits['high']:.2f}"
    if of["passed"]:
        return f"passed: maps change when the network forgets what it learned ({number})"
    if of[RANKS] < ALIKE:
        return f"not settled: maps change when the network forgets what it learned, but perhaps too little ({number})"
    return f"FAILED: maps do NOT change when the network forgets what it learned ({number})"
