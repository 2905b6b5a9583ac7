import time
from collections.abc import Callable

import numpy as np
import pytest
from bycase.statistics.multiclass.bootstrap import weighted_class_metrics
from bycase.statistics.multiclass.units import ClassUnits, patient_class_units
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
    recall_score,
    roc_auc_score,
)

from bycase.statistics.bootstrap import bootstrap

Simulate = Callable[..., ClassUnits]


@pytest.mark.parametrize("level", ["image", "patient"])
def test_weighted_metrics_equal_those_of_repeated_patients(simulate_classes: Simulate, level: str) -> None:
    units = simulate_classes(0, (2, 5, 3))
    units = patient_class_units(units) if level == "patient" else units
    random = np.random.default_rng(1)
    counts = random.multinomial(10, np.full(10, 0.1), size=40)
    metrics = weighted_class_metrics(units, counts)
    lacking = 0
    for row, count in enumerate(counts):
        drawn = np.concatenate([np.flatnonzero(units.patient == p) for p in np.repeat(np.arange(10), count)])
        truth, scores = units.truth[drawn], units.scores[drawn]
        called = units.predicted[drawn]
        held = np.unique(truth)
        lacking += len(held) < 3
        one_hot = np.eye(3)[truth]
        table = multilabel_confusion_matrix(truth, called, labels=held)
        precision, _, f1, _ = precision_recall_fscore_support(truth, called, labels=held, zero_division=0)
        by_class = {
            "recall": table[:, 1, 1] / table[:, 1].sum(axis=1),
            "class_specificity": table[:, 0, 0] / table[:, 0].sum(axis=1),
            "class_precision": precision,
            "class_f1": f1,
            "class_average_precision": [average_precision_score(one_hot[:, k], scores[:, k]) for k in held],
        }
        for name, values in by_class.items():
            assert np.flatnonzero(np.isfinite(metrics[name][row])).tolist() == held.tolist()
            np.testing.assert_allclose(metrics[name][row, held], values, err_msg=name)
        auc = [roc_auc_score(one_hot[:, k], scores[:, k]) for k in held]
        expected = {
            "accuracy": (truth == called).mean(),
            "balanced_accuracy": recall_score(truth, called, labels=held, average="macro"),
            "macro_f1": f1_score(truth, called, labels=held, average="macro", zero_division=0),
            "auc": np.mean(auc),
            "average_precision": np.mean([average_precision_score(one_hot[:, k], scores[:, k]) for k in held]),
            "specificity": by_class["class_specificity"].mean(),
            "brier": brier_score_loss(truth, scores, labels=[0, 1, 2], scale_by_half=True),
            "log_loss": log_loss(truth, scores, labels=[0, 1, 2]),
        }
        assert {name: metrics[name][row] for name in expected} == pytest.approx(expected)
        np.testing.assert_allclose(metrics["class_auc"][row, held], auc)
    assert lacking > 2


def test_resamples_of_one_class_alone_are_left_out() -> None:
    units = ClassUnits(("a", "b", "c"), np.array([0, 1, 2]), np.eye(3), np.arange(3))
    used = bootstrap(units, lambda counts: weighted_class_metrics(units, counts), 4000, np.random.default_rng(0))
    assert np.isfinite(used["auc"]).all()
    assert used["recall"].shape == (len(used["auc"]), 3)
    assert len(used["auc"]) / 4000 == pytest.approx(1 - 3 / 27, abs=0.03)


def test_ranks_are_compared_within_strata(simulate_classes: Simulate) -> None:
    one, two = simulate_classes(0), simulate_classes(1)
    scores = np.vstack([one.scores, 0.5 * two.scores + [0.5, 0, 0]])  # another network's scale
    pooled = ClassUnits(
        one.classes,
        np.append(one.truth, two.truth),
        scores,
        np.append(one.patient, two.patient),
        np.repeat([0, 1], len(one.truth)),
    )
    metrics = weighted_class_metrics(pooled, np.ones((1, 16), np.int64))
    for number in range(3):
        aucs = [roc_auc_score(of.truth == number, of.scores[:, number]) for of in (one, two)]
        assert metrics["class_auc"][0, number] == pytest.approx(np.mean(aucs))  # as many pairs in both
    patients = patient_class_units(pooled)
    assert len(patients.truth) == 32
    assert patients.stratum.tolist() == [0] * 16 + [1] * 16
    np.testing.assert_allclose(patients.scores[16:], 0.5 * patient_class_units(two).scores + [0.5, 0, 0])


def test_seven_classes_and_two_thousand_images_take_seconds(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (20, 30, 60, 10, 70, 130, 14), images=6)
    started = time.perf_counter()
    values = bootstrap(units, lambda counts: weighted_class_metrics(units, counts), 500, np.random.default_rng(0))
    assert time.perf_counter() - started < 5  # a quarter of the resamples
    assert len(values["auc"]) == 500
