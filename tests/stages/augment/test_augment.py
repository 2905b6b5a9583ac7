from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bycase.core.params_training import AugmentParams
from bycase.figures.augmentations import OFF, choose_examples, make_columns
from bycase.figures.style import LARGEST
from bycase.tables.splits import write_splits
from stages.augment import FIGURE, describe, main
from tests.conftest import WriteParams
from tests.fixtures.augment import Settings

NAMES = [f"{label}/{number}.png" for label in ("Benign", "Malignant") for number in range(8)]


def write_project(folder: Path) -> None:
    random = np.random.default_rng(0)
    rows = []
    for i, name in enumerate(NAMES):
        path = folder / "data/preprocessed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = ("train", "train", "train", "train", "train", "train", "val", "test")[i % 8]
        # Only training images can be read: the others are not images at all.
        if part == "train":
            Image.fromarray(random.integers(0, 256, (2, 2, 3), dtype=np.uint8)).resize((32, 32), 0).save(path)
        else:
            path.write_text("unreadable")
        rows.append({"image": name, "part": part, "fold": 0, "group": name})
    write_splits(pd.DataFrame(rows), {}, folder / "data/splits.csv", folder / "data/splits.json")


def test_the_stage_draws_training_images_only_and_the_same_every_time(project: Path, write_params: WriteParams) -> None:
    write_params({"augment.mixup": 0.4, "augment.stain_jitter": 0.05})
    write_project(project)
    main()
    first = FIGURE.read_bytes()
    assert len(first) < LARGEST
    with Image.open(FIGURE) as drawn:
        assert drawn.width > drawn.height > 400
    main()
    assert FIGURE.read_bytes() == first


def test_what_is_on_is_said(settings: Settings) -> None:
    assert describe(settings(mixup=0.4, flip="both")) == "flip both, mixup 0.4"
    assert describe(settings()) == "nothing is on"


def test_examples_show_every_class_and_follow_the_seed() -> None:
    chosen = choose_examples(NAMES, 7)
    assert len(set(chosen)) == 4
    assert [name.split("/")[0] for name in chosen] == ["Benign", "Benign", "Malignant", "Malignant"]
    assert choose_examples(NAMES[::-1], 7) == chosen
    assert any(choose_examples(NAMES, seed) != chosen for seed in range(5))
    assert len(choose_examples([f"{label}/0.png" for label in "abcdefg"], 7)) == 7
    assert choose_examples(["a/0.png", "b/0.png"], 7) == ["a/0.png", "b/0.png"]


def test_columns_are_each_change_alone_and_say_what_is_off(images: np.ndarray, settings: Settings) -> None:
    params = settings(brightness=0.3, cutmix=1.0)
    columns = {column.heading.split("\n")[0]: column for column in make_columns(images, params, 7)}
    assert list(columns) == ["original", *(name for name, _ in OFF), "together:"]
    assert [name for name, column in columns.items() if column.on] == ["original", "brightness", "cutmix", "together:"]
    assert columns["brightness"].heading == "brightness\n0.3"
    assert columns["zoom"].heading == "zoom\noff (shown\nat 0.2)"
    np.testing.assert_array_equal(columns["original"].images, images)
    shift = (columns["brightness"].images - images).reshape(6, -1)
    assert np.abs(shift).max() > 10
    for name, column in columns.items():
        if name != "original":
            assert np.abs(column.images - images).max() > 1, name
        assert (column.shares < 1).any() == (name in ("mixup", "cutmix", "together:")), name


def test_nothing_on_is_said(images: np.ndarray) -> None:
    last = make_columns(images[:2], OFF, 7)[-1]
    assert last.heading == "together:\nnothing\nis on"
    np.testing.assert_array_equal(last.images, images[:2])


def test_randaugment_is_left_out_where_it_is_off_and_cannot_be_drawn(
    images: np.ndarray, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def headings(params: AugmentParams) -> list[str]:
        return [column.heading for column in make_columns(images, params, 7)]

    whole = headings(settings())
    monkeypatch.setattr("bycase.figures.augmentations.can_rand_augment", lambda: False)
    assert headings(settings()) == [heading for heading in whole if not heading.startswith("rand_augment")] != whole
    assert any(heading.startswith("rand_augment") for heading in headings(settings(rand_augment=0.3)))
