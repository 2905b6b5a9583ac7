import numpy as np
import pytest
from bycase.statistics.leakage.scores import draw_patients, point_scores, resampled_scores
from sklearn.metrics import accuracy_score, roc_auc_score


def sample(classes: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    random = np.random.default_rng(classes)
    patient = np.repeat(np.arange(24), np.tile([2, 5, 9], 8))
    truth = patient % classes
    return truth, patient, [random.dirichlet(np.ones(classes), len(truth)) for _ in range(2)]


def sklearn_auc(truth: np.ndarray, probabilities: np.ndarray) -> float:
    if probabilities.shape[1] == 2:
        return roc_auc_score(truth, probabilities[:, 1])
    return roc_auc_score(truth, probabilities, multi_class="ovr", average="macro")


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_points_are_scikit_learns_averaged_over_repeats(classes: int) -> None:
    truth, _, predictions = sample(classes)
    found = point_scores(truth, predictions)
    assert found["auc"] == pytest.approx(np.mean([sklearn_auc(truth, each) for each in predictions]))
    assert found["accuracy"] == pytest.approx(
        np.mean([accuracy_score(truth, each.argmax(axis=1)) for each in predictions])
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_a_patient_drawn_twice_counts_like_two(classes: int) -> None:
    truth, patient, predictions = sample(classes)
    counts = draw_patients(truth, patient, 20, np.random.default_rng(0))
    found = resampled_scores(truth, predictions, patient, counts)
    for row, count in enumerate(counts):
        images = np.repeat(np.arange(len(truth)), count[patient])
        repeated = point_scores(truth[images], [each[images] for each in predictions])
        assert {name: values[row] for name, values in found.items()} == pytest.approx(repeated)


def test_draws_hold_every_class_and_as_many_patients() -> None:
    patient = np.repeat(np.arange(8), 3)
    truth = (patient == 0).astype(np.int64) + 2 * (patient == 1)
    counts = draw_patients(truth, patient, 500, np.random.default_rng(0))
    assert 100 < len(counts) < 300
    assert (counts.sum(axis=1) == 8).all()
    assert (counts[:, :2] > 0).all()
    assert (counts[:, 2:].sum(axis=1) > 0).all()
