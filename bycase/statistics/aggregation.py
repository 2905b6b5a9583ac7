"""Which rule makes patients of images, and whether another one would rank them better than the mean does.

Rules are fixed before the test part is looked at; what a rule has to learn, it learns on validation. The comparison on
test chooses nothing: it says what was lost or gained by the rule of `evaluate.aggregation`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from bycase.core.errors import UserError
from bycase.core.params_training import EvaluateParams
from bycase.statistics.bounds import TAIL
from bycase.statistics.comparison.differences import influence_difference, p_two_sided, simultaneous_interval
from bycase.statistics.comparison.verdict import holm
from bycase.statistics.influence import measure_influence
from bycase.statistics.pooling import ATTENTION, MEAN, RULES, TOP_K, Pooling
from bycase.statistics.units import Floats, Units, number_patient_units, patient_units

SMALLEST = 1e-6  # probability: one patient who is wholly mistaken shall not decide alone
OTHERS = tuple(rule for rule in RULES if rule != MEAN)


def fit_attention(validation: Units) -> tuple[float, float]:
    """Fit attention's two weights on validation patients.

    The most probable ones under a standard normal prior: they minimise the patients' cross-entropy, summed, and half
    the sum of their own squares, which keeps them near the mean where few patients speak for anything else.

    Parameters
    ----------
    validation : Units
        One unit an image.
    """
    first, group = number_patient_units(validation)
    truth = validation.truth[first]

    def penalised(weights: Floats) -> float:
        pooling = Pooling(ATTENTION, attention=(weights[0], weights[1]))
        pooled = pooling.pool(validation.scores, group, validation.positive)
        likelihood = np.log(np.maximum(pooled[np.arange(len(truth)), truth], SMALLEST)).sum()
        return float((weights**2).sum() / 2 - likelihood)

    best = minimize(penalised, np.zeros(2), method="BFGS").x
    return round(float(best[0]), 6), round(float(best[1]), 6)


def make_pooling(rule: str, validation: Units | None, settings: EvaluateParams) -> Pooling:
    """The rule as it is applied to every patient; UserError for attention without validation images to fit it on."""
    if rule == TOP_K:
        return Pooling(rule, top_k=settings.top_k)
    if rule != ATTENTION:
        return Pooling(rule)
    if validation is None:
        raise UserError("aggregation attention is fitted on validation patients, and there are none; choose another")
    return Pooling(rule, attention=fit_attention(validation))


def with_rule(validation: Units | None, test: Units, settings: EvaluateParams) -> tuple[Units | None, Units]:
    """Images of validation and test with the rule that `settings` asks for."""
    pooling = make_pooling(settings.aggregation, validation, settings)
    return None if validation is None else replace(validation, pooling=pooling), replace(test, pooling=pooling)


def describe_aggregation(validation: Units | None, test: Units, settings: EvaluateParams) -> dict[str, Any]:
    """The rule in use, and how the others compare with the mean on test.

    Parameters
    ----------
    validation, test : Units
        One unit an image, of `with_rule`.

    Returns
    -------
    dict
        ``rule``, the one in use, and ``rules``, by name all but the mean, attention as it was fitted and only with
        validation, as `bycase.statistics.pooling.read_pooling` reads them; ``compared``: see `compare_rules`. The last
        two are absent where no patient has two images.
    """
    content: dict[str, Any] = {"rule": str(test.pooling)}
    if len(number_patient_units(test)[0]) == len(test.truth):
        return content
    rules = [rule for rule in OTHERS if validation is not None or rule != ATTENTION]
    poolings = [make_pooling(rule, validation, settings) for rule in rules]
    content["rules"] = {pooling.rule: str(pooling) for pooling in poolings}
    return content | {"compared": compare_rules(test, poolings)}


def compare_rules(images: Units, poolings: list[Pooling]) -> dict[str, dict[str, Any]]:
    """Patients' AUC under several rules, each less that under the mean.

    Parameters
    ----------
    images : Units
        One unit an image.
    poolings : list of Pooling
        Fixed without a look at these images.

    Returns
    -------
    dict
        By rule, see `compare_units`.
    """
    mean = patient_units(replace(images, pooling=Pooling()))
    others = [patient_units(replace(images, pooling=pooling)) for pooling in poolings]
    names = [pooling.rule for pooling in poolings]
    return dict(zip(names, compare_units([mean] * len(others), others), strict=True))


def compare_units(means: Sequence[Units], others: Sequence[Units]) -> list[dict[str, Any]]:
    """The AUC of each of `others` less that of its counterpart among `means`, which are the same patients.

    Returns
    -------
    list of dict
        ``auc``; ``difference``; its interval ``ci``, the intervals of the whole list together holding with 95 %; ``p``,
        and ``p_holm``, adjusted over the list (Holm, 1979).
    """
    each = [measure_influence("auc", units) for units in others]
    differences = [
        influence_difference(influence.minus(measure_influence("auc", mean)))
        for influence, mean in zip(each, means, strict=True)
    ]
    p = [p_two_sided(difference) for difference in differences]
    return [
        {
            "auc": influence.estimate,
            "difference": difference.estimate,
            "ci": simultaneous_interval(difference, 2 * TAIL, len(differences), adjusted),
            "p": own,
            "p_holm": adjusted,
        }
        for influence, difference, own, adjusted in zip(each, differences, p, holm(p), strict=True)
    ]
