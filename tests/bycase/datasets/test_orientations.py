import io

import imagehash
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from bycase.datasets.duplicates import find_duplicates
from bycase.datasets.fingerprints import Fingerprints
from bycase.datasets.orientations import hash_thumbnails, make_thumbnail, orient, turned_pairs
from bycase.datasets.splits.groups import join_duplicates

ORIENTATIONS = [
    lambda image, k=k, m=m: np.rot90(image[:, ::-1] if m else image, k) for m in (False, True) for k in range(4)
]


def draw(seed: int) -> NDArray[np.uint8]:
    """Soft blobs, as tissue has them."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((96, 96), Image.Resampling.BICUBIC))


def as_jpeg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, "JPEG", quality=75)
    return np.asarray(Image.open(content))


def test_hashes_are_those_of_imagehash() -> None:
    thumbnails = np.stack([make_thumbnail(draw(seed)) for seed in range(20)])
    expected = [str(imagehash.phash(Image.fromarray(each))) for each in thumbnails]
    assert [row.tobytes().hex() for row in hash_thumbnails(thumbnails)] == expected


@pytest.mark.parametrize("number", range(8))
def test_all_orientations_are_made(number: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
    expected = [ORIENTATIONS[number](image) for image in images]
    np.testing.assert_array_equal(orient(images, number), expected)


@pytest.mark.parametrize("number", range(1, 8))
def test_a_turned_image_is_found_after_it_was_saved_anew(number: int) -> None:
    images = [draw(seed) for seed in range(30)]
    images.append(as_jpeg(ORIENTATIONS[number](images[7])))
    first, second, apart = turned_pairs(np.stack([make_thumbnail(each) for each in images]), 8)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {(7, 30)}
    assert apart.max() <= 8


def test_round_spots_are_not_all_one_image() -> None:
    y, x = np.mgrid[:96, :96]
    spots = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        radius = np.hypot(x - rng.normal(48, 6), y - rng.normal(48, 6)) - rng.uniform(15, 30)
        grey = 190 - 120 / (1 + np.exp(radius / 2)) + rng.normal(0, 4, (96, 96))
        spots.append(make_thumbnail(np.clip(grey, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)))
    first, second, _ = turned_pairs(np.stack(spots), 8)
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) <= 2


def test_blank_images_are_no_pairs() -> None:
    assert len(turned_pairs(np.zeros((4, 32, 32), np.uint8), 8)[0]) == 0


def test_turned_images_join_their_groups() -> None:
    images = [draw(0), draw(1), ORIENTATIONS[5](draw(0))]
    manifest = pd.DataFrame({"image": list("abc"), "label": "X", "group": list("123")})
    found = find_duplicates(
        manifest,
        Fingerprints(
            list("abc"),
            list("abc"),
            [str(imagehash.phash(Image.fromarray(each))) for each in images],
            np.eye(3, dtype=np.float32),
            np.stack([make_thumbnail(each) for each in images]),
        ),
        8,
        0.9,
        0.98,
    )
    assert found[["image_a", "image_b", "kind", "cluster"]].to_numpy().tolist() == [["a", "c", "turned", 0]]
    assert join_duplicates(manifest, found).tolist() == ["1", "2", "1"]
