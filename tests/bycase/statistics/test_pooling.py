import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.statistics.pooling import ATTENTION, Pooling, attention_weights, image_views, read_pooling

# Two patients: four images, and one.
POSITIVE = np.array([0.1, 0.9, 0.2, 0.6, 0.5])
SCORES = np.column_stack([1 - POSITIVE, POSITIVE])
GROUP = np.array([0, 0, 0, 0, 1])
THREE = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])


def pooled(pooling: Pooling) -> list[float]:
    scores = pooling.pool(SCORES, GROUP, 1)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    return [float(score) for score in scores[:, 1]]


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        (Pooling("mean"), 0.45),
        (Pooling("median"), 0.4),
        (Pooling("top_k", top_k=1), 0.9),
        (Pooling("top_k", top_k=2), 0.75),
        (Pooling("top_k", top_k=9), 0.45),
        (Pooling("top_k", top_k=0.25), 0.9),
        (Pooling("top_k", top_k=0.3), 0.75),
        (Pooling("attention"), 0.45),
    ],
    ids=str,
)
def test_by_hand(pooling: Pooling, expected: float) -> None:
    assert pooled(pooling) == pytest.approx([expected, 0.5])


def test_a_share_of_a_hundred_images_is_not_one_more_by_rounding() -> None:
    values = np.arange(100) / 100
    scores = np.column_stack([1 - values, values])
    assert Pooling("top_k", top_k=0.07).pool(scores, np.zeros(100, int), 1)[0, 1] == pytest.approx(0.96)


def test_attention_by_hand() -> None:
    # One bit of entropy where both classes are as probable: not sure at all, and pointing nowhere.
    assert image_views(np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]]), 1).tolist() == [[0, 0], [1, 1], [1, -1]]
    scores, group, attention = np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 0]), (0.0, float(np.log(3)))
    assert attention_weights(scores, group, 1, attention).tolist() == pytest.approx([0.25, 0.75])
    assert Pooling(ATTENTION, attention=attention).pool(scores, group, 1)[0, 1] == pytest.approx(0.875)


def test_much_attention_is_the_highest_image_or_the_lowest() -> None:
    assert pooled(Pooling(ATTENTION, attention=(0.0, 500.0))) == pytest.approx([0.9, 0.5])
    assert pooled(Pooling(ATTENTION, attention=(0.0, -500.0))) == pytest.approx([0.1, 0.5])


def test_several_classes_sum_to_one() -> None:
    group = np.array([0, 0, 0])
    np.testing.assert_allclose(Pooling("median").pool(THREE, group, None), [[0.25, 0.375, 0.375]])
    top = Pooling("top_k", top_k=1).pool(THREE, group, None)
    np.testing.assert_allclose(top, [[0.6 / 1.9, 0.5 / 1.9, 0.8 / 1.9]])
    np.testing.assert_allclose(Pooling("attention", attention=(1.0, 0.0)).pool(THREE, group, None).sum(axis=1), 1)


@pytest.mark.parametrize("rule", ["mean", "median", "top_k", "attention"])
def test_the_order_of_images_says_nothing(rule: str) -> None:
    random = np.random.default_rng(0)
    scores, group = random.dirichlet([1, 1, 1], 60), np.arange(60) % 7
    order, pooling = random.permutation(60), Pooling(rule, top_k=0.4, attention=(0.7, 0.0))
    again = pooling.pool(scores[order], group[order], None)
    np.testing.assert_allclose(pooling.pool(scores, group, None), again, rtol=1e-12)


@pytest.mark.parametrize(
    "pooling",
    [
        Pooling(),
        Pooling("median"),
        Pooling("top_k", top_k=3),
        Pooling("top_k", top_k=0.25),
        Pooling(ATTENTION, attention=(0.25, -1.5)),
    ],
    ids=str,
)
def test_a_rule_is_read_as_it_was_written(pooling: Pooling) -> None:
    assert read_pooling(str(pooling)) == pooling


@pytest.mark.parametrize(
    "text", ["", "max", "median 3", "top_k", "top_k 0", "top_k nan", "attention 1", "attention a b"]
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"is no rule .*mean, median, top_k, attention"):
        read_pooling(text)
