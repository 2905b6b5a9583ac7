from io import BytesIO
from typing import get_args

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.ndimage import rotate as turn

from bycase.core.params_training import RobustnessParams
from bycase.images.corruptions import CORRUPTIONS, SEVERITIES, applicable, corrupt

NAMES = ["a.png", "b.png", "c.png", "d.png"]


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Four smooth images, uint8 (4, 64, 64, 3)."""
    smooth = gaussian_filter(np.random.default_rng(0).random((4, 64, 64, 3)), (0, 3, 3, 0))
    low, high = smooth.min((1, 2, 3), keepdims=True), smooth.max((1, 2, 3), keepdims=True)
    return (40 + 180 * (smooth - low) / (high - low)).astype(np.uint8)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


def test_every_corruption_of_the_parameters_has_five_strengths() -> None:
    annotation = RobustnessParams.model_fields["corruptions"].annotation
    assert list(get_args(get_args(annotation)[0])) == list(CORRUPTIONS)
    assert all(len(corruption.strengths) == len(SEVERITIES) for corruption in CORRUPTIONS.values())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_0_changes_nothing_and_each_more_changes_more(images: np.ndarray, name: str) -> None:
    original = images.copy()
    damaged = [corrupt(images, NAMES, name, severity, 7) for severity in (0, *SEVERITIES)]
    assert (damaged[0] == images).all()
    assert {(d.dtype, d.shape) for d in damaged} == {(images.dtype, images.shape)}
    harm = [distance(d, images) for d in damaged]
    assert harm == sorted(harm)
    # The slightest blur, 1/224 of the side, is too small for 64 pixels.
    assert harm[2 if name == "blur" else 1] > 0.3
    assert (images == original).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_what_becomes_of_an_image_depends_on_its_name_alone(images: np.ndarray, name: str) -> None:
    together = corrupt(images, NAMES, name, 3, 7)
    order = [2, 0]
    apart = corrupt(images[order], [NAMES[i] for i in order], name, 3, 7)
    assert (apart == together[order]).all()


@pytest.mark.parametrize("name", ["stain", "brightness", "noise", "rotation"])
def test_the_seed_and_the_name_decide_what_is_random(images: np.ndarray, name: str) -> None:
    same = np.repeat(images[:1], 12, axis=0)
    names = [f"{i}.png" for i in range(12)]
    one = corrupt(same, names, name, 3, 7)
    assert len({image.tobytes() for image in one}) >= 2
    assert (corrupt(same, names, name, 3, 8) != one).any()


def test_brightness_moves_the_brightest_channel_by_its_strength_either_way(images: np.ndarray) -> None:
    names = [f"{i}.png" for i in range(20)]
    damaged = corrupt(np.repeat(images[:1], 20, axis=0), names, "brightness", 1, 7)
    value = images[0].max(axis=-1)
    inner = (value > 30) & (value < 225)
    moved = [np.median(image.max(axis=-1)[inner] - value[inner].astype(float)) for image in damaged]
    assert set(np.round(np.array(moved) / 25.5)) == {-1, 1}


def test_contrast_keeps_the_mean_colour_and_the_share_of_the_spread(images: np.ndarray) -> None:
    damaged = corrupt(images, NAMES, "contrast", 1, 7)
    assert damaged.mean((1, 2)) == pytest.approx(images.mean((1, 2)), abs=0.5)
    assert damaged.std((1, 2)) == pytest.approx(0.4 * images.std((1, 2)), rel=0.05)


def test_blur_is_scipys_at_the_images_scale(images: np.ndarray) -> None:
    expected = gaussian_filter(images.astype(float), (0, 6 * 64 / 224, 6 * 64 / 224, 0), mode="mirror")
    assert distance(corrupt(images, NAMES, "blur", 5, 7), expected) < 0.6


def test_jpeg_is_that_of_pillow(images: np.ndarray) -> None:
    written = BytesIO()
    Image.fromarray(images[0]).save(written, "JPEG", quality=7)
    assert (corrupt(images[:1], NAMES[:1], "jpeg", 5, 7)[0] == np.asarray(Image.open(written))).all()


def test_noise_has_its_standard_deviation_and_is_one_field_at_all_severities() -> None:
    grey = np.full((1, 96, 96, 3), 128, np.uint8)
    slight, more = (corrupt(grey, ["a"], "noise", severity, 7).astype(float) - 128 for severity in (1, 2))
    assert slight.std() == pytest.approx(0.08 * 255, rel=0.02)
    assert np.corrcoef(slight.ravel(), more.ravel())[0, 1] > 0.99


def test_rotation_turns_about_the_centre_by_its_degrees(images: np.ndarray) -> None:
    damaged = corrupt(images, NAMES, "rotation", 3, 7)
    middle = (slice(20, 44), slice(20, 44))
    for image, was in zip(damaged, images, strict=True):
        turned = [turn(was, degrees, reshape=False, order=3, mode="mirror") for degrees in (-20, 20)]
        assert min(distance(image[middle], other[middle]) for other in turned) < 1.5
    assert distance(corrupt(images, NAMES, "rotation", 5, 7)[:, 0, 0], 0) > 20  # mirrored, not black


def test_magnification_shows_the_centre_larger(images: np.ndarray) -> None:
    damaged = corrupt(images, NAMES, "magnification", 4, 7)
    # Twice as large, every second pixel lies between two of the original, so their means agree.
    halved = damaged.reshape(4, 32, 2, 32, 2, 3).mean((2, 4))
    assert distance(halved, images[:, 16:48, 16:48]) < 1.5


def test_stain_leaves_glass_white_and_changes_tissue() -> None:
    glass, tissue = np.full((1, 8, 8, 3), 255, np.uint8), np.full((1, 8, 8, 3), (150, 90, 160), np.uint8)
    assert (corrupt(glass, ["a"], "stain", 5, 7) >= 253).all()
    assert distance(corrupt(tissue, ["a"], "stain", 5, 7), tissue) > 3


def test_stain_is_for_stained_tissue_only() -> None:
    assert applicable(["stain", "blur"], True) == ["stain", "blur"]
    assert applicable(["stain", "blur"], False) == ["blur"]
