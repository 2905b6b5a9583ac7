"""Features of another program: every format gives the same, in the images' order, and what is wrong is one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.tables.imported import match_names, read_imported

IMAGES = ["Benign/a-1.png", "Benign/b.5x.png", "Malignant/c.png"]
STEMS = ["c", "a-1", "b.5x"]  # of another order
FEATURES = np.random.default_rng(0).normal(size=(3, 4))
EXPECTED = FEATURES[[1, 2, 0]].astype(np.float32)

Write = Callable[[Path, list[str], Any], Path]


def write_hdf5(folder: Path, names: list[str], features: Any, key: str = "features") -> Path:
    path = folder / "f.h5"
    with h5py.File(path, "w") as file:
        file[key] = features
        file["coords"] = np.zeros((len(names), 2))
        file["names"] = names
    return path


def write_npz(folder: Path, names: list[str], features: Any) -> Path:
    path = folder / "f.npz"
    np.savez(path, names=names, features=features)
    return path


def frame(names: list[str], features: Any) -> pd.DataFrame:
    return pd.DataFrame({"image": names}).join(pd.DataFrame(features).add_prefix("f"))


def write_csv(folder: Path, names: list[str], features: Any) -> Path:
    frame(names, features).to_csv(folder / "f.csv", index=False)
    return folder / "f.csv"


def write_semicolons(folder: Path, names: list[str], features: Any) -> Path:
    frame(names, features).to_csv(folder / "f.csv", index=False, sep=";")
    return folder / "f.csv"


def write_parquet(folder: Path, names: list[str], features: Any) -> Path:
    frame(names, features).to_parquet(folder / "f.parquet")
    return folder / "f.parquet"


def write_lists(folder: Path, names: list[str], features: Any) -> Path:
    pd.DataFrame({"name": names, "features": list(features)}).to_parquet(folder / "f.parquet")
    return folder / "f.parquet"


def write_bags(folder: Path, names: list[str], features: Any) -> Path:
    """One file an image, of two patches whose mean is the image's row, as CLAM and TRIDENT write it."""
    bags = folder / "bags"
    for name, row in zip(names, np.asarray(features, float), strict=True):
        path = bags / f"{name}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            file["features"] = np.stack([row - 1, row + 1])
            file["coords"] = np.zeros((2, 2))
    return bags


WRITERS: list[Write] = [write_hdf5, write_npz, write_csv, write_semicolons, write_parquet, write_lists, write_bags]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("names", [STEMS, ["Malignant/c", "Benign/a-1", "Benign/b.5x"]], ids=["stems", "paths"])
def test_every_format_gives_the_features_in_the_order_of_the_images(
    write: Write, names: list[str], tmp_path: Path
) -> None:
    found = read_imported(write(tmp_path, names, FEATURES), IMAGES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-6)


def test_feats_serves_as_well_and_a_single_images_features_need_no_patches(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        read_imported(write_hdf5(tmp_path, STEMS, FEATURES, "feats"), IMAGES),
        EXPECTED,
    )
    (tmp_path / "bags").mkdir()
    for shape in ((4,), (1, 4), (1, 1, 4)):
        for name, row in zip(STEMS, FEATURES, strict=True):
            with h5py.File(tmp_path / "bags" / f"{name}.h5", "w") as file:
                file["features"] = row.reshape(shape)
        np.testing.assert_array_equal(read_imported(tmp_path / "bags", IMAGES), EXPECTED)


@pytest.mark.parametrize(
    "names",
    [
        ["data/restructured/Malignant/c.png", "data/restructured/Benign/a-1.png", "data/restructured/Benign/b.5x.png"],
        ["Malignant\\c.tif", "Benign\\a-1.tif", "Benign\\b.5x.tif"],
        ["elsewhere/c.png", "elsewhere/a-1.jpg", "elsewhere/b.5x.h5"],
    ],
)
def test_suffixes_and_folders_above_the_class_do_not_count(names: list[str]) -> None:
    np.testing.assert_array_equal(match_names(names, IMAGES, Path("f")), [1, 2, 0])


def test_accents_may_be_written_otherwise() -> None:
    np.testing.assert_array_equal(match_names(["b", "Mu\u0308ller"], ["Benign/M\u00fcller.png"], Path("f")), [1])


def test_features_of_further_images_are_left_out() -> None:
    np.testing.assert_array_equal(match_names(["x", *STEMS, "x"], IMAGES, Path("f")), [2, 3, 1])


def test_two_images_of_one_name_need_their_class() -> None:
    images = ["a/1.png", "b/1.png"]
    with pytest.raises(UserError, match=r"two images are named 1; name them with their class: a/1\.png"):
        match_names(["1", "2"], images, Path("f"))
    np.testing.assert_array_equal(match_names(["b/1.png", "a/1.png"], images, Path("f")), [1, 0])


def with_nan(where: int) -> np.ndarray:
    features = FEATURES.copy()
    features[where, 1] = np.nan
    return features


@pytest.mark.parametrize("write", [write_hdf5, write_npz, write_csv, write_parquet])
@pytest.mark.parametrize(
    ("names", "features", "message"),
    [
        (["x", "y", "z"], FEATURES, r"features of other images: its names are such as x, .* such as Benign/a-1\.png"),
        (["c", "a-1", "y"], FEATURES, r"no features of Benign/b\.5x\.png \(1 of 3 images have none\)"),
        (["c", "a-1", "a-1"], FEATURES, "a-1 stands twice"),
        (STEMS, with_nan(1), r"features of Benign/a-1\.png that are no finite numbers \(1 of 3"),
        (STEMS, 1e300 * FEATURES, "no finite numbers"),
    ],
    ids=["others", "missing", "doubled", "nan", "too large"],
)
def test_what_does_not_fit_is_one_line(
    write: Write, names: list[str], features: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"^zoo.<model>.weights: .*{message}") as caught:
        read_imported(write(tmp_path, names, features), IMAGES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "kind"), [((3, 4, 2), float), ((3,), float), ((2, 4), float), ((3, 0), float), ((3, 4), complex)]
)
def test_features_of_another_shape_or_type_are_refused(shape: tuple[int, ...], kind: type, tmp_path: Path) -> None:
    for write in (write_hdf5, write_npz):
        with pytest.raises(UserError, match="a row a name"):
            read_imported(write(tmp_path, STEMS, np.zeros(shape, kind)), IMAGES)


def test_patches_of_another_number_of_features_are_refused(tmp_path: Path) -> None:
    bags = write_bags(tmp_path, STEMS, FEATURES)
    with h5py.File(bags / "c.h5", "w") as file:
        file["features"] = np.zeros((2, 5))
    with pytest.raises(UserError, match=r"c\.h5 has 5 features an image, and .*a-1\.h5 has 4"):
        read_imported(bags, IMAGES)


def empty_folder(folder: Path) -> Path:
    return folder


def nameless(folder: Path) -> Path:
    with h5py.File(folder / "f.h5", "w") as file:
        file["features"] = FEATURES
    return folder / "f.h5"


def without_features(folder: Path) -> Path:
    np.savez(folder / "f.npz", names=STEMS, x=FEATURES)
    return folder / "f.npz"


def pickled(folder: Path) -> Path:
    np.savez(folder / "f.npz", names=STEMS, features=np.array([{}, {}, {}], dtype=object))
    return folder / "f.npz"


def with_a_word(folder: Path) -> Path:
    frame(STEMS, FEATURES).assign(site="breast").to_csv(folder / "f.csv", index=False)
    return folder / "f.csv"


def damaged(folder: Path) -> Path:
    (folder / "f.h5").write_bytes(b"no such thing")
    return folder / "f.h5"


def of_another_kind(folder: Path) -> Path:
    (folder / "f.pt").write_bytes(b"")
    return folder / "f.pt"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (empty_folder, "holds no HDF5 file"),
        (nameless, "names no images; add a dataset 'names'"),
        (without_features, "has no 'features'; it holds names, x"),
        (pickled, "cannot be read .*allow_pickle"),
        (with_a_word, "column site is no feature"),
        (damaged, r"f\.h5 cannot be read"),
        (of_another_kind, r"f\.pt is neither a file of features"),
        (lambda folder: folder / "nowhere.h5", r"nowhere\.h5 is neither a file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(write: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^zoo.<model>.weights: .*{message}") as caught:
        read_imported(write(tmp_path), IMAGES)
    assert "\n" not in str(caught.value)
