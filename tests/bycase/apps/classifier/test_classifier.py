from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import softmax
from scipy.stats import entropy

from bycase.apps.classifier.classifier import Classifier, load_classifier
from bycase.core.errors import UserError

Bundle = Callable[[int], Path]


def open_raw(bundled: Path, names: list[str]) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(Image.open(bundled / "data/raw/phantom" / Path(name).name)) for name in names]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_raw_pictures_give_the_pipelines_predictions(bundled: Bundle, n_classes: int) -> None:
    """Restructuring and preprocessing are the classifier's own."""
    folder = bundled(n_classes)
    stored = pd.read_csv(folder / "data/predictions/test.csv")
    loaded = load_classifier(folder / "models/classifier.keras", 8)
    found = loaded.predict(open_raw(folder, stored["image"].tolist()))
    np.testing.assert_allclose(found.scores, stored[loaded.info.classes], atol=1e-4)
    classes = np.array(loaded.info.classes)
    if n_classes == 2:
        expected = np.where(stored["Malignant"] >= 0.45, "Malignant", "Benign")
        assert set(expected) == {"Malignant", "Benign"}
    else:
        expected = classes[stored[classes].to_numpy().argmax(axis=1)]
    assert classes[found.predicted].tolist() == expected.tolist()


def test_without_the_preprocessing_the_predictions_are_others(classifier: Classifier, bundled: Bundle) -> None:
    images = open_raw(bundled(2), pd.read_csv(bundled(2) / "data/predictions/test.csv")["image"].tolist())
    plain = classifier.info.preprocess.model_copy(update={"clip_limit": 0.0})
    other = replace(classifier, info=classifier.info.model_copy(update={"preprocess": plain}))
    assert np.abs(other.predict(images).scores - classifier.predict(images).scores).max() > 0.01


@pytest.fixture
def images() -> np.ndarray[Any, Any]:
    return np.random.default_rng(3).integers(0, 256, (11, 32, 32, 3), dtype=np.uint8)


def test_calibration_sets_and_entropy(classifier: Classifier, images: np.ndarray[Any, Any]) -> None:
    found = classifier.predict(images)
    np.testing.assert_allclose(found.probabilities, softmax(np.log(found.scores) / 0.7, axis=1), atol=1e-6)
    np.testing.assert_allclose(found.entropy, entropy(found.probabilities, axis=1), atol=1e-9)
    np.testing.assert_array_equal(found.sets, found.scores >= 0.2)
    np.testing.assert_array_equal(found.image_sets, found.scores >= 0.4)
    np.testing.assert_array_equal(found.predicted, found.scores[:, 1] >= 0.45)


def test_patients_have_their_own_threshold_and_temperature(classifier: Classifier) -> None:
    scores = np.array([[0.58, 0.42], [0.62, 0.38]])
    assert classifier.info.decide(scores, "image").tolist() == [0, 0]
    assert classifier.info.decide(scores, "patient").tolist() == [1, 0]
    np.testing.assert_allclose(classifier.info.calibrate(scores, "patient"), softmax(np.log(scores) / 0.5, axis=1))


def test_batches_do_not_change_the_predictions(classifier: Classifier, images: np.ndarray[Any, Any]) -> None:
    together = classifier.predict(images)
    alone = [classifier.predict(images[n : n + 1]) for n in range(len(images))]
    np.testing.assert_allclose(together.scores, np.concatenate([one.scores for one in alone]), atol=1e-6)
    np.testing.assert_allclose(together.distance, np.concatenate([one.distance for one in alone]), atol=1e-4)


def test_what_is_unlike_is_flagged(classifier: Classifier, bundled: Bundle) -> None:
    stored = pd.read_csv(bundled(2) / "data/predictions/test.csv")
    alike = classifier.predict(open_raw(bundled(2), stored["image"].tolist()))
    blue = np.zeros((3, 32, 32, 3), np.uint8)
    blue[..., 2] = [[[250]], [[200]], [[150]]]
    assert classifier.predict(blue).unlike.all()
    assert alike.unlike.mean() < 0.5
    np.testing.assert_array_equal(alike.unlike, alike.distance > classifier.info.unlike.distance)


def test_views_bound_the_probability(classifier: Classifier, images: np.ndarray[Any, Any]) -> None:
    found = classifier.predict(images, views=8)
    prepared = np.stack([classifier.prepare(image) for image in images])
    each = np.stack(
        [
            classifier.predict_prepared(
                np.ascontiguousarray(np.rot90(prepared, n % 4, axes=(1, 2))[:, :, :: 1 if n < 4 else -1])
            ).probabilities[:, 1]
            for n in range(8)
        ]
    )
    np.testing.assert_allclose(found.low, each.min(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.high, each.max(axis=0), atol=1e-6)
    both = np.stack([1 - each, each], axis=2)
    expected = entropy(both.mean(axis=0), axis=1) - entropy(both, axis=2).mean(axis=0)
    np.testing.assert_allclose(found.disagreement, expected, atol=1e-6)
    assert (found.high > found.low).all()
    plain = classifier.predict(images)
    np.testing.assert_array_equal(found.probabilities, plain.probabilities)
    assert (plain.low, plain.high, plain.disagreement) == (None, None, None)


def test_the_nearest_training_image_of_itself_is_itself(classifier: Classifier, bundled: Bundle) -> None:
    name = classifier.reference.images[3]
    found = classifier.nearest(classifier.predict(open_raw(bundled(2), [name])).features, 4)
    assert found.images[0][0] == name
    assert found.labels[0][0] == name.split("/")[0]
    assert found.distances[0, 0] < 1e-2
    assert len(found.images[0]) == 4
    assert (np.diff(found.distances[0]) >= 0).all()


def test_another_runtime_gives_the_same_predictions(
    classifier: Classifier, bundled: Bundle, images: np.ndarray[Any, Any]
) -> None:
    other = load_classifier(bundled(2) / "models/classifier.keras", 8, classifier.forward)
    assert other.network is None
    np.testing.assert_array_equal(other.predict(images).scores, classifier.predict(images).scores)


def test_a_runtime_that_does_not_fit_is_refused(classifier: Classifier, bundled: Bundle) -> None:
    path = bundled(2) / "models/classifier.keras"
    with pytest.raises(UserError, match="export it again"):
        load_classifier(path, 8, lambda batch: classifier.forward(batch)[:, -1:])
    with pytest.raises(UserError, match="do not fit together"):
        load_classifier(path, 8, lambda batch: classifier.forward(batch)[:, 1:])
