from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bycase.core.errors import UserError
from bycase.core.params_training import EvaluateParams
from bycase.statistics.aggregation import (
    compare_rules,
    describe_aggregation,
    fit_attention,
    make_pooling,
    with_rule,
)
from bycase.statistics.assessment import assess
from bycase.statistics.pooling import ATTENTION, Pooling, pooling_of
from bycase.statistics.units import Units, patient_units, predict_classes

IMAGES = 12


def settings(**changes: object) -> EvaluateParams:
    given = {"threshold": "youden", "fixed_threshold": 0.5, "resamples": 100, "batch_size": 4}
    return EvaluateParams.model_validate(given | changes)


def make_units(seed: int, n_patients: int = 40, knowing: int = IMAGES, strength: float = 1.0) -> Units:
    """Patients, half of each class, of whose images only the first few know the class."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(n_patients) % 2, IMAGES)
    knows = np.tile(np.arange(IMAGES) < knowing, n_patients)
    logits = random.normal(size=len(truth)) * 0.5 + knows * strength * (2 * truth - 1)
    p = 1 / (1 + np.exp(-logits))
    scores = np.column_stack([1 - p, p])
    patient = np.repeat(np.arange(n_patients), IMAGES)
    return Units(("benign", "malignant"), truth, scores, predict_classes(scores, 1, 0.5), patient, positive=1)


def test_attention_without_a_reason_is_the_mean() -> None:
    units = make_units(1)
    assert fit_attention(replace(units, scores=np.full_like(units.scores, 0.5))) == (0.0, 0.0)


def test_attention_finds_that_sure_images_are_those_that_know_and_few_patients_say_less() -> None:
    sure, _ = fit_attention(make_units(2, knowing=2, strength=4.0))
    assert sure > 1
    assert fit_attention(make_units(2, n_patients=4, knowing=2, strength=4.0))[0] < sure


def test_attention_is_fitted_on_validation_alone() -> None:
    validation, test = make_units(3, knowing=3, strength=3.0), make_units(4, knowing=3, strength=3.0)
    given = settings(aggregation="attention")
    _, one = with_rule(validation, test, given)
    _, other = with_rule(validation, replace(test, scores=test.scores[:, ::-1]), given)
    assert one.pooling == other.pooling == Pooling(ATTENTION, attention=fit_attention(validation))
    with pytest.raises(UserError, match="fitted on validation patients"):
        make_pooling(ATTENTION, None, given)


def test_the_comparison_is_that_of_two_aucs() -> None:
    test = make_units(5, knowing=3, strength=1.5)
    compared = compare_rules(test, [Pooling("median"), Pooling("top_k", top_k=3)])
    by_patient, truth = test.scores[:, 1].reshape(-1, IMAGES), test.truth[::IMAGES]
    mean = roc_auc_score(truth, by_patient.mean(axis=1))
    median = roc_auc_score(truth, np.median(by_patient, axis=1))
    top = roc_auc_score(truth, np.sort(by_patient, axis=1)[:, -3:].mean(axis=1))
    assert compared["median"]["auc"] == pytest.approx(median)
    assert compared["median"]["difference"] == pytest.approx(median - mean)
    assert compared["top_k"]["difference"] == pytest.approx(top - mean)
    for each in compared.values():
        excludes = each["ci"]["low"] > 0 or each["ci"]["high"] < 0
        assert excludes == (each["p_holm"] < 0.05)
        assert each["p_holm"] >= each["p"]


def test_a_rule_that_is_the_mean_is_not_shown_to_differ() -> None:
    (same,) = compare_rules(make_units(6), [Pooling("top_k", top_k=IMAGES)]).values()
    assert same["difference"] == pytest.approx(0)
    assert same["ci"]["low"] <= 0 <= same["ci"]["high"]
    assert same["p_holm"] == 1


def test_patients_of_one_image_have_nothing_to_compare() -> None:
    test = make_units(7)
    alone = replace(test, patient=np.arange(len(test.truth)))
    assert describe_aggregation(None, alone, settings()) == {"rule": "mean"}


@pytest.mark.parametrize("rule", ["mean", "median", "top_k", "attention"])
def test_the_patient_level_follows_the_rule(rule: str) -> None:
    validation, test = make_units(8, knowing=4), make_units(9, knowing=4)
    priors = {level: np.array([0.5, 0.5]) for level in ("image", "patient")}
    metrics = assess(validation, test, priors, settings(aggregation=rule, top_k=3), 7)
    pooled = patient_units(replace(test, pooling=pooling_of(metrics)))
    assert metrics["patient"]["auc"] == pytest.approx(roc_auc_score(pooled.truth, pooled.scores[:, 1]))
    assert metrics["calibration"]["patient"]["before"]["brier"] == pytest.approx(metrics["patient"]["brier"])
    assert metrics["image"]["auc"] == pytest.approx(roc_auc_score(test.truth, test.scores[:, 1]))
    compared = metrics["aggregation"]["compared"]
    assert sorted(compared) == ["attention", "median", "top_k"]
    assert rule == "mean" or compared[rule]["auc"] == pytest.approx(metrics["patient"]["auc"])
