import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bycase.images.blank import find_blank

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)


def repeated_border() -> NDArray[np.uint8]:
    pixels = NOISE.copy()
    pixels[4:] = pixels[3]
    return pixels


def with_label(background: int) -> NDArray[np.uint8]:
    """Nothing but a label of a few pixels."""
    pixels = np.full((64, 64, 3), background, np.uint8)
    pixels[0, :16] = 255 - background
    return pixels


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (NOISE, ""),
        (NOISE // 2, ""),
        (np.full((64, 64, 3), 120, np.uint8), "constant"),
        (np.zeros((64, 64, 3), np.uint8), "constant"),
        (NOISE // 16, "black"),  # 12 bits in 16 that were cut to the upper 8
        (with_label(0), "black"),
        (255 - NOISE // 16, "white"),
        (with_label(255), "white"),
        (120 + NOISE // 128, "flat"),
        (repeated_border(), "repeated"),
        (repeated_border().swapaxes(0, 1), "repeated"),
    ],
)
def test_images_without_anything_to_see_are_recognised(pixels: NDArray[np.uint8], expected: str) -> None:
    assert find_blank(Image.fromarray(pixels)) == expected


def test_a_dark_image_with_a_bright_spot_is_none() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[20:26, 20:26] = 180
    assert find_blank(Image.fromarray(pixels)) == ""
