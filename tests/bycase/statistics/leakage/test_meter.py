import json
from typing import Any

import numpy as np
import pytest

from bycase.statistics.leakage.levels import LEVELS, find_levels
from bycase.statistics.leakage.meter import measure_leakage

SETTINGS: dict[str, Any] = {"folds": 5, "repeats": 2, "logistic_C": 0.1, "resamples": 300, "seed": 7}


def measure(sample: Any, **changes: Any) -> dict[str, Any]:
    features, manifest = sample
    settings = SETTINGS | changes
    return measure_leakage(features, manifest, find_levels(manifest, settings["folds"]), **settings)


def test_identity_inflates_and_the_interval_says_so(make_sample: Any) -> None:
    found = measure(make_sample(signal=1.0, identity=2.0))
    image, folder, case = (found[level]["auc"] for level in ("image", "folder", "case"))
    assert image > folder > case
    assert found["inflation"]["auc"] == pytest.approx(100 * (image - case))
    limits = found["inflation"]["ci"]["auc"]
    assert 0 < limits["low"] < found["inflation"]["auc"] < limits["high"]
    assert found["inflation"] == found["image"]["inflation"]
    assert found["case"]["inflation"]["auc"] == 0
    assert found["group"] is None
    assert found["strictest"] == "case"


def test_patients_are_resampled_not_images(make_sample: Any) -> None:
    features, manifest = make_sample(signal=1.0, identity=2.0)
    alone = manifest.assign(group=[f"{k}" for k in range(len(manifest))])
    levels = find_levels(manifest, 5)
    width = []
    for table in (manifest, alone):
        limits = measure_leakage(features, table, levels, **SETTINGS)["case"]["ci"]["auc"]
        width.append(limits["high"] - limits["low"])
    assert width[0] > 1.5 * width[1]


def test_without_identity_nothing_is_inflated(make_sample: Any) -> None:
    found = measure(make_sample(signal=1.0, identity=0.0))
    for metric in ("auc", "accuracy"):
        limits = found["inflation"]["ci"][metric]
        assert limits["low"] < 0 < limits["high"]
        assert abs(found["inflation"][metric]) < 3


def test_the_difference_is_paired(make_sample: Any) -> None:
    """Resampled alike, two levels share their patients' luck: unpaired, the interval would be as wide as both."""
    found = measure(make_sample(signal=1.0, identity=0.0))
    paired = found["inflation"]["ci"]["auc"]
    width = [
        100 * (found[level]["ci"]["auc"]["high"] - found[level]["ci"]["auc"]["low"]) for level in ("image", "case")
    ]
    assert paired["high"] - paired["low"] < 0.6 * np.hypot(*width)


def test_it_repeats_exactly_and_is_plain_json(make_sample: Any) -> None:
    first, second = (measure(make_sample(signal=1.0, identity=1.0)) for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(second)
    assert first != measure(make_sample(signal=1.0, identity=1.0), seed=8)


@pytest.mark.parametrize("classes", [2, 3])
def test_keys_are_the_same_for_all_data_sets(make_sample: Any, classes: int) -> None:
    features, manifest = make_sample(signal=1.0, classes=classes)
    own = manifest.assign(folder="", case=manifest["image"], group=manifest["image"])
    full, bare = measure((features, manifest)), measure((features, own))
    assert list(full) == list(bare)
    assert full["n_classes"] == classes
    assert set(LEVELS) < set(full)
    assert bare["strictest"] == "image"
    assert bare["inflation"]["auc"] == 0


def test_a_perfect_score_has_no_perfect_interval(make_sample: Any) -> None:
    found = measure(make_sample(signal=60.0))
    assert found["case"]["auc"] == 1
    assert found["case"]["ci"]["auc"]["low"] < 0.9
