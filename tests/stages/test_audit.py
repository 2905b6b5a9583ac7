import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bycase.core.command import run_stage
from bycase.core.errors import UserError
from bycase.datasets.duplicates import read_duplicates
from bycase.datasets.fingerprints import FEATURES, read_fingerprints, read_made_by
from bycase.images.convert import Job, convert
from bycase.tables.manifest import COLUMNS, NUMBERS, RESTRUCTURED, write_manifest
from stages import audit as audit

SIZE = 64


def add(rows: list[dict[str, Any]], source: Path, image: str, size: int = SIZE) -> None:
    target = RESTRUCTURED / image
    target.parent.mkdir(parents=True, exist_ok=True)
    made = convert(Job(source, target, size, "squash"))
    assert not made.error
    row: dict[str, Any] = dict.fromkeys(COLUMNS, "x") | dict.fromkeys(NUMBERS, 0)
    rows.append(row | {"image": image, "label": image.split("/")[0], "sha256": made.sha256, "phash": made.phash})
    rows[-1]["group"] = image


class Backbone:
    """Mean colours of a grid as features; counts images, and stops at a given one."""

    seen = 0
    stop_at: int | None = None

    def predict_on_batch(self, batch: np.ndarray) -> np.ndarray:
        Backbone.seen += len(batch)
        if Backbone.stop_at and Backbone.seen > Backbone.stop_at:
            raise MemoryError
        grid = batch.reshape(len(batch), 8, SIZE // 8, 8, SIZE // 8, 3).mean(axis=(2, 4)).reshape(len(batch), -1)
        return np.pad(grid - 128, [(0, 0), (0, FEATURES - grid.shape[1])])


@pytest.fixture
def prepared(project: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Ten different images and a copy of the first under another label, with a stand-in for the backbone."""
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for number in range(10):
        path = project / f"{number}.png"
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((90, 70)).save(path)
        add(rows, path, f"Benign/{number}.png")
    add(rows, project / "0.png", "Malignant/zero (1).png")
    write_manifest(Path("data/manifest.csv"), pd.DataFrame(rows))
    section = SimpleNamespace(near_distance=8, near_similarity=0.9, embedding_similarity=0.96, batch_size=3, waive={})
    params = SimpleNamespace(audit=section, dataset="phantom", data=SimpleNamespace(image_size=SIZE, resize="squash"))
    monkeypatch.setattr(audit, "load_params", lambda: params)
    monkeypatch.setattr(audit, "build_backbone", lambda *_: Backbone())
    monkeypatch.setattr(audit, "frozen_forward", lambda backbone, _: backbone.predict_on_batch)
    monkeypatch.setattr(audit, "make_deterministic", lambda _: None)
    monkeypatch.setattr(Backbone, "seen", 0)
    monkeypatch.setattr(Backbone, "stop_at", None)
    return section


def test_two_labels_fail_with_one_line_after_the_report_and_a_waiver_lets_pass(prepared: SimpleNamespace) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_stage("audit", audit.main)
    message = str(stopped.value.code)
    assert "\n" not in message
    assert message.startswith("audit: error: 1 pairs of duplicates stand under two labels")
    assert '["Benign/0.png", "Malignant/zero (1).png"]' in message
    assert "audit.waive.phantom" in message
    assert json.loads(Path("metrics/audit.json").read_text())["cross_label"]["pairs"] == 1

    prepared.waive = {"phantom": [["Malignant/zero (1).png", "Benign/0.png"]], "other": [["gone", "away"]]}
    audit.main()
    assert Backbone.seen == 11  # the features of the failed run are used
    found = read_fingerprints()
    assert found.features.shape == (11, FEATURES)
    assert found.features.dtype == np.float32
    assert found.pixel_sha256[0] == found.pixel_sha256[-1]
    assert len(set(found.pixel_sha256)) == 10
    assert read_made_by()["model"] == "efficientnetlite"
    assert read_duplicates()["kind"].tolist() == ["exact"]
    assert json.loads(Path("metrics/audit.json").read_text())["cross_label"]["waived"] == 1


def test_interrupted_fingerprints_continue(prepared: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared.waive = {"phantom": [["Benign/0.png", "Malignant/zero (1).png"]]}
    monkeypatch.setattr(Backbone, "stop_at", 7)
    with pytest.raises(UserError, match="memory ran out with .*; what was finished is kept"):
        audit.main()
    assert not Path("data/fingerprints").exists()
    monkeypatch.setattr(Backbone, "stop_at", None)
    monkeypatch.setattr(Backbone, "seen", 0)
    audit.main()
    assert Backbone.seen == 11 - 6
    assert (np.abs(read_fingerprints().features).sum(axis=1) > 0).all()


def test_waiver_of_an_unknown_image_is_refused_before_any_work(prepared: SimpleNamespace) -> None:
    prepared.waive = {"phantom": [["Benign/0.png", "Benign/99.png"]]}
    with pytest.raises(SystemExit, match=r"audit.waive.phantom: no image Benign/99.png in data/manifest.csv"):
        run_stage("audit", audit.main)
    assert Backbone.seen == 0


def test_manifest_with_a_broken_perceptual_hash_is_refused(prepared: SimpleNamespace) -> None:
    manifest = pd.read_csv("data/manifest.csv", dtype=str)
    write_manifest(Path("data/manifest.csv"), manifest.assign(phash="xyz"))
    with pytest.raises(SystemExit, match="phash 'xyz' of Benign/0.png is not 64 bits in hexadecimal"):
        run_stage("audit", audit.main)


def test_known_pair_of_busi_is_found_by_the_real_backbone(
    shared: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busi = shared / "data/busi/Dataset_BUSI_with_GT"
    if not busi.is_dir():
        pytest.skip(f"{busi}, the real ultrasound images, is absent")
    rows: list[dict[str, Any]] = []
    for place in (
        "benign/benign (433)",
        "malignant/malignant (145)",
        "benign/benign (333)",
        "malignant/malignant (77)",
    ):
        label, name = place.split("/")
        add(rows, busi / f"{place}.png", f"{label.capitalize()}/{name}.png", 224)
    for path in sorted((busi / "normal").glob("*.png"))[:4]:
        add(rows, path, f"Normal/{path.name}", 224)
    write_manifest(Path("data/manifest.csv"), pd.DataFrame(rows))
    section = SimpleNamespace(near_distance=8, near_similarity=0.9, embedding_similarity=0.96, batch_size=8, waive={})
    params = SimpleNamespace(audit=section, dataset="busi", data=SimpleNamespace(image_size=224, resize="squash"))
    monkeypatch.setattr(audit, "load_params", lambda: params)
    with pytest.raises(SystemExit, match=r"2 pairs .*benign \(433\).png.*malignant \(145\).png"):
        run_stage("audit", audit.main)
    cross = read_duplicates().query("not same_label")
    assert cross[["image_a", "image_b", "kind"]].to_numpy().tolist() == [
        ["Benign/benign (433).png", "Malignant/malignant (145).png", "exact"],
        ["Benign/benign (333).png", "Malignant/malignant (77).png", "near"],
    ]
