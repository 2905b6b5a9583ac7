from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bycase.training import batches


def test_every_image_is_decoded_once_into_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 3), dtype=np.uint8)
    decoded: list[str] = []

    def read(images: Sequence[str]) -> np.ndarray:
        decoded.extend(images)
        return pixels[[int(name) for name in images]]

    monkeypatch.setattr(batches, "read_pixels", read)
    names = [str(number) for number in range(150)]
    rows = batches.decode_once(names, 8, tmp_path / "checkpoints/pixels.npy")
    assert decoded == names
    assert (rows.shape, rows.dtype) == ((150, 8, 8, 3), np.uint8)
    np.testing.assert_array_equal(rows.read(np.array([149, 3])), pixels[[149, 3]])
    np.testing.assert_array_equal(np.load(tmp_path / "checkpoints/pixels.npy"), pixels)
