"""Features that another program computed: HDF5 as TRIDENT and CLAM write it, ``.npz``, ``.parquet`` or ``.csv``.

CLAM (Lu et al. 2021, arXiv:2004.09666) and TRIDENT (Zhang et al. 2025, arXiv:2502.06750) write one HDF5 file a slide,
with datasets `features` (`feats` in others), one row a patch, and `coords`. Here an image stands in a slide's place.
"""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError, one_line
from bycase.core.expressions import composed
from bycase.tables.tabular import find_delimiter

KEY = "zoo.<model>.weights"
NAMES = ("names", "name", "images", "image", "paths", "path")
FEATURES = ("features", "feats")
HDF5 = (".h5", ".hdf5")
SUFFIXES = (*HDF5, ".npz", ".parquet", ".csv")
# Of images and of files of features: in a name without its suffix a dot may stand too.
DROPPED = {*SUFFIXES, ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".npy", ".pt"}

Names = list[str]
Floats = NDArray[np.float32]


def check_imported(path: Path) -> None:
    """Refuse what is no file of features and no folder of such files."""
    if not path.exists() or (path.is_file() and path.suffix.lower() not in SUFFIXES):
        raise UserError(
            f"{KEY}: {path} is neither a file of features ({', '.join(SUFFIXES)}) nor a folder with one HDF5 file an "
            "image; docs/how-to/features.md says how to write one"
        )


def read_imported(path: Path, images: Sequence[str]) -> Floats:
    """Read the features of a data set's images.

    Parameters
    ----------
    path : Path
        A file whose rows are named, or a folder with one HDF5 file an image, the mean of whose patches is taken.
    images : sequence of str
        Paths below ``data/restructured``.

    Returns
    -------
    ndarray of shape (n_images, n_features), float32
        In the order of `images`, whatever the file's.

    Raises
    ------
    UserError
        If the file cannot be read, an image has no features or stands twice, the names are those of other images, or
        a feature is no finite number.
    """
    check_imported(path)
    with one_line(f"{KEY}: {path} cannot be read", "docs/how-to/features.md says how to write such a file"):
        names, features = _read_folder(path) if path.is_dir() else READERS[path.suffix.lower()](path)
        features = _check_shape(features, len(names), path)
    chosen = features[match_names(names, images, path)]
    finite = np.isfinite(chosen).all(axis=1)
    if not finite.all():
        name = images[int(np.argmin(finite))]
        raise UserError(
            f"{KEY}: {path} holds features of {name} that are no finite numbers ({int((~finite).sum())} of "
            f"{len(images)} images have such); compute them anew"
        )
    return chosen


def match_names(names: Sequence[str], images: Sequence[str], path: Path) -> NDArray[np.intp]:
    """Find each image among the names that another program gave, by class folder and name, or by name alone.

    Suffixes of files do not count, nor do folders above the class. Names beyond those of `images` may be there.

    Returns
    -------
    ndarray of shape (n_images,)
        Positions in `names`.

    Raises
    ------
    UserError
        If an image is missing or stands twice, or all names are those of other images.
    """
    for key in (_path_key, _stem_key):
        given, wanted = pd.Index([key(name) for name in names]), pd.Index([key(image) for image in images])
        if given.isin(wanted).any():
            break
    else:
        raise UserError(
            f"{KEY}: {path} has features of other images: its names are such as {names[0]}, this data set's such as "
            f"{images[0]}"
        )
    if not wanted.is_unique:
        name = wanted[wanted.duplicated()][0]
        raise UserError(f"{KEY}: {path}: two images are named {name}; name them with their class: {images[0]}")
    doubled = given[given.duplicated() & given.isin(wanted)]
    if len(doubled):
        raise UserError(f"{KEY}: {path}: {doubled[0]} stands twice; each image has one row")
    place = {name: row for row, name in enumerate(given)}
    rows = np.array([place.get(name, -1) for name in wanted], np.intp)
    if (rows < 0).any():
        raise UserError(
            f"{KEY}: {path} has no features of {images[int(np.argmin(rows))]} ({int((rows < 0).sum())} of "
            f"{len(images)} images have none); compute them for every image of data/restructured"
        )
    return rows


def _stem_key(name: str) -> str:
    path = _posix(name)
    return path.stem if path.suffix.lower() in DROPPED else path.name


def _path_key(name: str) -> str:
    return f"{_posix(name).parent.name}/{_stem_key(name)}"


def _posix(name: str) -> PurePosixPath:
    return PurePosixPath(composed(name).replace("\\", "/"))


def _check_shape(features: NDArray[Any], n_names: int, path: Path) -> Floats:
    if features.ndim != 2 or len(features) != n_names or 0 in features.shape or features.dtype.kind not in "fiu":
        raise UserError(
            f"{KEY}: {path} holds features of shape {features.shape} and type {features.dtype} for {n_names} names; "
            "(n_images, n_features) numbers are needed, a row a name"
        )
    # A number too large for float32 becomes infinite, and is refused as such.
    with np.errstate(over="ignore"):
        return features.astype(np.float32)


def _first(keys: Sequence[str], there: Any, path: Path) -> str:
    for key in keys:
        if key in there:
            return key
    raise UserError(f"{KEY}: {path} has no '{keys[0]}'; it holds {', '.join(sorted(map(str, there))) or 'nothing'}")


def _texts(values: Sequence[Any]) -> Names:
    return [value.decode("utf-8") if isinstance(value, bytes) else str(value) for value in values]


def _read_hdf5(path: Path) -> tuple[Names, NDArray[Any]]:
    import h5py

    with h5py.File(path) as file:
        features = file[_first(FEATURES, file.keys(), path)][()]
        if not any(key in file for key in NAMES):
            raise UserError(
                f"{KEY}: {path} names no images; add a dataset 'names', or give a folder with one such file an image"
            )
        return _texts(file[_first(NAMES, file.keys(), path)][()]), features


def _read_folder(path: Path) -> tuple[Names, NDArray[Any]]:
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in HDF5)
    if not files:
        raise UserError(f"{KEY}: folder {path} holds no HDF5 file ({', '.join(HDF5)})")
    vectors = [_image_vector(file) for file in files]
    odd = next((number for number, each in enumerate(vectors) if each.shape != vectors[0].shape), None)
    if odd is not None:
        raise UserError(
            f"{KEY}: {files[odd]} has {len(vectors[odd])} features an image, and {files[0]} has {len(vectors[0])}"
        )
    return [file.relative_to(path).as_posix() for file in files], np.stack(vectors)


def _image_vector(path: Path) -> NDArray[np.float64]:
    """The mean over an image's patches; of shape (n_features,)."""
    import h5py

    with h5py.File(path) as file:
        features = np.asarray(file[_first(FEATURES, file.keys(), path)][()])
    # A single image's features may stand without patches, and a batch of one before them.
    patches = features.reshape(-1, features.shape[-1]) if features.ndim in (1, 2) or len(features) == 1 else features
    if patches.ndim != 2 or 0 in patches.shape:
        raise UserError(f"{KEY}: {path} holds features of shape {features.shape}; (n_patches, n_features) are needed")
    return patches.astype(np.float64).mean(axis=0)


def _read_npz(path: Path) -> tuple[Names, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        return _texts(file[_first(NAMES, file.files, path)].tolist()), file[_first(FEATURES, file.files, path)]


def _read_frame(path: Path) -> tuple[Names, NDArray[Any]]:
    """A column of names, and one of lists or one a feature."""
    frame = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    column = _first(NAMES, frame.columns, path)
    names, rest = _texts(frame[column].tolist()), frame.drop(columns=column)
    for key in FEATURES:
        if key in rest and rest[key].dtype == object:
            return names, np.stack([np.asarray(row) for row in rest[key]])
    words = [str(name) for name, kind in rest.dtypes.items() if kind.kind not in "fiu"]
    if words:
        raise UserError(f"{KEY}: {path}: column {words[0]} is no feature; leave names in '{column}' and numbers")
    return names, rest.to_numpy(np.float64)


def _read_csv(path: Path) -> pd.DataFrame:
    # Not by `read_any_table`: a thousand features an image would be gigabytes of text.
    with path.open(encoding="utf-8-sig") as file:
        delimiter = find_delimiter("".join(itertools.islice(file, 2)))
    return pd.read_csv(path, sep=delimiter, encoding="utf-8-sig")


READERS: dict[str, Callable[[Path], tuple[Names, NDArray[Any]]]] = {
    **dict.fromkeys(HDF5, _read_hdf5),
    ".npz": _read_npz,
    ".parquet": _read_frame,
    ".csv": _read_frame,
}
