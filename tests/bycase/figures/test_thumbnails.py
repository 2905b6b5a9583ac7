import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bycase.figures.style import encode_png
from bycase.figures.thumbnails import SIDE, choose_thumbnails, draw_thumbnails


def manifest_of(groups: dict[str, list[str]]) -> pd.DataFrame:
    """Images of the classes' groups, such as ``{"Benign": ["1", "1", "2"]}``."""
    rows = [(f"{label}/{n}.png", label, group) for label, of in groups.items() for n, group in enumerate(of)]
    return pd.DataFrame(rows, columns=["image", "label", "group"])


def test_two_images_of_every_class_are_of_different_groups() -> None:
    manifest = manifest_of({"a": ["1"] * 50 + ["2"], "b": ["3"] * 4, "c": ["4"]})
    chosen = choose_thumbnails(manifest)
    assert chosen["label"].tolist() == ["a", "a", "b", "b", "c"]
    assert set(chosen.loc[chosen["label"] == "a", "group"]) == {"1", "2"}
    assert chosen["image"].is_unique


def test_choice_depends_on_the_images_only() -> None:
    manifest = manifest_of({"a": [str(n % 7) for n in range(30)], "b": [str(n) for n in range(9)]})
    shuffled = manifest.sample(frac=1, random_state=3)
    assert choose_thumbnails(manifest)["image"].tolist() == choose_thumbnails(shuffled)["image"].tolist()


@pytest.mark.parametrize("classes", [2, 3, 7, 8])
def test_every_image_is_on_the_figure_and_none_covers_another(classes: int) -> None:
    labels = [f"c{n}" for n in range(classes) for _ in range(2)]
    pixels = np.zeros((len(labels), 32, 32, 3), np.uint8)
    pixels[..., 0] = (10 * np.arange(len(labels)) + 5)[:, None, None]
    pixels[..., 2] = 255
    drawn = np.asarray(draw_thumbnails(pixels, labels, "title"))
    for value in pixels[:, 0, 0, 0]:
        assert (drawn == (value, 0, 255)).all(axis=-1).sum() == SIDE**2


def test_figure_of_few_colours_keeps_all_of_them() -> None:
    figure = draw_thumbnails(np.full((2, 9, 9, 3), (200, 100, 50), np.uint8), ["a", "b"], "t")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(figure))).convert("RGB")), np.asarray(figure))
