"""The generated BreakHis: its names and counts, its folds, and what makes it hard."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.core.seeding import generator
from bycase.datasets.layouts.breakhis import SUBTYPES as PUBLISHED_SUBTYPES
from bycase.datasets.layouts.breakhis import parse_name, read_layout
from bycase.datasets.phantoms.breakhis import write_phantom
from bycase.datasets.phantoms.breakhis.anatomy import draw_anatomy
from bycase.datasets.phantoms.breakhis.archive import draw_folds, draw_tile, write_tile
from bycase.datasets.phantoms.breakhis.cases import SUBTYPES, draw_cases, plan_tiles
from bycase.datasets.phantoms.breakhis.stain import EOSIN, HAEMATOXYLIN, draw_stain, rotate, transmit
from bycase.datasets.phantoms.breakhis.tissue import draw_tissue, field_of_view

SMALL = {"cases": 8, "images": 32, "width": 140, "height": 92, "seed": 3}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("phantom")
    write_phantom(root, **SMALL, workers=2)
    return root


def test_every_file_is_read_as_breakhis_without_complaint(archive: Path) -> None:
    listing = read_layout(archive)
    assert len(listing.images) == 32
    assert listing.rejected == []
    assert [path.name for path in listing.others] == ["Folds.csv"]
    assert {image.subtype for image in listing.images} == set(PUBLISHED_SUBTYPES)
    assert {image.magnification for image in listing.images} == {40, 100, 200, 400}


def test_images_have_the_size_asked_for(archive: Path) -> None:
    with Image.open(next(archive.rglob("*.png"))) as image:
        assert image.size == (140, 92)
        assert image.mode == "RGB"


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(archive: Path, tmp_path: Path) -> None:
    write_phantom(tmp_path, **SMALL, workers=1)
    for path in sorted(path for path in archive.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / path.relative_to(archive)).read_bytes()


def test_a_tile_is_written_as_it_is_drawn(tmp_path: Path) -> None:
    tile = plan_tiles(draw_cases(8, 3), 32)[0]
    (tmp_path / tile.path).parent.mkdir(parents=True)
    write_tile(tile, tmp_path, 70, 46, 3)
    np.testing.assert_array_equal(Image.open(tmp_path / tile.path), draw_tile(tile, 70, 46, 3))


def test_another_seed_gives_other_images() -> None:
    tile = plan_tiles(draw_cases(8, 3), 32)[0]
    assert np.abs(draw_tile(tile, 70, 46, 3).astype(int) - draw_tile(tile, 70, 46, 4)).mean() > 2


def test_the_default_has_all_subtypes_and_two_thirds_malignant() -> None:
    cases = draw_cases(40, 7)
    tiles = plan_tiles(cases, 480)
    assert len(tiles) == len({tile.path for tile in tiles}) == 480
    assert Counter(tile.case.subtype.malignant for tile in tiles) == {True: 320, False: 160}
    assert {tile.case.subtype.code for tile in tiles} == {subtype.code for subtype in SUBTYPES}
    per_magnification = Counter(tile.magnification for tile in tiles)
    assert max(per_magnification.values()) - min(per_magnification.values()) <= 2
    assert len({case.name for case in cases}) == 40


def test_two_slide_folders_of_a_case_are_one_case_to_the_name_parser() -> None:
    tiles = plan_tiles(draw_cases(40, 7), 480)
    folders: dict[str, set[str]] = {}
    for tile in tiles:
        named = parse_name(Path(tile.path).name)
        assert named.case == tile.case.name
        folders.setdefault(named.case, set()).add(named.folder)
    assert sum(len(of_case) == 2 for of_case in folders.values()) >= 6


def test_folds_hold_every_image_once_and_are_disjoint_by_folder_only() -> None:
    tiles = plan_tiles(draw_cases(40, 7), 480)
    folds = draw_folds(tiles, 7)
    folds["folder"] = folds["filename"].str.split("/").str[-3]
    straddling_cases = 0
    for _, fold in folds.groupby("fold"):
        assert sorted(fold["filename"]) == sorted(tile.path for tile in tiles)
        assert fold.groupby("folder")["grp"].nunique().max() == 1
        assert 0.2 < (fold["grp"] == "test").mean() < 0.4
        case = fold["folder"].str.extract(r"_(\d\d-\d+)")[0]
        straddling_cases += sum(len(set(parts)) > 1 for _, parts in fold.groupby(case)["grp"])
    assert straddling_cases > 0
    assert pd.unique(folds["fold"]).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("cases", "images", "says"), [(7, 30, "phantom.cases is 7"), (10, 9, "phantom.images is 9")])
def test_too_few_cases_or_images_are_refused(cases: int, images: int, says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)):
        plan_tiles(draw_cases(cases, 1), images)


def test_transmission_by_hand() -> None:
    light = transmit(np.array([[1.0, 0.0], [0.5, 2.0]]), np.array([HAEMATOXYLIN, EOSIN]), np.full(3, 200.0))
    assert light[0] == pytest.approx([200 * np.exp(-0.65), 200 * np.exp(-0.70), 200 * np.exp(-0.29)])
    assert light[1] == pytest.approx([200 * np.exp(-0.465), 200 * np.exp(-2.33), 200 * np.exp(-0.365)])


def test_rotating_keeps_the_length_of_a_vector_away_from_the_axes() -> None:
    turned = [rotate(HAEMATOXYLIN, np.random.default_rng(seed)) for seed in range(20)]
    assert [np.linalg.norm(vector) for vector in turned] == pytest.approx([np.linalg.norm(HAEMATOXYLIN)] * 20)
    assert np.std(turned, axis=0).max() > 0.03


def test_stain_belongs_to_the_case_and_not_to_the_class() -> None:
    tiles = plan_tiles(draw_cases(24, 5), 96)
    tiles = [tile for tile in tiles if tile.magnification in (100, 200)]
    light = {
        case: draw_stain(generator(5, "phantom", "stain", case)).illumination for case in {t.case.name for t in tiles}
    }
    colours = {tile.path: np.percentile(draw_tile(tile, 105, 69, 5), 95, axis=(0, 1)) for tile in tiles}
    names = sorted(light)
    by_case = [np.mean([colours[t.path] for t in tiles if t.case.name == name], axis=0) for name in names]
    assert np.corrcoef([light[name].mean() for name in names], [colour.mean() for colour in by_case])[0, 1] > 0.6
    malignant = {tile.case.name: tile.case.subtype.malignant for tile in tiles}
    brightness = np.array([light[name].mean() for name in names])
    classes = np.array([malignant[name] for name in names])
    assert abs(brightness[classes].mean() - brightness[~classes].mean()) < 2 * brightness.std()


def test_malignant_fields_hold_more_nuclei_and_the_classes_overlap() -> None:
    field = field_of_view(200, 350, 230)
    counts: dict[bool, list[int]] = {True: [], False: []}
    for subtype in SUBTYPES:
        for number in range(8):
            random = np.random.default_rng(number)
            tissue = draw_tissue(random, draw_anatomy(random, subtype.code, subtype.malignant), field)
            counts[subtype.malignant].append(len(tissue.epithelial) + len(tissue.stromal))
    assert np.mean(counts[True]) > 1.1 * np.mean(counts[False])
    assert min(counts[True]) < max(counts[False])
