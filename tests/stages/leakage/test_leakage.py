import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json
from bycase.datasets.duplicates import COLUMNS as DUPLICATES_COLUMNS
from bycase.datasets.duplicates import write_duplicates
from bycase.report.words import leakage_words
from bycase.statistics.leakage.meter import read_features
from bycase.tables.manifest import COLUMNS, write_manifest
from stages import leakage


@pytest.fixture
def audited(project: Path, make_sample: Any, write_params: Any) -> Path:
    """A project with a manifest and fingerprints, the latter in another order."""
    write_params({"leakage.repeats": 1, "leakage.permutations": 20})
    features, manifest = make_sample(signal=1.0, identity=1.0)
    write_manifest(Path("data/manifest.csv"), manifest.reindex(columns=list(COLUMNS), fill_value=0))
    folder = Path("data/fingerprints")
    folder.mkdir()
    order = np.random.default_rng(0).permutation(len(features))
    np.save(folder / "features.npy", features[order].astype(np.float32))
    write_csv(folder / "index.csv", manifest[["image"]].iloc[order].assign(pixel_sha256="", phash=""))
    write_json(folder / "made_by.json", {"model": "efficientnetlite", "weights": "imagenet"})
    write_duplicates(pd.DataFrame(columns=list(DUPLICATES_COLUMNS)))
    return project


def test_features_come_in_the_order_asked_for(audited: Path, make_sample: Any) -> None:
    features, manifest = make_sample(signal=1.0, identity=1.0)
    found = read_features(manifest["image"])
    np.testing.assert_array_equal(found, features.astype(np.float32))
    assert found.dtype == np.float64


def test_what_is_missing_is_named(audited: Path) -> None:
    with pytest.raises(UserError, match="no features of b.png; run 'dvc repro -f audit'"):
        read_features(pd.Series(["00001.png", "b.png"]))
    (audited / "data/fingerprints/features.npy").unlink()
    with pytest.raises(UserError, match="features.npy not found: run 'dvc repro audit' first"):
        read_features(pd.Series(["00001.png"]))


def test_of_many_images_those_of_drawn_patients_are_measured(
    audited: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = pd.read_csv(audited / "data/manifest.csv", dtype={"group": str})
    most = len(manifest) // 2
    monkeypatch.setattr(leakage, "MOST_IMAGES", most)
    with caplog.at_level("INFO"):
        leakage.main()
    content = json.loads((audited / "metrics/leakage.json").read_text())
    assert content["n_images_in_all"] == len(manifest)
    assert most / 2 < content["n_images"] <= most
    assert f"measured on {content['n_images']} of {len(manifest)} images, of patients drawn" in caplog.text
    assert f"on {content['n_images']} of {len(manifest)} images" in leakage_words(content)


def test_the_command_writes_metrics_table_and_figure_and_repeats(audited: Path, run_stage_process: Any) -> None:
    outputs = [audited / name for name in ("metrics/leakage.json", "plots/leakage.csv", "plots/leakage.png")]
    runs = []
    for _ in range(2):
        done = run_stage_process("leakage", audited)
        assert done.returncode == 0, done.stderr
        assert "split by group left out: identical to case" in done.stderr
        runs.append([path.read_bytes() for path in outputs])
    assert runs[0] == runs[1]
    content = json.loads(outputs[0].read_text())
    assert content["n_images"] == content["n_images_in_all"]
    assert "images" not in leakage_words(content)
    assert set(content["probe"]) == {"group", "magnification"}
    table = pd.read_csv(outputs[1])
    assert table["level"].tolist() == ["image", "folder", "case"]
    assert table["auc"].tolist() == pytest.approx([content[level]["auc"] for level in table["level"]])
    assert (table["auc_low"] < table["auc"]).all()
    with Image.open(outputs[2]) as image:
        assert image.width == 832
    assert outputs[2].stat().st_size < 200_000
