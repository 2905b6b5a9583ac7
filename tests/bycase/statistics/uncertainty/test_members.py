import numpy as np
import pytest
from bycase.statistics.uncertainty.members import combine_members
from scipy.stats import entropy


def test_members_that_disagree_by_hand() -> None:
    # Two sure members of opposite opinion: all uncertainty is disagreement.
    of = combine_members(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
    assert of.mean.tolist() == [[0.5, 0.5]]
    assert of.entropy == pytest.approx([np.log(2)])
    assert of.expected_entropy == pytest.approx([0])
    assert of.mutual_information == pytest.approx([np.log(2)])


def test_members_that_agree_have_no_mutual_information() -> None:
    of = combine_members(np.tile([[[0.2, 0.3, 0.5]]], (4, 1, 1)))
    assert of.entropy == pytest.approx([entropy([0.2, 0.3, 0.5])])
    assert of.expected_entropy == pytest.approx(of.entropy)
    assert of.mutual_information == pytest.approx([0], abs=1e-12)


def test_mutual_information_is_the_mean_divergence_from_the_mean() -> None:
    members = np.random.default_rng(0).dirichlet([1, 2, 3], size=(6, 10))
    of = combine_members(members)
    divergence = [[entropy(row, mean) for row, mean in zip(member, of.mean, strict=True)] for member in members]
    np.testing.assert_allclose(of.mutual_information, np.mean(divergence, axis=0))
    assert (of.mutual_information > 0).all()
