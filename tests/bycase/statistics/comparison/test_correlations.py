"""Correlations measured on predictions: put in by hand, recovered; and what is published of a benchmark."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from bycase.statistics.comparison.correlations import measure_resolution
from bycase.statistics.comparison.paired import Paired, paired_benchmark
from bycase.statistics.power.clusters import design_effect, effective_images
from bycase.statistics.power.detectable import auc_variance
from bycase.statistics.power.resolution import METRICS, SCENARIOS
from bycase.tables.out_of_fold import read_out_of_fold

RESULTS = Path(__file__).parents[4] / "results/breakhis-partial"


def make_paired(truth: Any, scores: Any, patient: Any, repeat: Any = None) -> Paired:
    """Networks of two classes in one fold; scores (n_models, n_images) of the second class."""
    scores, n = np.asarray(scores, float), len(truth)
    repeat = np.zeros(n, np.int64) if repeat is None else np.asarray(repeat)
    both = np.stack([1 - scores, scores], axis=-1)
    return Paired(
        tuple(f"m{number}" for number in range(len(scores))),
        ("a", "b"),
        1,
        np.array([f"p{p:03}" for p in range(int(np.max(patient)) + 1)]),
        np.array([f"i{i:05}" for i in range(n)]),
        np.asarray(truth, np.int64),
        both,
        (scores >= 0.5).astype(np.int64),
        np.asarray(patient, np.int64),
        repeat,
        repeat,
        np.full(scores.shape, 0.5),
    )


def simulate(patients: int, images: int, shared: float, seed: int) -> Paired:
    """Two networks on patients whose difficulty, shared by a patient's images, is each network's own."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), images)
    truth = patient % 2
    scores = []
    for _ in range(2):
        own = np.sqrt(shared) * random.normal(size=patients)[patient]
        scores.append(norm.cdf(1.5 * truth - 0.75 + own + np.sqrt(1 - shared) * random.normal(size=len(patient))))
    return make_paired(truth, scores, patient)


def test_independent_images_are_not_correlated() -> None:
    (pair,) = measure_resolution(simulate(400, 10, 0.0, 0), 0.05, 0.8)["pairs"]
    for metric in METRICS:
        assert pair[metric]["patient_correlation"] < 0.03
        assert abs(pair[metric]["model_correlation"]) < 0.05


def test_of_copied_images_the_correlation_is_one() -> None:
    one = simulate(200, 1, 0.5, 1)
    copies = [np.repeat(each, 8) for each in (one.truth, *one.scores[:, :, 1], one.patient)]
    (pair,) = measure_resolution(make_paired(copies[0], copies[1:3], copies[3]), 0.05, 0.8)["pairs"]
    assert pair["accuracy"]["patient_correlation"] == pytest.approx(1, abs=0.01)
    assert pair["auc"]["patient_correlation"] > 0.8  # of Hanley and McNeil's variance, which these scores do not follow
    (single,) = measure_resolution(one, 0.05, 0.8)["pairs"]
    for metric in METRICS:
        assert pair[metric]["se"] == pytest.approx(single[metric]["se"], rel=0.01)


def test_the_accuracys_correlation_is_the_one_that_was_put_in() -> None:
    """Images of which each shares its patient's value with a chance of sqrt(.3) are correlated by .3."""
    random = np.random.default_rng(2)
    patients, images = 3000, 6
    patient = np.repeat(np.arange(patients), images)
    copied = random.random(len(patient)) < np.sqrt(0.3)

    def draw() -> Any:
        return np.where(copied, (random.random(patients) < 0.7)[patient], random.random(len(patient)) < 0.7)

    truth = np.tile([0, 1], len(patient) // 2)
    scores = [np.where(draw(), truth, 1 - truth) for _ in range(2)]
    (pair,) = measure_resolution(make_paired(truth, scores, patient), 0.05, 0.8)["pairs"]
    assert pair["accuracy"]["patient_correlation"] == pytest.approx(0.3, abs=0.02)
    assert pair["accuracy"]["model_correlation"] == pytest.approx(0, abs=0.02)


def test_the_formulas_give_back_the_standard_errors() -> None:
    """What the correlations are for: put into a power calculation, they give the error that was measured."""
    paired = simulate(60, 8, 0.4, 3)
    (pair,) = measure_resolution(paired, 0.05, 0.8)["pairs"]
    sizes = np.full(60, 8)
    accuracy, auc = pair["accuracy"], pair["auc"]
    right = paired.right.astype(float)
    alone = (right[0] - right[1]).var(ddof=1) / len(right[0])
    assert accuracy["se"] ** 2 == pytest.approx(alone * design_effect(sizes, accuracy["patient_correlation"]))
    assert accuracy["model_correlation"] == pytest.approx(np.corrcoef(right)[0, 1])
    worth = effective_images(sizes[:30], auc["patient_correlation"])
    first, second = (
        auc_variance(float((np.subtract.outer(s[paired.truth == 1], s[paired.truth == 0]) > 0).mean()), worth, worth)
        for s in paired.scores[:, :, 1]
    )
    expected = first + second - 2 * auc["model_correlation"] * np.sqrt(first * second)
    assert auc["se"] ** 2 == pytest.approx(expected, rel=1e-6)


def test_networks_that_do_not_differ_say_nothing() -> None:
    one = simulate(20, 5, 0.3, 4)
    measured = measure_resolution(make_paired(one.truth, [one.scores[0, :, 1]] * 2, one.patient), 0.05, 0.8)
    assert measured["pairs"] == [{"first": "m0", "second": "m1"}]
    assert measured["scenarios"] == {"accuracy": {}, "auc": {}}
    json.dumps(measured, allow_nan=False)


def test_a_class_of_one_patient_has_no_auc_to_resolve() -> None:
    many = simulate(20, 5, 0.3, 4)
    measured = measure_resolution(make_paired(many.patient == 0, many.scores[:, :, 1], many.patient), 0.05, 0.8)
    assert set(measured["pairs"][0]) == {"first", "second", "accuracy"}
    assert measured["scenarios"]["auc"] == {}


def test_of_repeats_it_is_the_mean() -> None:
    parts = [simulate(30, 4, 0.3, seed) for seed in (5, 6)]
    single = [measure_resolution(part, 0.05, 0.8)["pairs"][0] for part in parts]
    both = make_paired(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.scores[:, :, 1] for part in parts], axis=1),
        np.concatenate([part.patient for part in parts]),
        np.repeat([0, 1], [len(part.truth) for part in parts]),
    )
    (pair,) = measure_resolution(both, 0.05, 0.8)["pairs"]
    for metric in METRICS:
        for key, value in pair[metric].items():
            assert value == pytest.approx(np.mean([one[metric][key] for one in single]))


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    about = json.loads((RESULTS / "about.json").read_text())
    table = RESULTS / "predictions.csv.gz"
    frame = read_out_of_fold(about["classes"], table)
    return measure_resolution(paired_benchmark(frame, about["classes"], about["positive"], table), 0.05, 0.8)


def test_published_predictions_imply_what_params_yaml_assumes(
    published: dict[str, Any], default_params: dict[str, Any]
) -> None:
    assumed = default_params["power"]
    for metric in METRICS:
        assert round(published[metric], 2) == assumed[metric]
        for key in ("model_correlation", "patient_correlation"):
            values = [round(published["scenarios"][metric][name][key], 2) for name in SCENARIOS]
            assert values == assumed[key][metric]


def test_published_standard_errors_are_those_of_the_clustered_delong_test(published: dict[str, Any]) -> None:
    pairs = json.loads((RESULTS / "comparisons.json").read_text())["pairs"]
    errors = {frozenset((pair["first"], pair["second"])): pair["metrics"]["image"]["auc"]["se"] for pair in pairs}
    for pair in published["pairs"]:
        assert pair["auc"]["se"] == pytest.approx(errors[frozenset((pair["first"], pair["second"]))])
