"""Rows of an array on disk, read as they are asked for: memory does not grow with the file, as a memory map's does."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS_AT_A_TIME = 4096


class RowFile:
    """A ``.npy`` file of which single rows are read.

    Parameters
    ----------
    path : Path
        A C-ordered array of shape (n_rows, ...).

    Attributes
    ----------
    shape : tuple of int
        Of the whole array.
    dtype : dtype
        Of its numbers.
    """

    def __init__(self, path: Path) -> None:
        mapped = np.load(path, mmap_mode="r")
        self.shape: tuple[int, ...] = mapped.shape
        self.dtype: np.dtype[Any] = mapped.dtype
        self._offset: int = mapped.offset
        self._row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        self._file = path.open("rb", buffering=0)

    def read(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """The rows at the positions `rows`; shape (len(rows), ...)."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for place, row in enumerate(rows):
            content = os.pread(self._file.fileno(), self._row_bytes, self._offset + int(row) * self._row_bytes)
            out[place] = np.frombuffer(content, self.dtype).reshape(self.shape[1:])
        return out


def file_below(array: NDArray[Any]) -> RowFile | None:
    """The file of a memory map of all its rows; None for an array in memory."""
    if not isinstance(array, np.memmap) or array.filename is None:
        return None
    return RowFile(Path(array.filename))


def save_rows(path: Path, array: NDArray[Any]) -> None:
    """Write an array as ``.npy``, as `numpy.save` does; of a memory map only some rows are in memory at a time."""
    source = file_below(array)
    if source is None:
        np.save(path, array)
        return
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, np.lib.format.header_data_from_array_1_0(array))
        for start in range(0, len(array), ROWS_AT_A_TIME):
            file.write(source.read(np.arange(start, min(start + ROWS_AT_A_TIME, len(array)))).tobytes())
