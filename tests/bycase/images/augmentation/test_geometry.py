import numpy as np
import pytest

from bycase.images.augmentation.geometry import draw_maps, draw_windows, transform
from tests.fixtures.augment import Settings

N = 4000


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def one_of(image: np.ndarray, choices: list[np.ndarray]) -> int:
    return next(i for i, choice in enumerate(choices) if np.array_equal(image, choice))


@pytest.mark.parametrize(
    ("flip", "expected"), [("none", {0}), ("horizontal", {0, 1}), ("vertical", {0, 2}), ("both", {0, 1, 2, 3})]
)
def test_flips_are_exact_and_all_their_combinations_occur(
    flip: str, expected: set[int], images: np.ndarray, settings: Settings
) -> None:
    image = images[0]
    choices = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    flipped = transform(np.repeat(image[None], 40, axis=0), settings(flip=flip), rng())
    assert {one_of(each, choices) for each in flipped} == expected


def test_each_flip_happens_half_the_time_and_independently(settings: Settings) -> None:
    signs = np.array([np.diag(linear) for linear, _ in draw_maps(N, settings(flip="both"), rng())])
    assert abs(signs.mean(0)).max() < 0.05
    assert abs((signs[:, 0] * signs[:, 1]).mean()) < 0.05


def test_rotation_is_about_the_centre_and_by_at_most_the_given_share_of_a_turn(
    images: np.ndarray, settings: Settings
) -> None:
    maps = draw_maps(N, settings(rotation=0.1), rng())
    degrees = np.degrees([np.arctan2(linear[1, 0], linear[0, 0]) for linear, _ in maps])
    assert -36 <= degrees.min() < -35
    assert 35 < degrees.max() <= 36
    assert all(np.allclose(linear @ linear.T, np.eye(2)) and not shift.any() for linear, shift in maps)


def test_a_quarter_turn_moves_pixels_as_numpy_does(images: np.ndarray, settings: Settings) -> None:
    class QuarterTurn(np.random.Generator):
        def uniform(self, *limits: float) -> np.ndarray:  # type: ignore[override]
            return np.full(limits[2], limits[1])

    turned = transform(images, settings(rotation=0.25), QuarterTurn(np.random.PCG64(1)))
    np.testing.assert_allclose(turned, np.rot90(images, 1, axes=(1, 2)), atol=0.01)


def test_zoom_keeps_the_centre_and_scales_by_up_to_the_share(settings: Settings) -> None:
    maps = draw_maps(N, settings(zoom=0.3), rng())
    scales = np.array([linear[0, 0] for linear, _ in maps])
    assert 0.7 <= scales.min() < 0.71
    assert 1.29 < scales.max() <= 1.3
    assert all(np.allclose(linear, linear[0, 0] * np.eye(2)) and not shift.any() for linear, shift in maps)


def test_what_lies_beyond_the_edge_is_the_reflection(settings: Settings) -> None:
    ramp = np.repeat(np.arange(32, dtype=np.uint8)[None, :, None] * 4, 32, axis=0).repeat(3, axis=2)
    zoomed = transform(np.repeat(ramp[None], 30, axis=0), settings(zoom=0.5), rng())
    out = zoomed[np.argmax(np.abs(zoomed[:, 0, 0, 0] - zoomed[:, 0, 3, 0]) * (zoomed[:, 0, 0, 0] > zoomed[:, 0, 4, 0]))]
    assert out[0, 0, 0] > out[0, 4, 0]
    assert zoomed.min() >= 0
    assert zoomed.max() <= 124


def test_windows_keep_the_least_area_the_aspects_and_the_image() -> None:
    width, height, x, y = draw_windows(N, 0.3, rng()).T
    area, aspect = width * height, width / height
    assert 0.3 <= area.min() < 0.305
    assert 0.99 < area.max() <= 1
    assert aspect.min() >= 3 / 4 - 1e-9
    assert aspect.max() <= 4 / 3 + 1e-9
    assert aspect.min() < 0.76
    assert aspect.max() > 1.32
    assert np.all(np.abs(x) + width / 2 <= 0.5 + 1e-9)
    assert np.all(np.abs(y) + height / 2 <= 0.5 + 1e-9)
    np.testing.assert_allclose([np.mean(area), np.mean(np.log(aspect)), x.mean(), y.mean()], [0.65, 0, 0, 0], atol=0.02)


def test_a_crop_is_the_window_resized(settings: Settings) -> None:
    # On a ramp, a crop's ends are the window's ends.
    ramp = np.linspace(0, 252, 64)
    image = np.stack([np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64)), np.zeros((64, 64))], axis=-1)
    params = settings(crop=0.2)
    cropped = transform(np.repeat(image[None], 20, axis=0).astype(np.uint8), params, rng())
    per_unit = 252 / (63 / 64)
    for (linear, shift), tile in zip(draw_maps(20, params, rng()), cropped, strict=True):
        for axis, values in enumerate((tile[32, :, 0], tile[:, 32, 1])):
            assert (values[50] - values[10]) / per_unit == pytest.approx(linear[axis, axis] * 40 / 64, abs=0.01)
            assert (values[31] + values[32]) / 2 == pytest.approx(126 + per_unit * shift[axis], abs=1.5)
