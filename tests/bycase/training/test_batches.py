from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.params import load_params
from bycase.core.rows import RowFile
from bycase.training import batches
from bycase.training.subsets import Subset, make_targets


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


def epoch_of(pixels: RowFile, workers: int | None, **augment: float) -> list[bytes]:
    n = pixels.shape[0]
    y = np.arange(n) % 2
    train = Subset(pd.Series([""] * n), y, make_targets(y, 2), np.linspace(1, 2, n, dtype=np.float32), np.arange(n))
    params = load_params().augment.model_copy(update=augment)
    made = batches.image_batches(pixels, train, params, 4, 1, 3, workers=workers)
    return [array.tobytes() for batch in made for array in batch]


@pytest.mark.parametrize("augment", [{"stain_jitter": 0.2, "mixup": 0.4, "cutmix": 1.0}, {"rand_augment": 0.5}])
def test_batches_are_the_same_whatever_the_number_of_workers(tmp_path: Path, augment: dict[str, float]) -> None:
    np.save(tmp_path / "p.npy", np.random.default_rng(0).integers(0, 256, (42, 16, 16, 3), dtype=np.uint8))
    rows = RowFile(tmp_path / "p.npy")
    made = epoch_of(rows, 3, **augment)
    assert len(made) == 3 * 10
    assert len(set(made[::3])) == 10
    for workers in (1, 2, None):
        assert epoch_of(rows, workers, **augment) == made


def test_what_cannot_be_read_ends_the_epoch(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.zeros((40, 16, 16, 3), np.uint8))
    rows = RowFile(tmp_path / "p.npy")
    with (tmp_path / "p.npy").open("r+b") as file:
        file.truncate(20_000)
    with pytest.raises(ValueError, match="reshape"):
        epoch_of(rows, 3)
