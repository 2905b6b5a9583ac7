import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.statistics.comparison import pairwise
from bycase.statistics.comparison.differences import Difference
from bycase.statistics.comparison.mcnemar import clustered_p, exact_ignoring_clusters
from bycase.statistics.comparison.paired import Paired, paired_benchmark
from bycase.statistics.comparison.pairwise import compare_pairs
from bycase.statistics.comparison.resampling import METRICS, values_of_repeats
from bycase.statistics.metrics import weighted_metrics

SETTINGS: dict[str, Any] = {
    "metric": "auc",
    "level": "image",
    "margin": 0.03,
    "alpha": 0.05,
    "resamples": 1000,
    "seed": 7,
}


def read(files: Any) -> Paired:
    return paired_benchmark(files.predictions, files.about["classes"], files.about["positive"], Path("p.csv"))


def reordered(paired: Paired, order: list[int]) -> Paired:
    return replace(
        paired,
        models=tuple(paired.models[number] for number in order),
        scores=paired.scores[order],
        predicted=paired.predicted[order],
        patient_threshold=paired.patient_threshold[order],
    )


def by_pair(content: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(pair["first"], pair["second"]): pair for pair in content["pairs"]}


@pytest.fixture(scope="module")
def paired(two: Any) -> Paired:
    return read(two)


@pytest.fixture(scope="module")
def content(paired: Paired) -> dict[str, Any]:
    return compare_pairs(paired, **SETTINGS)


def test_content_is_json_with_every_pair_once(content: dict[str, Any], paired: Paired) -> None:
    json.dumps(content, allow_nan=False)
    assert len(content["pairs"]) == 6
    assert len({frozenset(pair) for pair in by_pair(content)}) == 6
    assert content["n_patients"] == 50
    assert content["n_images"] == 200
    assert content["repeats"] == 2


def test_the_spread_over_repeats(content: dict[str, Any], paired: Paired) -> None:
    by_repeat = values_of_repeats(paired)["auc"]
    assert list(content["spread_over_repeats"].values()) == pytest.approx(by_repeat.std(axis=0, ddof=1))
    differences = by_repeat[:, 0] - by_repeat[:, 3]
    assert by_pair(content)["resnet50v2", "alexnet"]["spread_over_repeats"] == pytest.approx(differences.std(ddof=1))


def test_where_trainings_are_all_that_varies_no_root_is_of_less_than_nothing(
    paired: Paired, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {(0, 1): Difference(0.01, 0.0003, 5.0, 50, 20, of_trainings=0.0003 + 1e-17)}
    measured = dict.fromkeys(METRICS, found)
    monkeypatch.setattr(pairwise, "measure_differences", lambda *_: measured)
    (pair,) = compare_pairs(reordered(paired, [0, 1]), **SETTINGS)["pairs"]
    assert pair["patients_needed"] == {"difference": 0, "equivalence": 0}


def test_numbers_of_a_pair_agree(content: dict[str, Any]) -> None:
    for (first, second), pair in by_pair(content).items():
        values = content["values"]["image"]["auc"]
        assert pair["difference"] == pytest.approx(values[first] - values[second])
        assert pair["ci"]["low"] < pair["difference"] < pair["ci"]["high"]
        assert pair["metrics"]["image"]["auc"] == {key: pair[key] for key in ("difference", "ci", "se", "p")}
        assert set(pair["metrics"]["patient"]) == set(METRICS)
        assert pair["p"] <= pair["p_holm"] <= min(1, 6 * pair["p"])
        together = pair["ci_simultaneous"]
        assert together["low"] <= pair["ci"]["low"] or together["low"] == 0
        assert together["high"] >= pair["ci"]["high"] or together["high"] == 0
        assert (together["low"] >= 0 or together["high"] <= 0) == (pair["p_holm"] < 0.05)


def test_better_networks_are_found(content: dict[str, Any]) -> None:
    pairs = by_pair(content)
    for better in ("resnet50v2", "efficientnetlite"):
        pair = pairs[better, "alexnet"]
        assert (pair["verdict"], pair["within_margin"]) == ("better", False)
        assert pair["sentence"].startswith(f"{better} is better than alexnet: image AUC")
        assert pair["mcnemar"]["patient"]["first_only"] > pair["mcnemar"]["patient"]["second_only"]
        assert not any({better, "alexnet"} <= set(group) for group in content["groups"])


def test_images_of_a_patient_are_not_taken_for_independent(content: dict[str, Any], paired: Paired) -> None:
    for pair in content["pairs"]:
        first, second = (paired.right[paired.models.index(pair[side])] for side in ("first", "second"))
        found = pair["mcnemar"]["image"]
        assert found["p_clustered"] == clustered_p(first, second, paired.patient)
        assert found["p_ignoring_clusters"] == exact_ignoring_clusters(first, second).p


def test_every_test_is_adjusted_over_the_pairs(content: dict[str, Any]) -> None:
    tests = {
        "difference": [(pair["p"], pair["p_holm"]) for pair in content["pairs"]],
        "equivalence": [(pair["p_equivalence"], pair["p_equivalence_holm"]) for pair in content["pairs"]],
        "exact": [(of["p"], of["p_holm"]) for pair in content["pairs"] for of in [pair["mcnemar"]["patient"]]],
        "clustered": [
            (of["p_clustered"], of["p_clustered_holm"])
            for pair in content["pairs"]
            for of in [pair["mcnemar"]["image"]]
        ],
    }
    for name, p_values in tests.items():
        raw, adjusted = min(p_values)
        assert adjusted == pytest.approx(min(1, 6 * raw)), name


def test_the_order_of_networks_does_not_matter(content: dict[str, Any], paired: Paired) -> None:
    turned = compare_pairs(reordered(paired, [3, 2, 1, 0]), **SETTINGS)
    assert turned["groups"] == content["groups"]
    mirrored = by_pair(turned)
    words = {"better": "worse", "worse": "better"}
    for (first, second), pair in by_pair(content).items():
        other = mirrored[second, first]
        assert other["verdict"] == words.get(pair["verdict"], pair["verdict"])
        assert other["sentence"] == pair["sentence"]
        assert other["p_holm"] == pytest.approx(pair["p_holm"])
        assert other["difference"] == pytest.approx(-pair["difference"])
        assert other["patients_needed"] == pair["patients_needed"]
        assert other["mcnemar"]["image"]["p_clustered"] == pytest.approx(pair["mcnemar"]["image"]["p_clustered"])
        assert other["mcnemar"]["patient"]["first_only"] == pair["mcnemar"]["patient"]["second_only"]


def test_the_interval_is_of_paired_differences(paired: Paired) -> None:
    """By a bootstrap written out for one pair and a single repeat."""
    paired = paired.of_repeat(int(paired.repeats[0]))
    content = compare_pairs(paired, **SETTINGS)
    random = np.random.default_rng(0)
    counts = random.multinomial(50, np.full(50, 1 / 50), size=2000)
    values = [weighted_metrics(paired.units(number), counts)["auc"] for number in (0, 1)]
    limits = np.quantile(values[0] - values[1], [0.02, 0.98])
    pair = by_pair(content)["resnet50v2", "efficientnetlite"]
    assert [pair["ci"]["low"], pair["ci"]["high"]] == pytest.approx(limits, abs=0.006)


def test_the_same_network_twice_is_not_told_apart(paired: Paired) -> None:
    same = replace(reordered(paired, [0, 0]), models=("a", "b"))
    few = compare_pairs(same, **SETTINGS | {"resamples": 200})
    pair = few["pairs"][0]
    assert (pair["verdict"], pair["p"]) == ("not resolvable", 1)
    assert pair["patients_needed"]["difference"] > 50
    assert "a and b cannot be told apart with 50 patients" in pair["sentence"]
    assert few["groups"] == [["a", "b"]]
    wide = compare_pairs(same, **SETTINGS | {"margin": 0.2, "resamples": 200})
    assert wide["pairs"][0]["verdict"] == "equivalent"


def test_of_errors_the_lower_is_the_better(paired: Paired) -> None:
    found = compare_pairs(paired, **SETTINGS | {"metric": "brier", "level": "patient", "resamples": 500})
    pair = by_pair(found)["efficientnetlite", "alexnet"]
    assert pair["difference"] < 0
    assert pair["verdict"] == "better"
    assert found["groups"][0][0] == "efficientnetlite"


def test_several_classes_and_one_repeat(three: Any) -> None:
    found = compare_pairs(read(three), **SETTINGS | {"resamples": 200})
    json.dumps(found, allow_nan=False)
    assert found["spread_over_repeats"] == {}
    for pair in found["pairs"]:
        assert pair["spread_over_repeats"] is None
        assert pair["metrics"]["image"]["auc"]["difference"] == pair["difference"]


def test_a_single_network_has_no_pairs(paired: Paired) -> None:
    found = compare_pairs(reordered(paired, [1]), **SETTINGS | {"resamples": 100})
    assert found["pairs"] == []
    assert found["groups"] == [["efficientnetlite"]]


def test_unknown_metric_and_level(paired: Paired, three: Any) -> None:
    with pytest.raises(UserError, match=r"compare.metric: unknown metric 'auroc'; choose of: auc, "):
        compare_pairs(paired, **SETTINGS | {"metric": "auroc"})
    with pytest.raises(UserError, match=r"compare.metric: unknown metric 'sensitivity'; choose of: auc, "):
        compare_pairs(read(three), **SETTINGS | {"metric": "sensitivity"})
    with pytest.raises(UserError, match=r"compare.level: unknown level 'slide'; choose of: image, patient"):
        compare_pairs(paired, **SETTINGS | {"level": "slide"})
