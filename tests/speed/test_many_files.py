"""The benchmark of a folder of very many files, on few."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from speed.many_files import SIDE, STAGES, Patient, divide, main, write_patient


@pytest.mark.parametrize("images", [20, 1000, 277_000])
def test_every_image_belongs_to_one_patient(images: int) -> None:
    patients = list(divide(images))
    assert sum(patient.images for patient in patients) == images
    assert len({patient.number for patient in patients}) == len(patients)
    assert {patient.suffix for patient in patients} == {"jpg", "png"}


def test_every_file_has_a_content_of_its_own(tmp_path: Path) -> None:
    for patient in (Patient(8000, 30, "png"), Patient(8003, 30, "jpg")):
        write_patient(tmp_path, patient)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len({path.read_bytes() for path in files}) == len(files) == 60
    assert {path.parts[-2] for path in files} == {"0", "1"}
    assert np.asarray(Image.open(files[0])).shape == (SIDE, SIDE, 3)


@pytest.mark.slow
def test_every_step_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--images", "400", "--csv", str(tmp_path / "table.csv")])
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["step"].tolist() == ["inspect", *STAGES]
    assert set(table["images"]) == {400}
    assert (table[["processor_seconds", "peak_mb"]] > 0).all(axis=None)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["step", "inspect", *STAGES]
