"""Rows of an array on disk, read as they are asked for: memory does not grow with the file, as a memory map's does."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
