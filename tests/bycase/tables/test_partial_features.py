from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.tables.partial_features import PartialFeatures, check_spread, fill

IMAGES = [f"{number}.png" for number in range(10)]
SHAPE = (10, 2, 3)


def pixels_of(images: list[str]) -> NDArray[np.uint8]:
    """1 x 1 images of the colour of their number."""
    return np.array([[[[int(image.split(".")[0])] * 3]] for image in images], dtype=np.uint8)


class Backbone:
    """Gives each image's colour as its features, and stops at a given call."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.calls = 0
        self.read: list[str] = []
        self.starts: list[int] = []
        self._stop_at = stop_at

    def read_pixels(self, images: list[str]) -> NDArray[np.uint8]:
        self.read += images
        return pixels_of(images)

    def views(self, pixels: NDArray[np.uint8], start: int) -> Iterator[NDArray[np.float32]]:
        self.starts.append(start)
        yield pixels.astype(np.float32)
        yield pixels.astype(np.float32) + 100 * start

    def extract(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        if self.calls == self._stop_at:
            raise MemoryError
        return batch.mean(axis=(1, 2))

    def fill(self, partial: PartialFeatures, batch_size: int = 3) -> None:
        fill(partial, IMAGES, self.read_pixels, self.views, self.extract, batch_size)


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., PartialFeatures]:
    """Begins or continues the features of one folder."""

    def make(made_by: str = "one", shape: tuple[int, int, int] = SHAPE) -> PartialFeatures:
        return PartialFeatures(tmp_path / "embed", shape, made_by)

    return make


def expected() -> NDArray[np.float32]:
    numbers = np.arange(10, dtype=np.float32)
    starts = numbers // 3 * 3
    features = np.stack([numbers, numbers + 100 * starts], axis=1)
    return np.repeat(features[..., None], 3, axis=2)


def test_every_image_and_view_has_its_own_features(begin: Callable[..., PartialFeatures]) -> None:
    partial = begin()
    assert partial.done == 0
    Backbone().fill(partial)
    assert partial.done == 10
    assert (np.load(partial.path) == expected()).all()
    assert np.load(partial.path).dtype == np.float32


@pytest.mark.parametrize(("stop_at", "done"), [(1, 0), (2, 0), (3, 3), (5, 6), (6, 6), (8, 9)])
def test_interrupted_features_continue_with_the_images_that_are_left(
    begin: Callable[..., PartialFeatures], stop_at: int, done: int
) -> None:
    with pytest.raises(MemoryError):
        Backbone(stop_at).fill(begin())
    again = begin()
    assert again.done == done
    backbone = Backbone()
    backbone.fill(again)
    assert sorted(backbone.read) == sorted(IMAGES[done:])
    assert sorted(backbone.starts) == list(range(done, 10, 3))
    assert (np.load(again.path) == expected()).all()


def test_complete_features_are_not_computed_again(begin: Callable[..., PartialFeatures]) -> None:
    Backbone().fill(begin())
    backbone = Backbone()
    backbone.fill(begin())
    assert backbone.read == []
    assert (np.load(begin().path) == expected()).all()


def test_features_made_by_something_else_are_begun_anew(begin: Callable[..., PartialFeatures]) -> None:
    Backbone().fill(begin("one"))
    other = begin("two", (10, 2, 5))
    assert other.done == 0
    assert other.array.shape == (10, 2, 5)
    assert not other.array.any()


def test_progress_without_its_array_is_begun_anew(begin: Callable[..., PartialFeatures]) -> None:
    partial = begin()
    Backbone().fill(partial)
    partial.path.unlink()
    again = begin()
    assert again.done == 0
    assert again.array.shape == SHAPE


@pytest.mark.parametrize(
    "features",
    [
        np.ones((4, 3)),
        np.zeros((4, 3)),
        np.full((4, 3), np.nan),
        np.array([[1.0, np.nan], [2.0, 1.0]]),
        1e-9 * np.arange(12).reshape(4, 3),
        np.arange(3.0)[None],
    ],
    ids=["ones", "zeros", "nan", "one nan", "tiny", "one image"],
)
def test_features_that_do_not_differ_or_are_no_numbers_are_refused(features: NDArray[np.float64]) -> None:
    with pytest.raises(UserError, match=r"features of resnet50v2 with random weights .*set zoo\.resnet50v2\.weights"):
        check_spread(features.astype(np.float32), "resnet50v2", "random")


def test_one_feature_that_differs_is_enough() -> None:
    features = np.ones((4, 3), dtype=np.float32)
    features[2, 1] = 1.001
    check_spread(features, "resnet50v2", "random")
