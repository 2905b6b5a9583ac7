from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bycase.statistics.leakage import probe
from bycase.statistics.leakage.probe import NOT_APPLICABLE, count_right, probe_group, probe_magnification


def count_by_hand(features: NDArray[np.float64], answer: NDArray[np.int64], held_out: NDArray[np.int64]) -> int:
    right = 0
    for image, unit in enumerate(held_out):
        others = held_out != unit
        distance = {
            one: np.linalg.norm(features[image] - features[others & (answer == one)].mean(axis=0))
            for one in set(answer[others])
        }
        right += min(distance, key=lambda one: distance[one]) == answer[image]
    return right


@pytest.mark.parametrize("units", [60, 12, 4])
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_counts_are_those_of_centroids_written_out(units: int, strength: float) -> None:
    random = np.random.default_rng(units)
    answer = random.permutation(np.arange(60) % 5)
    features = random.normal(size=(60, 7)) + strength * random.normal(size=(5, 7))[answer]
    held_out = random.permutation(np.arange(60) % units)
    assert count_right(features @ features.T, answer, held_out) == count_by_hand(features, answer, held_out)


def test_an_answer_that_no_other_image_has_is_not_guessed() -> None:
    features = np.eye(4)
    answer = np.array([0, 0, 1, 1])
    assert count_right(features @ features.T, answer, answer) == 0


def test_patients_are_recognised_only_where_features_tell_them(make_sample: Any) -> None:
    known = probe_group(*make_sample(identity=1.5), permutations=40, seed=1)
    assert known["accuracy"] > 0.8
    assert known["chance"] == pytest.approx(1 / 15, abs=0.03)
    assert known["p"] == pytest.approx(1 / 41)
    assert (known["n_images"], known["n_answers"]) == (240, 30)
    unknown = probe_group(*make_sample(identity=0.0), permutations=40, seed=1)
    assert unknown["accuracy"] < 0.12
    assert unknown["p"] > 0.05


def test_class_does_not_pass_for_patient(make_sample: Any) -> None:
    assert probe_group(*make_sample(signal=20.0), permutations=40, seed=1)["p"] > 0.05


def test_magnification_does_not_pass_for_patient(make_sample: Any) -> None:
    features, manifest = make_sample()
    # A patient has one magnification, which the features show: the patient is guessed better than at
    # 1/15, yet by no more than the magnification tells.
    manifest["magnification"] = np.where(manifest["group"].str[6:].astype(int) % 4 < 2, 40, 200)
    features[manifest["magnification"] == 40] += 3
    found = probe_group(features, manifest, permutations=40, seed=1)
    assert found["chance"] > 0.1
    assert found["p"] > 0.05


def test_magnification_is_guessed_on_other_patients(make_sample: Any) -> None:
    features, manifest = make_sample(identity=1.0)
    assert probe_magnification(features, manifest, permutations=40, seed=1)["p"] > 0.05
    features[manifest["magnification"] == 40, 5] += 4
    found = probe_magnification(features, manifest, permutations=40, seed=1)
    assert found["accuracy"] > 0.6 > found["chance"]
    assert found["p"] == pytest.approx(1 / 41)
    assert found["n_answers"] == 2


def test_nothing_to_guess_has_the_same_keys_and_no_numbers(make_sample: Any) -> None:
    features, manifest = make_sample()
    manifest = manifest.assign(magnification=0, group=manifest["image"])
    assert probe_magnification(features, manifest, permutations=40, seed=1) == NOT_APPLICABLE
    assert probe_group(features, manifest, permutations=40, seed=1) == NOT_APPLICABLE


def test_large_data_are_thinned_by_whole_patients(make_sample: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "MOST_IMAGES", 50)
    found = probe_group(*make_sample(identity=1.5), permutations=20, seed=1)
    assert found["n_images"] == 2 * 48
    assert found["n_answers"] == 2 * 6
