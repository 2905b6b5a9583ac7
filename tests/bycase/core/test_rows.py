from pathlib import Path

import numpy as np

from bycase.core.rows import RowFile


def test_rows_are_those_of_the_array(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(20, 3, 5)).astype(np.float32)
    np.save(tmp_path / "a.npy", array)
    rows = RowFile(tmp_path / "a.npy")
    assert (rows.shape, rows.dtype) == ((20, 3, 5), np.float32)
    np.testing.assert_array_equal(rows.read(np.array([19, 0, 7, 7])), array[[19, 0, 7, 7]])
    assert rows.read(np.array([], np.intp)).shape == (0, 3, 5)
