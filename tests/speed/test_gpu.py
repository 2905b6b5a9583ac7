"""The benchmark of GPUs, in a tiny form on a processor."""

import ast
import sys
from pathlib import Path

import pandas as pd
import pytest

from bycase.core.closure import ROOT, import_closure
from speed import gpu

# What the image of a bare machine has, of JAX or TensorFlow.
THERE = {"cv2", "h5py", "jax", "numpy", "pandas", "PIL", "regex", "scipy", "tensorflow", "tqdm", "yaml"}
NEVER = {"keras_cv", "openpyxl"}  # where augment.rand_augment is above 0, or a table is Excel's


def imported(path: Path) -> set[str]:
    """Packages that a file imports, those of this project and of Python apart."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"bycase", "stages", "speed"}


def test_a_bare_machine_needs_no_more_than_the_wheels() -> None:
    reached = ["core.device", "core.params", "core.seeding", "core.machine", "core.files", "tables.splits"]
    reached += ["networks.forward", "networks.registry", "networks.head", "training.batches", "training.compile"]
    files = [ROOT / path for path in import_closure([f"bycase.{name}" for name in reached])]
    files += [Path(gpu.__file__).with_name(name) for name in ("input.py", "training.py")]
    carried = {name.partition(".")[0].replace("-", "_") for name in gpu.WHEELS}
    assert set().union(*map(imported, files)) <= THERE | NEVER | carried


def test_a_network_that_fails_is_named_and_the_table_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "CASES", {"none": gpu.Case("none", 1)})
    monkeypatch.chdir(ROOT)
    options = gpu.argparse.Namespace(size=32, batch=2, steps=1)
    row = gpu.in_a_process("keras", "none", options)
    assert "none" in row["error"]
    assert row["error"] in gpu.line_of(row)


@pytest.mark.slow
def test_every_column_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.csv"
    small = ["--size", "64", "--batch", "2", "--steps", "1", "--networks", "mobilenetv3", "--csv", str(table)]
    gpu.main(small)
    row = pd.read_csv(table).iloc[0]
    assert row["network"] == "mobilenetv3"
    assert row["precision"] == "float32"
    assert row["published_rtx3090"] == 2732
    assert (row[["step", "loop", "forward", "peak_mb", "start_seconds"]].astype(float) > 0).all()
    assert capsys.readouterr().out.startswith("mobilenetv3")
