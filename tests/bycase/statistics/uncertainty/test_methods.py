import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.metrics import roc_auc_score

from bycase.statistics.calibration.assessment import assess_temperatures
from bycase.statistics.uncertainty.assessment import assess_methods
from bycase.statistics.uncertainty.members import combine_members
from bycase.statistics.uncertainty.summary import summarise, tabulate_risk
from bycase.statistics.uncertainty.table import METHODS, add_sets, make_table, units_of
from tests.fixtures.units import binary_units


def simulate(n_classes: int, members: int = 3, n_patients: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    patient = np.repeat(np.arange(n_patients), 5)
    truth = patient % n_classes
    odds = np.eye(n_classes)[truth] + random.normal(size=(n_patients, n_classes))[patient]
    scores = np.exp(odds + random.normal(size=(members, len(truth), n_classes)))
    return truth, patient, scores / scores.sum(axis=2, keepdims=True)


def make_test_table(n_classes: int) -> tuple[pd.DataFrame, list[str], np.ndarray]:
    truth, patient, members = simulate(n_classes)
    classes = list("abcd"[:n_classes])
    part = pd.DataFrame({"image": [f"{n:02}.png" for n in range(len(truth))], "group": patient.astype(str)})
    part["label"] = np.array(classes)[truth]
    combined = dict(zip(METHODS, (combine_members(members[:k]) for k in (1, 2, 3)), strict=True))
    table = make_table(part, combined, dict.fromkeys(METHODS, 0.4) if n_classes == 2 else None, classes)
    sets = {"image": combined["plain"].mean >= 0.4, "patient": combined["plain"].mean >= 0.2}
    return add_sets(table, sets, classes), classes, patient


def test_differences_are_paired() -> None:
    truth, patient, members = simulate(2)
    plain = binary_units(truth, members[0, :, 1], patient)
    better = binary_units(truth, np.clip(members[0, :, 1] + 0.02 * np.where(truth == 1, 1, -1), 0, 1), patient)
    found = assess_methods({"plain": plain, "better": better}, 300, 7)
    assert found["better"]["auc"] == pytest.approx(roc_auc_score(truth, better.scores[:, 1]))
    difference = found["better"]["difference"]
    assert difference["brier"] == pytest.approx(found["better"]["brier"] - found["plain"]["brier"])
    assert difference["ci"]["brier"]["high"] < 0  # although both intervals are wide
    assert found["plain"]["ci"]["brier"]["high"] > found["better"]["ci"]["brier"]["low"]
    calibration = assess_temperatures(plain, 1.0, 7)["before"]
    assert found["plain"]["ece"] == pytest.approx(calibration["ece"])
    assert "ece" not in found["plain"]["ci"]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_summary_has_the_same_keys_and_finite_numbers(n_classes: int) -> None:
    table, classes, patient = make_test_table(n_classes)
    positive = "b" if n_classes == 2 else None
    found = summarise(table, classes, positive, patient, None, 0.8, 100, 7)
    assert set(found) == {"coverage", *METHODS, "conformal", "selective", "n", "n_patients"}
    assert "difference" not in found["plain"]
    assert found["tta"]["mutual_information"] == pytest.approx(table["tta_mutual_information"].mean())
    covered = [row[f"set_{row['label']}"] for _, row in table.iterrows()]
    assert found["conformal"]["image"]["coverage"] == pytest.approx(np.mean(covered))
    by_patient = pd.Series(covered).groupby(patient).mean()
    assert found["conformal"]["image"]["patients_covered"] == pytest.approx((by_patient >= 0.8).mean())
    assert found["conformal"]["image"]["patient_coverage"] == pytest.approx(by_patient.mean())
    assert found["conformal"]["patient"]["size"] >= found["conformal"]["image"]["size"]
    assert set(found["conformal"]["image"]["per_class"]) == set(classes)
    for of in found["conformal"].values():
        for numbers, ends in ((of, dict(of["ci"])), (of["per_class"], of["ci"]["per_class"])):
            ends.pop("per_class", None)
            assert set(ends) >= set(of["per_class"]) or numbers is of
            assert all(limits["low"] <= numbers[name] <= limits["high"] for name, limits in ends.items())
    assert 0 < found["selective"]["plain"]["aurc"] < 1 - found["plain"]["accuracy"] + 0.2


def test_folds_one_below_the_other_are_ranked_within() -> None:
    table, classes, patient = make_test_table(2)
    # A second fold of other patients, whose network gives the same images higher probabilities.
    shifted = table.assign(**{f"{m}_b": table[f"{m}_b"] ** 0.1 for m in METHODS})
    shifted = shifted.assign(**{f"{m}_a": 1 - shifted[f"{m}_b"] for m in METHODS})
    both, patients = pd.concat([table, shifted]), np.concatenate([patient, patient + 12])
    folds = np.repeat([0, 1], len(table))
    alone = summarise(table, classes, "b", patient, None, 0.8, 100, 7)
    within = summarise(both, classes, "b", patients, folds, 0.8, 100, 7)
    across = summarise(both, classes, "b", patients, None, 0.8, 100, 7)
    assert within["plain"]["auc"] == pytest.approx(alone["plain"]["auc"])
    assert across["plain"]["auc"] < within["plain"]["auc"]
    assert within["selective"]["plain"]["aurc"] == pytest.approx(alone["selective"]["plain"]["aurc"])
    assert within["n"] == 2 * alone["n"]


def test_the_curve_ends_at_the_error_of_all_images() -> None:
    table, classes, patient = make_test_table(3)
    curve = tabulate_risk(table, classes, patient, None, 7)
    ends = curve[curve["coverage"] == 1]
    assert ends["risk"].tolist() == pytest.approx([(table["plain_predicted"] != table["label"]).mean()] * 3)
    assert ((curve["low"] <= curve["risk"]) & (curve["risk"] <= curve["high"])).all()


def test_units_of_two_classes_are_of_the_positive_one() -> None:
    table, classes, patient = make_test_table(2)
    units = units_of(table, "tta", classes, "b", patient)
    assert units.positive == 1
    np.testing.assert_array_equal(units.scores[:, 1], table["tta_b"])
    np.testing.assert_array_equal(units.truth, table["label"] == "b")
    np.testing.assert_array_equal(units.predicted, table["tta_b"] >= 0.4)


def test_members_that_disagree_by_hand() -> None:
    # Two sure members of opposite opinion: all uncertainty is disagreement.
    combined = combine_members(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
    assert combined.mean.tolist() == [[0.5, 0.5]]
    assert combined.entropy == pytest.approx([np.log(2)])
    assert combined.expected_entropy == pytest.approx([0])
    assert combined.mutual_information == pytest.approx([np.log(2)])


def test_members_that_agree_have_no_mutual_information() -> None:
    combined = combine_members(np.tile([[[0.2, 0.3, 0.5]]], (4, 1, 1)))
    assert combined.entropy == pytest.approx([entropy([0.2, 0.3, 0.5])])
    assert combined.expected_entropy == pytest.approx(combined.entropy)
    assert combined.mutual_information == pytest.approx([0], abs=1e-12)


def test_mutual_information_is_the_mean_divergence_from_the_mean() -> None:
    members = np.random.default_rng(0).dirichlet([1, 2, 3], size=(6, 10))
    combined = combine_members(members)
    divergence = [[entropy(row, mean) for row, mean in zip(member, combined.mean, strict=True)] for member in members]
    np.testing.assert_allclose(combined.mutual_information, np.mean(divergence, axis=0))
    assert (combined.mutual_information > 0).all()
