"""The one linear head, and its predictions of images that it was not fitted on."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

MAX_ITERATIONS = 1000


def out_of_fold(
    features: NDArray[np.float64],
    truth: NDArray[np.int64],
    groups: NDArray[np.int64],
    folds: int,
    logistic_C: float,
    seed: int,
) -> NDArray[np.float64]:
    """Predict every image by a head fitted on the folds that do not hold its group.

    Standardised features and L2-penalised logistic regression, both fitted on the training folds
    only; folds are stratified by class. On one thread: a fit of this size takes 30 ms so, and many times as long when
    several threads wait for one another; the result then also repeats to the last bit.

    Parameters
    ----------
    features : ndarray of shape (n_images, n_features), float64
        Of a frozen network.
    truth : ndarray of shape (n_images,), int64, in [0, n_classes)
        Class numbers, each of which occurs.
    groups : ndarray of shape (n_images,), int64
        What stays in one fold.
    folds : int
        Number of folds.
    logistic_C : float
        scikit-learn's ``C``.
    seed : int
        Draws the folds.

    Returns
    -------
    ndarray of shape (n_images, n_classes), float64
        Probabilities; a class that a training part lacks gets 0.
    """
    probabilities = np.zeros((len(truth), int(truth.max()) + 1))
    head = make_pipeline(StandardScaler(), LogisticRegression(C=logistic_C, max_iter=MAX_ITERATIONS))
    single = len(np.unique(groups)) == len(groups)
    kind = StratifiedKFold if single else StratifiedGroupKFold
    parts = kind(folds, shuffle=True, random_state=seed).split(features, truth, None if single else groups)
    with threadpool_limits(1):
        for train, test in parts:
            head.fit(features[train], truth[train])
            probabilities[np.ix_(test, head.classes_)] = head.predict_proba(features[test])
    return probabilities
