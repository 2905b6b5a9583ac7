import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from MLstatkit import Delong_test
from scipy.stats import t
from sklearn.metrics import accuracy_score, roc_auc_score
from statsmodels.stats.multitest import multipletests

import bycase
from bycase.apps.judge.assess import JudgeSettings, assess_table
from bycase.apps.judge.options import Options
from bycase.apps.judge.several import compare_tables
from bycase.apps.judge.table import read_predictions
from bycase.studies.benchmark.params import CompareParams
from tests.bycase.api.conftest import Predictions, draw


def three(data: Predictions) -> dict[str, Any]:
    noise = np.random.default_rng(0).random(len(data.y))
    return {"one": data.score, "other": data.other, "noise": noise}


@pytest.mark.parametrize(
    ("metric", "level"), [("auc", "image"), ("accuracy", "patient"), ("average_precision", "image")]
)
def test_the_verdicts_are_those_of_judge(tmp_path: Path, predictions: Predictions, metric: Any, level: Any) -> None:
    scores, tables = three(predictions), []
    for name, score in scores.items():
        frame = pd.DataFrame({"label": predictions.y, "score": score, "patient": predictions.patient})
        frame.assign(image=[f"i{n:03}" for n in range(len(frame))]).to_csv(tmp_path / f"{name}.csv", index=False)
        tables.append(read_predictions(tmp_path / f"{name}.csv", Options()))
    settings = JudgeSettings(None, 300, 7)
    params = CompareParams(metric=metric, level=level, margin=0.05, alpha=0.05, resamples=300)
    metrics = {table.name: assess_table(table, settings) for table in tables}
    want = compare_tables(tables, metrics, settings, params).verdicts
    given = {"metric": metric, "level": level, "margin": 0.05, "resamples": 300}
    found = bycase.compare(predictions.y, scores, predictions.patient, **given)
    assert len(want["pairs"]) == len(found.pairs) == 3
    by_names = {frozenset((pair["first"], pair["second"])): pair for pair in want["pairs"]}
    for pair in found.pairs:
        other = by_names[frozenset((pair.first, pair.second))]
        assert pair.sentence == other["sentence"]
        assert (pair.p, pair.p_equivalence) == pytest.approx((other["p_holm"], other["p_equivalence_holm"]))
        same = pair.first == other["first"]
        assert pair.difference.low == pytest.approx(other["ci"]["low"] if same else -other["ci"]["high"])
    assert [list(group) for group in found.groups] == want["groups"]


def test_differences_and_adjusted_p_values_are_those_of_other_packages() -> None:
    data = draw(60, 1)
    scores = three(data)
    found = bycase.compare(data.y, scores, data.patient, resamples=100)
    assert dict(found.values) == pytest.approx({name: roc_auc_score(data.y, score) for name, score in scores.items()})
    raw = [pair.p_unadjusted for pair in found.pairs]
    assert [pair.p for pair in found.pairs] == pytest.approx(multipletests(raw, method="holm")[1])
    # DeLong's test has the normal distribution where this one has t, with 19 (of the rarer class) to 59 degrees.
    z, p, *_ = Delong_test(data.y, data.score, scores["noise"], n_boot=1)
    assert p < 2 * t.sf(abs(z), 59) < raw[1] < 2 * t.sf(abs(z), 19)


def test_an_independent_and_a_clustered_comparison_differ(predictions: Predictions) -> None:
    scores = three(predictions)
    known = bycase.compare(predictions.y, scores, predictions.patient, resamples=100)
    unknown = bycase.compare(predictions.y, scores, resamples=100)
    assert known.pairs[1].p_unadjusted > unknown.pairs[1].p_unadjusted
    assert "Patients unknown: intervals treat images as independent." in str(unknown)
    assert "unknown" not in str(known)
    assert known.to_dict()["details"]["pairs"][0]["mcnemar"]["image"]["p_ignoring_clusters"] <= 1


def test_each_network_may_have_its_own_threshold_and_frames_are_read(predictions: Predictions) -> None:
    y, patient = predictions.y, predictions.patient
    scores = pd.DataFrame({"one": predictions.score, "other": predictions.other})
    thresholds = {"one": 0.3, "other": 0.7}
    found = bycase.compare(y, scores, patient, metric="accuracy", threshold=thresholds, resamples=100)
    want = {name: accuracy_score(y, scores[name] >= limit) for name, limit in thresholds.items()}
    assert dict(found.values) == pytest.approx(want)
    means = scores.assign(y=y).groupby(patient).mean()
    by_patient = bycase.compare(y, scores, patient, metric="accuracy", level="patient", threshold=thresholds)
    want = {name: accuracy_score(means["y"], means[name] >= limit) for name, limit in thresholds.items()}
    assert dict(by_patient.values) == pytest.approx(want)
    columns = {name: pd.DataFrame({0: 1 - scores[name], 1: scores[name]}) for name in scores}
    same = bycase.compare(y, columns, patient, metric="accuracy", threshold=thresholds, resamples=100)
    assert same.pairs == found.pairs


def test_a_single_pair_is_its_own_sentence_and_several_are_summed_up(predictions: Predictions) -> None:
    scores = three(predictions)
    found = bycase.compare(predictions.y, scores, predictions.patient, resamples=100)
    assert str(found).startswith("192 images of 24 patients, AUC by image (one .")
    assert len(found.to_frame()) == 3
    pair = bycase.compare(predictions.y, {name: scores[name] for name in ("noise", "one")}, resamples=100)
    assert pair.pairs[0].verdict == "worse"
    assert str(pair).startswith("one is better than noise: image AUC")


def test_equal_networks_are_not_told_apart(predictions: Predictions) -> None:
    found = bycase.compare(predictions.y, {"a": predictions.score, "b": predictions.score}, predictions.patient)
    assert found.pairs[0].verdict == "not resolvable"
    assert found.pairs[0].p == 1
    unknown = bycase.compare(predictions.y, {"a": predictions.score, "b": predictions.score}, resamples=100)
    assert "cannot be told apart with 24 patients" in str(found)
    assert "cannot be told apart with 192 images" in str(unknown)
    assert found.pairs[0].difference.low < 0 < found.pairs[0].difference.high


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"scores": {"a": [0.1, 0.2, 0.3, 0.4]}}, "scores: two networks are needed to compare, but there are 1"),
    ({"scores": [[0.1], [0.2]]}, "scores: give a mapping, or a frame, of each network's name to its scores"),
    ({"scores": {"a": [0.1] * 4, "b": [0.1, 0.2]}}, "scores of b has 2 values, but there are 4 images: give one an "
        "image"),
    ({"scores": {"a": [0.1] * 4, "b": [0.1, 0.2, np.nan, 0]}}, "scores of b: 1 of 4 images have NaN or no finite "
        "number, the first at position 2"),
    ({"level": "case"}, "level: 'case' is none of image, patient"),
    ({"level": "patient", "patient": None}, "level: patients are unknown, so that nothing is compared by patient; say "
        "whose each image is"),
    ({"metric": "f2"}, "metric: unknown metric 'f2'; choose of: auc, average_precision, accuracy, balanced_accuracy, "
        "sensitivity, specificity, macro_f1, brier, log_loss"),
    ({"margin": 0}, "margin: 0 is not between 0 and 0.5"),
    ({"alpha": 0.5}, "alpha: 0.5 is not between 0 and 0.5"),
    ({"threshold": {"a": 0.5}}, "threshold: none is given for b"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), FAULTS)
def test_what_cannot_be_compared_is_said_in_one_line(changed: dict[str, Any], message: str) -> None:
    scores = {"a": [0.1, 0.6, 0.4, 0.9], "b": [0.4, 0.1, 0.3, 0.8]}
    given = {"y_true": [0, 0, 1, 1], "scores": scores, "patient": list("aabc")} | changed
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bycase.compare(**given)
