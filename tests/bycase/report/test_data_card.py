from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bycase.core.params import Params
from bycase.report.data_card import (
    count_groups,
    count_masks,
    count_mixed_groups,
    count_sizes,
    count_unknown,
    describe_origin,
)
from bycase.report.data_colours import BATCH, colour_sums, colour_table
from bycase.tables.manifest import OPTIONAL

MANIFEST = pd.DataFrame(
    {
        "image": list("abcdef"),
        "label": ["Benign", "Benign", "Benign", "Benign", "Malignant", "Malignant"],
        "group": ["1", "1", "1", "2", "2", "3"],
        "width": [700, 700, 700, 700, 350, 10],
        "height": [460, 460, 460, 456, 230, 10],
    }
)


def test_groups_are_counted_within_each_class() -> None:
    assert count_groups(MANIFEST, "label").to_dict("records") == [
        {"label": "Benign", "images": 4, "share": 4 / 6, "groups": 2, "min": 1, "median": 2.0, "max": 3},
        {"label": "Malignant", "images": 2, "share": 2 / 6, "groups": 2, "min": 1, "median": 1.0, "max": 1},
    ]


def test_mixed_groups_have_images_of_two_classes() -> None:
    assert count_mixed_groups(MANIFEST) == 1
    assert count_mixed_groups(MANIFEST[MANIFEST["label"] == "Benign"]) == 0


def test_sizes_are_ordered_by_number_and_rare_ones_counted_together() -> None:
    assert count_sizes(MANIFEST) == [("700x460", 3), ("10x10", 1), ("350x230", 1), ("700x456", 1)]
    assert count_sizes(MANIFEST, most=2) == [("700x460", 3), ("10x10", 1), ("2 others", 2)]


def test_unknown_is_counted_where_a_column_is_partly_filled() -> None:
    frame = pd.DataFrame("", range(3), list(OPTIONAL)).assign(age=["70", "", "5"], sex=["f", "m", "f"])
    assert count_unknown(frame) == {"age": 1}


def test_masks_are_counted_by_image() -> None:
    assert count_masks(pd.DataFrame({"mask": ["a.png", "", "a.png|b.png", ""]})) == (2, 1)


@pytest.mark.parametrize("n", [1, BATCH, BATCH + 3])
def test_colours_are_those_of_all_pixels(n: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    pixels[: n // 2] //= 3
    labels = pd.Series(["dark"] * (n // 2) + ["light"] * (n - n // 2))
    sums = colour_sums([str(i) for i in range(n)], lambda names: pixels[[int(name) for name in names]])
    table = colour_table(sums, labels).set_index("class")
    assert list(table.index) == ["all", *sorted(set(labels))]
    for name in table.index:
        of = np.ones(n, bool) if name == "all" else (labels == name).to_numpy()
        assert table.loc[name, "mean"] == pytest.approx(pixels[of].mean(axis=(0, 1, 2)))
        assert table.loc[name, "pixels_sd"] == pytest.approx(pixels[of].std(axis=(0, 1, 2)))
        assert table.loc[name, "images_sd"] == pytest.approx(pixels[of].mean(axis=(1, 2)).std(axis=0))


def test_one_colour_has_no_spread() -> None:
    pixels = np.full((3, 5, 5, 3), (201, 7, 99), np.uint8)
    table = colour_table(colour_sums(list("abc"), lambda names: pixels[: len(names)]), pd.Series(list("xxx")))
    assert table["mean"].tolist() == [(201, 7, 99)] * 2
    assert table["pixels_sd"].tolist() == table["images_sd"].tolist() == [(0, 0, 0)] * 2


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({}, "Kaggle, `ambarish/breakhis`"),
        ({"source": "huggingface", "slug": "a/b", "revision": "v1"}, "Hugging Face Hub, `a/b`, revision `v1`"),
        ({"source": "url", "url": "https://a.b/c.zip?signature=secret"}, "<https://a.b/c.zip>"),
        ({"source": "local", "path": "somewhere"}, "a local folder or archive"),
    ],
)
def test_origin_names_what_pins_it_and_no_signature(
    make_params: Callable[[dict[str, Any]], Params], changes: dict[str, Any], origin: str
) -> None:
    params = make_params({f"datasets.breakhis.{key}": value for key, value in changes.items()})
    assert describe_origin(params.datasets["breakhis"]) == origin
