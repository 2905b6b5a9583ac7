"""Heads that are fitted at once on cached features: the settings of a grid are tried, and validation chooses.

Rows of the history have the keys ``phase`` (the head), ``epoch`` (from 1, the setting's number), ``loss`` and
``accuracy`` of training images, those of `bycase.training.scores.score`, ``learning_rate`` (none), the setting's own,
``setting`` (the same in words) and ``chosen``.
"""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.params import Params
from bycase.core.rows import RowFile
from bycase.networks.fitted_heads import (
    Bank,
    logistic_head,
    neighbours_head,
    smallest_distance,
    standardise,
    varied,
    vote_shares,
)
from bycase.networks.head import Statistics, feature_statistics, join
from bycase.tables.features import Features
from bycase.training.checkpoint import Progress
from bycase.training.energy import energy_log
from bycase.training.losses import make_loss, prior_loss
from bycase.training.run import Training, live_log
from bycase.training.scores import monitor_score, score
from bycase.training.subsets import Subset, class_shares

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float64]

# Both grids go from the simplest head to the most flexible: of equals the simplest is chosen.
LOGISTIC_C = tuple(float(f"{10 ** (half / 2):.3g}") for half in range(-12, 5))
NEIGHBOURS = (129, 65, 33, 17, 9, 5, 3, 1)
DISTANCES = ("euclidean", "cosine")
MAX_ITERATIONS = 10_000


@dataclass(frozen=True)
class FeatureSets:
    """What a head is fitted on, and what chooses among its settings.

    Attributes
    ----------
    train, val : Subset
        Their images.
    views : ndarray of shape (n_training_images, n_views, n_features), float32
        Of the training images; view 0 is the image itself.
    val_features : ndarray of shape (n_validation_images, n_features), float32
        Of the unchanged validation images.
    n_classes : int
        Number of classes.
    statistics : tuple of two ndarrays of shape (n_features,), or None
        Mean and variance of all views of the training images, where features are standardised.
    """

    train: Subset
    val: Subset
    views: NDArray[np.float32]
    val_features: NDArray[np.float32]
    n_classes: int
    statistics: Statistics | None


@dataclass(frozen=True)
class Candidate:
    """A head with one setting.

    Attributes
    ----------
    setting : dict
        Such as ``{"C": 0.01}``.
    train, val : ndarray of shape (n_images, n_classes), float64
        Class probabilities of the unchanged images; of neighbours, training images are not among their own.
    build : callable
        Makes the head as a network.
    """

    setting: dict[str, Any]
    train: Floats
    val: Floats
    build: "Callable[[], keras.Model]"


def take_features(params: Params, subsets: tuple[Subset, Subset], n_classes: int, features: Features) -> FeatureSets:
    """Read the cached features of training (all views) and validation (the images themselves)."""
    rows = RowFile(features.path)
    train_rows, val_rows = (features.rows(subset.images) for subset in subsets)
    statistics = feature_statistics(rows, train_rows) if params.network.standardise else None
    return FeatureSets(*subsets, rows.read(train_rows), rows.read(val_rows)[:, 0], n_classes, statistics)


def fit_training(
    params: Params, sets: FeatureSets, backbone: "keras.Model", fingerprint: str
) -> "tuple[keras.Model, Training]":
    """Try every setting of the head that the zoo's entry names, and keep the one that validation prefers.

    Parameters
    ----------
    params : Params
        ``zoo.<model>.head`` is one of `bycase.core.params_training.FITTED_HEADS`; ``train.monitor`` decides.
    sets : FeatureSets
        Of `take_features`.
    backbone : keras.Model
        See `bycase.training.prepare.gather`.
    fingerprint : str
        Of all that the training depends on.

    Returns
    -------
    network : keras.Model
        The backbone and the chosen head.
    training : Training
        A row of history a setting.
    """
    head, monitor, train = str(params.network.fitted_head), params.train.monitor, sets.train
    prior = prior_loss(make_loss(params.train, sets.n_classes), class_shares(train.y, train.weights, sets.n_classes))
    progress = Progress(phase=head, best_phase=head)
    build, started = None, time.perf_counter()
    with energy_log(fingerprint, 0) as energy:
        for number, candidate in enumerate(CANDIDATES[head](sets), 1):
            row = {
                "phase": head,
                "epoch": number,
                **training_scores(train, candidate.train),
                **score(sets.val.y, candidate.val),
                "learning_rate": None,
                **candidate.setting,
                "setting": setting_words(candidate.setting),
            }
            progress.history.append(row)
            if build is None or monitor_score(row, monitor) > progress.best_score:
                progress.best_score, progress.best_epoch, build = monitor_score(row, monitor), number, candidate.build
        assert build is not None
        network = join(backbone, build())
        progress.seconds = time.perf_counter() - started
        energy.add_epoch()
    progress.history = [row | {"chosen": row["epoch"] == progress.best_epoch} for row in progress.history]
    with live_log([progress.history[progress.best_epoch - 1]]):
        pass
    return network, Training(progress, prior, energy.total())


def training_scores(train: Subset, probabilities: Floats) -> dict[str, float]:
    """Cross-entropy of training images in nats, weighted as in training, and plain accuracy."""
    of_truth = probabilities[np.arange(len(train.y)), train.y]
    # As scikit-learn's log_loss does it.
    losses = -np.log(np.maximum(of_truth, np.finfo(np.float64).eps))
    weights = train.weights.astype(np.float64)
    return {
        "loss": float(weights @ losses / weights.sum()),
        "accuracy": float((probabilities.argmax(axis=1) == train.y).mean()),
    }


def setting_words(setting: dict[str, Any]) -> str:
    """A setting of a candidate in words, such as ``C = 0.01`` or ``k = 9, cosine``."""
    return ", ".join(
        f"{key} = {value:g}" if isinstance(value, int | float) else value for key, value in setting.items()
    )


def logistic_candidates(sets: FeatureSets) -> Iterator[Candidate]:
    """Logistic regression by L-BFGS with an L2 penalty, from the strongest penalty down.

    All views of an image share its weight, so that C is that of scikit-learn's ``LogisticRegression`` on one view an
    image. Each fit begins where the one before ended.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    _, n_views, width = sets.views.shape
    views = standardise(sets.views.reshape(-1, width), sets.statistics)
    own, val = views[::n_views], standardise(sets.val_features, sets.statistics)
    weights = np.repeat(sets.train.weights.astype(np.float64) / n_views, n_views)
    y = np.repeat(sets.train.y, n_views)
    model = LogisticRegression(tol=1e-6, max_iter=MAX_ITERATIONS, warm_start=True)
    for c in LOGISTIC_C:
        model.set_params(C=c)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model.fit(views, y, sample_weight=weights)
        if any(issubclass(each.category, ConvergenceWarning) for each in caught):
            logging.warning("WARNING: logistic regression with C = %g: no optimum in %d iterations", c, MAX_ITERATIONS)
        build = partial(logistic_head, model.coef_.copy(), model.intercept_.copy(), sets.statistics)
        yield Candidate({"C": c}, model.predict_proba(own), model.predict_proba(val), build)


def neighbours_candidates(sets: FeatureSets) -> Iterator[Candidate]:
    """K nearest neighbours among the unchanged training images, by either distance, from the largest k down.

    At most half of the training images are neighbours.
    """
    from sklearn.neighbors import NearestNeighbors

    statistics = varied(sets.statistics) if sets.statistics else None
    votes = np.eye(sets.n_classes)[sets.train.y] * sets.train.weights.astype(np.float64)[:, None]
    bank = Bank(standardise(sets.views[:, 0], statistics), votes)
    val = standardise(sets.val_features, statistics)
    ks = [k for k in NEIGHBOURS if 2 * k <= len(votes)] or [1]
    for distance in DISTANCES:
        search = NearestNeighbors(n_neighbors=ks[0], metric=distance, algorithm="brute").fit(bank.features)
        # Without arguments, of the bank's own images, none of which is its own neighbour.
        found = [(*search.kneighbors(), bank.features), (*search.kneighbors(val), val)]
        floored = [(np.maximum(far, smallest_distance(x, distance)), votes[near]) for far, near, x in found]
        for k in ks:
            train, validation = (vote_shares(far[:, :k], counted[:, :k], bank.shares) for far, counted in floored)
            build = partial(neighbours_head, bank, k, distance, statistics)
            yield Candidate({"k": k, "distance": distance}, train, validation, build)


CANDIDATES: dict[str, Callable[[FeatureSets], Iterator[Candidate]]] = {
    "logistic": logistic_candidates,
    "neighbours": neighbours_candidates,
}
