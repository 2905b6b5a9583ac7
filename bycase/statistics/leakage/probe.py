"""What a network could cheat with: whether features give away the patient, or the magnification.

A nearest-centroid classifier, which has nothing to tune, so that its accuracy is a lower bound of what
a trained network could find. Chance is measured, by permuting the answers within blocks that keep what
is not under test: class and magnification when the patient is asked for, the patient when the
magnification is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from bycase.core.seeding import generator
from bycase.statistics.leakage.draw import draw_groups
from bycase.statistics.units import Floats, Integers

FEWEST_IMAGES = 5  # of a patient, to be among those that are guessed
MOST_IMAGES = 1500  # in one classification; of larger data sets, patients are drawn at random

Answer = dict[str, float | int | None]

NOT_APPLICABLE: Answer = {"accuracy": None, "chance": None, "p": None, "n_images": 0, "n_answers": 0}


@dataclass(frozen=True)
class Question:
    """One classification.

    Attributes
    ----------
    features : ndarray of shape (n_images, n_features), float64
        What the answer is guessed from.
    answer : ndarray of shape (n_images,), int64
        What is guessed.
    held_out : ndarray of shape (n_images,), int64
        Images of one number are never used to guess one another's answer.
    block : ndarray of shape (n_images,), int64
        Answers are permuted within.
    """

    features: Floats
    answer: Integers
    held_out: Integers
    block: Integers


def probe_group(features: Floats, manifest: pd.DataFrame, permutations: int, seed: int) -> Answer:
    """Guess whose image it is among the patients of its class, from their other images.

    Parameters
    ----------
    features : ndarray of shape (n_images, n_features), float64
        In the manifest's order.
    manifest : DataFrame with the columns ``label``, ``group``, ``magnification``
        Patients with fewer than `FEWEST_IMAGES` images of the class are left aside.
    permutations : int
        For the chance level.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict with the keys of `NOT_APPLICABLE`
        ``accuracy`` and ``chance`` in [0, 1], the permutation test's ``p`` in (0, 1], the number of images and
        of possible answers; the first three None where no class has two such patients.
    """
    questions = []
    for label in sorted(set(manifest["label"])):
        of_class = np.flatnonzero(manifest["label"] == label)
        sizes = manifest["group"].iloc[of_class].value_counts()
        rows = of_class[manifest["group"].iloc[of_class].isin(sizes.index[sizes >= FEWEST_IMAGES])]
        rows = _thin(rows, manifest["group"], generator(seed, "probe", "group", label))
        chosen = manifest.iloc[rows]
        if len(chosen["group"].unique()) > 1:
            questions.append(
                Question(
                    features[rows],
                    pd.factorize(chosen["group"])[0].astype(np.int64),
                    np.arange(len(rows)),
                    pd.factorize(chosen["magnification"])[0].astype(np.int64),
                )
            )
    return _ask(questions, permutations, generator(seed, "probe", "group"))


def probe_magnification(features: Floats, manifest: pd.DataFrame, permutations: int, seed: int) -> Answer:
    """Guess an image's magnification from the images of other patients; arguments and result as `probe_group`."""
    if manifest["magnification"].nunique() < 2 or manifest["group"].nunique() < 2:
        return dict(NOT_APPLICABLE)
    rows = _thin(np.arange(len(manifest)), manifest["group"], generator(seed, "probe", "magnification", "images"))
    chosen = manifest.iloc[rows]
    answer = pd.factorize(chosen["magnification"])[0].astype(np.int64)
    patient = pd.factorize(chosen["group"])[0].astype(np.int64)
    question = Question(features[rows], answer, patient, patient)
    return _ask([question], permutations, generator(seed, "probe", "magnification"))


def _thin(rows: NDArray[np.intp], group: "pd.Series[str]", random: np.random.Generator) -> NDArray[np.intp]:
    """Those of whole groups, drawn at random, of at most `MOST_IMAGES` in all."""
    return rows[draw_groups(group.iloc[rows], MOST_IMAGES, random)]


def _ask(questions: list[Question], permutations: int, random: np.random.Generator) -> Answer:
    """The share of right answers over all questions, against that with permuted answers."""
    if not questions:
        return dict(NOT_APPLICABLE)
    n_images = sum(len(question.answer) for question in questions)
    right = 0
    by_chance = np.zeros(permutations)
    with threadpool_limits(1):
        for question in questions:
            kernel = _kernel(question.features)
            right += count_right(kernel, question.answer, question.held_out)
            for turn in range(permutations):
                permuted = _permute(question.answer, question.block, random)
                by_chance[turn] += count_right(kernel, permuted, question.held_out)
    return {
        "accuracy": right / n_images,
        "chance": float(by_chance.mean()) / n_images,
        # Phipson and Smyth (2010): the data as they are count as one of the permutations.
        "p": float((1 + (by_chance >= right).sum()) / (1 + permutations)),
        "n_images": n_images,
        "n_answers": sum(int(question.answer.max()) + 1 for question in questions),
    }


def _kernel(features: Floats) -> Floats:
    """Scalar products of standardised features (n_images, n_images); constant features count nothing."""
    centred = features - features.mean(axis=0)
    spread = centred.std(axis=0)
    standard = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    return standard @ standard.T


def _permute(answer: Integers, block: Integers, random: np.random.Generator) -> Integers:
    """Shuffle the answers within each block."""
    by_block = np.argsort(block, kind="stable")
    shuffled = np.lexsort((random.random(len(answer)), block))
    permuted = np.empty_like(answer)
    permuted[by_block] = answer[shuffled]
    return permuted


def count_right(kernel: Floats, answer: Integers, held_out: Integers) -> int:
    """How many images are nearest to the centroid of their own answer, held-out images not counted in.

    Distances follow from scalar products alone: ``|x - c|^2 = <x, x> - 2 <x, c> + <c, c>``, with ``<x, c>`` and
    ``<c, c>`` sums over the kernel, from which those over held-out images are taken away. That makes a
    permutation as cheap as one product of the kernel with a sparse matrix.

    Parameters
    ----------
    kernel : ndarray of shape (n_images, n_images), float64
        Scalar products of the images' features.
    answer : ndarray of shape (n_images,), int64, in [0, n_answers)
        Each image's answer.
    held_out : ndarray of shape (n_images,), int64
        Images of one number are left out of the centroids that these images are compared with.
    """
    n = len(answer)
    unit = pd.factorize(held_out)[0]
    is_answer = csr_array((np.ones(n), (np.arange(n), answer)))
    is_unit = csr_array((np.ones(n), (np.arange(n), unit)))
    of_unit = csr_array((is_unit @ is_unit.T).multiply(kernel))  # products within each unit
    to_all = kernel @ is_answer
    to_own = (of_unit @ is_answer).toarray()
    mine = is_answer.toarray()
    products = to_all - to_own
    sizes = mine.sum(axis=0) - is_unit.T @ mine
    squares = (mine * to_all).sum(axis=0) - is_unit.T @ (mine * (2 * to_all - to_own))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = squares[unit] / sizes[unit] ** 2 - 2 * products / sizes[unit]
    distance[sizes[unit] == 0] = np.inf  # no other image has that answer
    return int((distance.argmin(axis=1) == answer).sum())
