"""The content of `metrics/explain.json`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bycase.core.seeding import generator
from bycase.explain.deletion import CENTRE, RANDOM, SCORES, area
from bycase.explain.grad_cam import GRAD_CAM, GRAD_CAM_PLUS_PLUS
from bycase.explain.sanity import ALIKE, RANKS, SIMILARITIES
from bycase.explain.score import Scores
from bycase.statistics.bootstrap import bootstrap, weighted_sums
from bycase.statistics.intervals import interval, perfect_bound
from bycase.statistics.units import BinaryUnits, Floats, Integers

UNIT, SIGNED = (0.0, 1.0), (-1.0, 1.0)


def summarise(scores: Scores, patient: Integers, resamples: int, seed: int) -> dict[str, Any]:
    """Average over images, with 95 % intervals that resample patients.

    Parameters
    ----------
    scores : Scores
        What is measured, by image.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose each image is.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``scores``: by order the mean areas under the curves, ``deletion`` (low is good) and ``insertion`` (high is
        good). ``difference``: the same of pairs, ``<one>_minus_<other>``, on the same images. ``sanity``: by method
        ``rank_correlation`` and ``ssim`` with the maps of random networks; ``other_images``, the rank correlation with
        other patients' maps; ``empty``, the share of maps in which nothing speaks for the class; and ``passed``: 1
        where the rank correlation's upper limit is below 0.5. ``n`` (images), ``n_patients``. All leaves are numbers;
        ``ci`` are intervals.
    """
    areas = dict(zip(scores.orders, area(scores.curves), strict=True))
    methods = [order for order in scores.orders if order not in (RANDOM, CENTRE)]
    pairs = [(method, baseline) for method in methods for baseline in (RANDOM, CENTRE)]
    pairs += [(GRAD_CAM_PLUS_PLUS, GRAD_CAM)]
    last = {method: np.column_stack([of[:, -1], scores.others[method]]) for method, of in scores.similarities.items()}
    columns = {
        **{("scores", order): of for order, of in areas.items()},
        **{("difference", f"{one}_minus_{other}"): areas[one] - areas[other] for one, other in pairs},
        **{("sanity", method): of for method, of in last.items()},
    }
    names = {"scores": SCORES, "difference": SCORES, "sanity": (*SIMILARITIES, "other_images")}
    drawn = resample_means(columns, patient, resamples, seed)
    content: dict[str, Any] = {"scores": {}, "difference": {}, "sanity": {}}
    for (section, name), of in columns.items():
        limits = UNIT if section == "scores" else SIGNED
        content[section][name] = _describe(names[section], of, drawn[section, name], patient, limits)
    for method, of in content["sanity"].items():
        of["empty"] = float(scores.empty[method].mean())
        of["passed"] = int(of["ci"][RANKS]["high"] < ALIKE)
    return {**content, "n": len(patient), "n_patients": int(patient.max()) + 1}


def resample_means(columns: Mapping[Any, Floats], patient: Integers, resamples: int, seed: int) -> dict[Any, Floats]:
    """Means over the images of resampled patients.

    Parameters
    ----------
    columns : mapping of any key to ndarray of shape (n_images, ...), float64
        What is averaged.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose each image is.
    resamples : int
        To draw.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict of the same keys to ndarray of shape (resamples, ...), float64
    """
    # Of one class, so that no resample is left out for lack of another.
    images = BinaryUnits(np.zeros(len(patient), bool), np.zeros(len(patient)), patient)
    ones = np.ones((len(patient), 1))

    def statistic(counts: Integers) -> dict[Any, Floats]:
        drawn = weighted_sums(images, ones, counts)
        return {
            key: (weighted_sums(images, of.reshape(len(of), -1), counts) / drawn).reshape(-1, *of.shape[1:])
            for key, of in columns.items()
        }

    return bootstrap(images, statistic, resamples, generator(seed, "explain", "bootstrap"))


def mean_interval(mean: float, drawn: Floats, patient: Integers, limits: tuple[float, float]) -> dict[str, float]:
    """The 95 % interval of a mean over images; without any spread as wide as that of a rate would be."""
    n_patients = int(patient.max()) + 1
    perfect = perfect_bound(n_patients)
    # Halfway to 1 where the range is twice as long, for the same reach.
    return interval(mean, drawn, n_patients, perfect if limits == UNIT else (1 + perfect) / 2, limits=limits)


def _describe(
    names: Sequence[str], of: Floats, drawn: Floats, patient: Integers, limits: tuple[float, float]
) -> dict[str, Any]:
    means = of.mean(axis=0)
    found = {name: mean_interval(float(means[k]), drawn[:, k], patient, limits) for k, name in enumerate(names)}
    return {**{name: float(means[k]) for k, name in enumerate(names)}, "ci": found}
