from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import ttest_ind
from statsmodels.stats.multitest import multipletests

from bycase.statistics.interactions import METRICS, assess_interactions
from bycase.statistics.units import Units
from tests.fixtures.units import binary_units, leaves

Simulate = Callable[..., Units]


def halves(units: Units, by: np.ndarray) -> dict[str, np.ndarray]:
    return {"one": by == 0, "other": by == 1}


def make(seed: int, worse: float = 0.0, patients: int = 40, images: int = 8) -> tuple[Units, np.ndarray]:
    """Half of the patients of either class are of the second site, where the signal is smaller by `worse`."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), images)
    truth, site = patient % 2 == 0, (patient // 2) % 2
    signal = (2.0 - worse * site) * (truth - 0.5)
    logit = signal + 0.7 * random.normal(size=patients)[patient] + random.normal(size=len(patient))
    return binary_units(truth, 1 / (1 + np.exp(-logit)), patient), site


def test_a_planted_interaction_is_found_at_both_levels_and_none_is_not() -> None:
    for worse, wanted in ((2.0, True), (0.0, False)):
        units, site = make(0, worse)
        found = assess_interactions(units, {"site": halves(units, site)}, 0.5, 7)
        for metric in ("auc", "accuracy"):
            test = found["image"]["site"][metric]
            assert (test["p"] < 0.01) == wanted
            assert test["subgroups"] == 2
        assert (found["patient"]["site"]["auc"]["p"] < 0.05) == wanted


def test_of_one_unit_a_patient_and_two_subgroups_it_is_nearly_welchs_test() -> None:
    """Second source: SciPy's test of two independent means."""
    random = np.random.default_rng(1)
    n = 120
    truth, site = np.arange(n) % 2 == 0, (np.arange(n) // 2) % 2
    right = random.random(n) < np.where(site == 1, 0.65, 0.85)
    units = binary_units(truth, np.where(right == truth, 0.9, 0.1), np.arange(n))
    found = assess_interactions(units, {"site": halves(units, site)}, 0.5, 7)["image"]["site"]["accuracy"]
    expected = ttest_ind(right[site == 0].astype(float), right[site == 1].astype(float), equal_var=False).pvalue
    assert found["p"] == pytest.approx(float(expected), abs=0.02)


def test_images_of_one_patient_are_no_evidence_of_their_own() -> None:
    random = np.random.default_rng(2)
    patient = np.repeat(np.arange(16), 30)
    truth, site = patient % 2 == 0, (patient // 2) % 2
    right = (random.random(16) < np.where(np.arange(16) // 2 % 2 == 1, 0.5, 0.8))[patient]
    scores = np.where(right == truth, 0.9, 0.1)
    by_patient, by_image = (
        assess_interactions(units, {"site": halves(units, site)}, 0.5, 7)["image"]["site"]["accuracy"]["p"]
        for units in (binary_units(truth, scores, patient), binary_units(truth, scores, np.arange(len(patient))))
    )
    assert by_image < 0.01 < by_patient


@pytest.mark.slow
@pytest.mark.parametrize("patients", [20, 40])
def test_no_interaction_is_found_no_oftener_than_said(patients: int) -> None:
    ps: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for seed in range(150):
        units, site = make(seed, 0.0, patients)
        found = assess_interactions(units, {"site": halves(units, site)}, 0.5, seed)["image"]["site"]
        for metric, test in found.items():
            ps[metric].append(test["p"])
    for metric, values in ps.items():
        assert np.mean(np.array(values) <= 0.05) < 0.06 + 2 * np.sqrt(0.05 * 0.95 / 150), metric


def test_p_values_are_adjusted_over_the_columns_of_a_metric() -> None:
    units, site = make(3, 1.0)
    columns = {"site": site, "half": (np.arange(len(site)) % 8 < 4) * 1, "third": (units.patient % 3 == 0) * 1}
    found = assess_interactions(units, {name: halves(units, by) for name, by in columns.items()}, 0.5, 7)
    for tests in found.values():
        for metric in METRICS:
            raw, adjusted = zip(*((test[metric]["p"], test[metric]["p_holm"]) for test in tests.values()), strict=True)
            assert adjusted == pytest.approx(multipletests(raw, method="holm")[1].tolist())


def test_small_subgroups_and_single_classes_are_left_out(simulate_classes: Simulate) -> None:
    units, site = make(4)
    few = {"site": halves(units, site) | {"rare": units.patient < 2}}
    assert assess_interactions(units, few, 0.5, 7)["image"]["site"]["auc"]["subgroups"] == 2
    by_class = {"subtype": {"a": units.truth == 0, "b": units.truth == 1}}
    found = assess_interactions(units, by_class, 0.5, 7)["image"]["subtype"]
    assert set(found) == {"accuracy"}
    assert assess_interactions(units, {"alone": {"all": site >= 0}}, 0.5, 7) == {"image": {}, "patient": {}}
    several = simulate_classes(0, (8, 9, 8))
    by_image = {"part": halves(several, np.arange(len(several.truth)) % 2)}
    found = assess_interactions(several, by_image, None, 7)["image"]["part"]
    assert set(found) == {"auc", "accuracy"}
    assert all(np.isfinite(leaves(found)))
