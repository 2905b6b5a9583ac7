import numpy as np
import pytest

from bycase.images.augmentation.stain import change_stain, jitter_stain

# scikit-image 0.26: rgb2hed of these colours, times 6, since its densities are logarithms to the base 1e6.
COLOURS = np.array([[100, 60, 140], [220, 120, 180]], np.float32)
AMOUNTS = 6 * np.array([[0.09421926, 0.02971407, 0.01642294], [0.00129781, 0.03903053, 0.02633533]])
# And its rgb_from_hed.
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])


def light(amounts: np.ndarray) -> np.ndarray:
    return 255 * 10 ** -(amounts @ STAINS)


def changed(factors: list[float], shifts: list[float]) -> np.ndarray:
    return change_stain(COLOURS[None, None], np.array([factors]), np.array([shifts]))[0, 0]


def test_no_jitter_is_the_identity_up_to_rounding_black_and_white_too() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype(np.float32)
    images[0, 0], images[1, 0] = 0, 255
    np.testing.assert_allclose(jitter_stain(images, 0.0, np.random.default_rng(1)), images, atol=0.02)


@pytest.mark.parametrize("factors", [[1.5, 1.0], [1.0, 1.5], [0.0, 0.0], [0.7, 1.2]])
def test_amounts_of_haematoxylin_and_eosin_are_multiplied_and_the_rest_is_kept(factors: list[float]) -> None:
    expected = light(AMOUNTS * [*factors, 1])
    np.testing.assert_allclose(changed(factors, [0, 0]), expected, atol=2)


@pytest.mark.parametrize("shifts", [[0.1, 0.0], [0.0, -0.1]])
def test_shifts_add_in_proportion_to_the_light_absorbed(shifts: list[float]) -> None:
    absorbed = 1 - COLOURS.mean(axis=1, keepdims=True) / 255
    expected = light(AMOUNTS + absorbed * [*shifts, 0])
    np.testing.assert_allclose(changed([1, 1], shifts), expected, atol=2)


def by_the_formula(images: np.ndarray, factors: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Optical density, unmixed, changed and mixed again, in double precision."""
    light = (images.astype(np.float64) + 1) / 256
    amounts = -np.log10(light) @ np.linalg.inv(STAINS)
    absorbed = 1 - light.mean(axis=-1, keepdims=True)
    amounts[..., :2] = amounts[..., :2] * factors[:, None, None] + absorbed * shifts[:, None, None]
    return np.clip(256 * 10 ** -(amounts @ STAINS) - 1, 0, 255)


def test_every_pixel_is_what_the_formula_gives() -> None:
    random = np.random.default_rng(2)
    images = random.uniform(0, 255, (40, 24, 24, 3)).astype(np.float32)
    images[:, 0], images[:, 1] = 0, 255
    factors, shifts = random.uniform(0.5, 1.5, (40, 2)), random.uniform(-0.5, 0.5, (40, 2))
    np.testing.assert_allclose(
        change_stain(images, factors, shifts), by_the_formula(images, factors, shifts), atol=0.01
    )


def test_white_stays_white_and_tissue_moves() -> None:
    images = np.full((64, 8, 8, 3), 255, np.float32)
    images[:, :4] = COLOURS[0]
    jittered = jitter_stain(images, 0.3, np.random.default_rng(1))
    np.testing.assert_allclose(jittered[:, 4:], 255, atol=0.01)
    assert jittered[:, 0, 0].std(axis=0).min() > 5


def test_each_stain_of_each_image_has_its_own_draws() -> None:
    images = np.broadcast_to(COLOURS[0], (400, 2, 2, 3)).astype(np.float32)
    density = -np.log10(jitter_stain(images, 0.2, np.random.default_rng(1))[:, 0, 0] / 255)
    amounts = density @ np.linalg.inv(STAINS)
    assert abs(np.corrcoef(amounts[:, 0], amounts[:, 1])[0, 1]) < 0.15
    assert amounts[:, 0].std() > 0.05
    assert amounts[:, 1].std() > 0.02
    assert amounts[:, 2].std() < 0.01
