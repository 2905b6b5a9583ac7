import numpy as np
import pytest
from scipy.stats import binomtest, t

from bycase.statistics.comparison.mcnemar import clustered_p, exact_by_patient, exact_ignoring_clusters


def table(both: int, first_only: int, second_only: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    cells = np.repeat(
        [[True, True], [True, False], [False, True], [False, False]], [both, first_only, second_only, neither], axis=0
    )
    return cells[:, 0], cells[:, 1]


# A textbook's table: 314 persons before and after a drug, chi-squared 21.35 with one degree of freedom.
BEFORE, AFTER = table(101, 121, 59, 33)
SINGLES = np.arange(314)


def test_exact_is_binomial() -> None:
    found = exact_by_patient(BEFORE, AFTER, SINGLES)
    assert (found.first_only, found.second_only) == (121, 59)
    assert found.p == pytest.approx(binomtest(121, 180).pvalue)
    assert found == exact_ignoring_clusters(BEFORE, AFTER)
    mirrored = exact_by_patient(AFTER, BEFORE, SINGLES)
    assert (mirrored.first_only, mirrored.p) == (59, found.p)


def test_clustered_of_single_images_is_the_root_of_the_textbooks_chi_squared() -> None:
    root = t.isf(clustered_p(BEFORE, AFTER, SINGLES) / 2, 313)
    assert root**2 * 314 / 313 == pytest.approx(21.35, abs=0.01)


def test_copies_of_images_are_no_evidence() -> None:
    first, second = table(20, 9, 3, 4)
    patient = np.arange(36)
    copies = [np.repeat(array, 5) for array in (first, second, patient)]
    assert clustered_p(*copies) == pytest.approx(clustered_p(first, second, patient))
    assert exact_by_patient(*copies) == exact_by_patient(first, second, patient)
    assert exact_ignoring_clusters(*copies[:2]).p < 0.001 < 0.05 < exact_ignoring_clusters(first, second).p


def test_a_patient_speaks_once() -> None:
    patient = np.array([0, 0, 0, 1, 1, 2, 2, 3])
    first = np.array([1, 1, 0, 1, 0, 0, 0, 1], bool)
    second = np.array([0, 0, 1, 0, 1, 1, 1, 0], bool)
    found = exact_by_patient(first, second, patient)
    assert (found.first_only, found.second_only, found.p) == (2, 1, 1)
    lead = np.array([1, 0, -2, 1])
    root = abs(lead.sum()) / np.sqrt(4 / 3 * (lead**2).sum())
    assert clustered_p(first, second, patient) == pytest.approx(2 * t.sf(root, 3))


def test_networks_that_agree() -> None:
    right = np.array([True, False, True])
    assert exact_by_patient(right, right, np.arange(3)).p == 1
    assert clustered_p(right, right, np.arange(3)) == 1
    assert clustered_p(right, ~right, np.zeros(3, int)) == 1
