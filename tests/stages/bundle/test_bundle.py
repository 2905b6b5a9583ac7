import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from bycase.apps.classifier.archive import INFO, REFERENCE, read_parts, write_classifier
from bycase.apps.classifier.assemble import calibrate_distance, check_scores
from bycase.apps.classifier.reference import make_reference
from bycase.core.errors import UserError

Bundle = Callable[[int], Path]


def rewrite(source: Path, target: Path, **changes: bytes | None) -> Path:
    """A copy of a zip file with members replaced or added (dots as __), or left out where None."""
    changed = {name.replace("__", "."): content for name, content in changes.items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in [*old.namelist(), *(name for name in changed if name not in old.namelist())]:
            content = changed[name] if name in changed else old.read(name)
            if content is not None:
                new.writestr(name, content)
    return target


def test_the_info_is_what_the_stages_wrote(bundled: Bundle) -> None:
    info = read_parts(bundled(2) / "models/classifier.keras").info
    assert (info.classes, info.positive, info.image_size, info.resize) == (
        ["Benign", "Malignant"],
        "Malignant",
        32,
        "squash",
    )
    assert (info.image.threshold, info.image.temperature) == (0.45, 0.7)
    assert (info.patient.threshold, info.patient.temperature) == (0.4, 0.5)
    assert (info.sets.coverage, info.sets.image_threshold, info.sets.patient_threshold, info.sets.n_patients) == (
        0.8,
        0.4,
        0.2,
        6,
    )
    assert (info.dataset, info.phantom, info.layout, info.preprocess.clip_limit) == ("phantom", True, "breakhis", 4.0)


def test_several_classes_have_no_threshold(bundled: Bundle) -> None:
    info = read_parts(bundled(3) / "models/classifier.keras").info
    assert (info.positive, info.image.threshold, info.patient.threshold) == (None, None, None)


def test_the_reference_is_of_the_training_images_and_no_others(bundled: Bundle) -> None:
    reference = read_parts(bundled(2) / "models/classifier.keras").reference
    splits = pd.read_csv(bundled(2) / "data/splits.csv")
    assert reference.images.tolist() == splits.loc[splits["part"] == "train", "image"].tolist()
    assert [["Benign", "Malignant"][n] for n in reference.labels] == [name.split("/")[0] for name in reference.images]
    assert np.allclose(np.linalg.norm(reference.features, axis=1), 1, atol=1e-3)


def test_keras_alone_opens_the_file_in_safe_mode(bundled: Bundle) -> None:
    import keras

    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    both = [keras.saving.load_model(bundled(2) / "models" / name) for name in ("classifier.keras", "model.keras")]
    first, second = (np.asarray(network(images)) for network in both)
    np.testing.assert_array_equal(first, second)


def test_the_same_content_gives_the_same_bytes(bundled: Bundle, tmp_path: Path) -> None:
    parts = read_parts(bundled(2) / "models/classifier.keras")
    write_classifier(tmp_path / "again.keras", bundled(2) / "models/model.keras", parts.info, parts.reference)
    assert (tmp_path / "again.keras").read_bytes() == (bundled(2) / "models/classifier.keras").read_bytes()


def test_distances_are_those_of_scipy() -> None:
    random = np.random.default_rng(0)
    training, new = random.normal(size=(30, 5)).astype(np.float32), random.normal(size=(4, 5)).astype(np.float32)
    reference = make_reference(training, [str(n) for n in range(30)], np.zeros(30, np.int64))
    unit = [of / np.linalg.norm(of, axis=1, keepdims=True) for of in (new, training)]
    expected = np.sort(cdist(*unit), axis=1)
    np.testing.assert_allclose(reference.distance(1000 * new, 10), expected[:, 9], atol=2e-3)
    distances, rows = reference.nearest(new, 3)
    np.testing.assert_allclose(distances, expected[:, :3], atol=2e-3)
    np.testing.assert_array_equal(rows, np.argsort(cdist(*unit), axis=1)[:, :3])
    assert reference.nearest(new, 99)[1].shape == (4, 30)


def test_the_limit_is_validations_and_test_is_only_counted() -> None:
    info = calibrate_distance(np.linspace(0, 1, 101), np.array([0.5, 0.995, 2.0]))
    assert info.distance == pytest.approx(0.99)
    assert (info.validation_flagged, info.test_flagged) == (pytest.approx(1 / 101), pytest.approx(2 / 3))


@pytest.mark.parametrize("found", [0.501, np.nan])
def test_another_networks_predictions_are_refused(found: float) -> None:
    stored = np.full((2, 2), 0.5)
    check_scores(Path("val.csv"), stored + 1e-6, stored)
    with pytest.raises(UserError, match=r"val\.csv is not of models/model\.keras"):
        check_scores(Path("val.csv"), np.full((2, 2), found), stored)


def test_the_command_refuses_predictions_of_another_network(copied: Path) -> None:
    from stages.bundle import main

    table = pd.read_csv("data/predictions/val.csv")
    table[["Benign", "Malignant"]] = table[["Malignant", "Benign"]].to_numpy()
    table.to_csv("data/predictions/val.csv", index=False)
    before = Path("models/classifier.keras").read_bytes()
    with pytest.raises(UserError, match="run 'dvc repro evaluate'"):
        main()
    assert Path("models/classifier.keras").read_bytes() == before


def npz(**arrays: Any) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


GOOD = {"features": np.ones((2, 3), np.float16), "images": np.array(["a", "b"]), "labels": np.zeros(2, np.int64)}
BAD_REFERENCES = {
    "pickled": GOOD | {"images": np.array(["a", None], dtype=object)},
    "no labels": {name: of for name, of in GOOD.items() if name != "labels"},
    "lengths differ": GOOD | {"labels": np.zeros(3, np.int64)},
    "not finite": GOOD | {"features": np.full((2, 3), np.nan, np.float16)},
    "empty": {name: of[:0] for name, of in GOOD.items()},
    "doubles": GOOD | {"features": np.ones((2, 3))},
}


@pytest.mark.parametrize("arrays", BAD_REFERENCES.values(), ids=BAD_REFERENCES)
def test_a_bad_reference_is_refused(bundled: Bundle, tmp_path: Path, arrays: dict[str, Any]) -> None:
    path = rewrite(bundled(2) / "models/classifier.keras", tmp_path / "bad.keras", reference__npz=npz(**arrays))
    with pytest.raises(UserError, match="no classifier, or damaged"):
        read_parts(path)


BAD_INFOS: dict[str, dict[str, Any]] = {
    "version": {"version": 3},
    "unknown key": {"colour": "red"},
    "positive": {"positive": "Benign"},
    "threshold": {"image": {"threshold": None, "temperature": 1.0}},
    "temperature": {"image": {"threshold": 0.5, "temperature": 0.0}},
    "classes": {"classes": ["Benign", "Benign"]},
}


@pytest.mark.parametrize("change", BAD_INFOS.values(), ids=BAD_INFOS)
def test_a_bad_info_is_refused(bundled: Bundle, tmp_path: Path, change: dict[str, Any]) -> None:
    source = bundled(2) / "models/classifier.keras"
    with zipfile.ZipFile(source) as opened:
        info = json.loads(opened.read(INFO)) | change
    path = rewrite(source, tmp_path / "bad.keras", classifier__json=json.dumps(info).encode())
    with pytest.raises(UserError, match=r"bad\.keras: .*; this bycase cannot read it"):
        read_parts(path)


def test_a_classifier_of_version_1_is_read(bundled: Bundle, tmp_path: Path) -> None:
    """Its file said `format`, and named the thresholds of conformal sets by their level alone."""
    source = bundled(2) / "models/classifier.keras"
    expected = read_parts(source).info
    fields = expected.model_dump()
    del fields["version"]
    sets = {"coverage": 0.8, "image": 0.4, "patient": 0.2, "n_patients": 6}
    old = json.dumps(fields | {"format": 1, "sets": sets}).encode()
    assert read_parts(rewrite(source, tmp_path / "old.keras", classifier__json=old)).info == expected
    later = json.dumps(fields | {"version": 3}).encode()
    with pytest.raises(UserError, match="is of version 3, where 1 and 2 are known") as refused:
        read_parts(rewrite(source, tmp_path / "later.keras", classifier__json=later))
    assert "\n" not in str(refused.value)


def test_other_files_are_refused(bundled: Bundle, tmp_path: Path) -> None:
    source = bundled(2) / "models/classifier.keras"
    with pytest.raises(UserError, match="not found"):
        read_parts(tmp_path / "absent.keras")
    with pytest.raises(UserError, match="a network without classes"):
        read_parts(source.with_name("model.keras"))
    with pytest.raises(UserError, match="member 'evil' is missing, twice or too many"):
        read_parts(rewrite(source, tmp_path / "more.keras", evil=b"x"))
    with pytest.raises(UserError, match=REFERENCE):
        read_parts(rewrite(source, tmp_path / "less.keras", reference__npz=None))
    cut = tmp_path / "cut.keras"
    cut.write_bytes(source.read_bytes()[:-5000])
    with pytest.raises(UserError, match="damaged"):
        read_parts(cut)


def test_no_code_of_the_file_is_run(bundled: Bundle, tmp_path: Path) -> None:
    """A Lambda layer is Python code in the file; safe mode refuses it."""
    import keras

    from bycase.apps.classifier.classifier import load_classifier

    source, hostile = bundled(2) / "models/classifier.keras", tmp_path / "hostile.keras"
    inputs = keras.Input((32, 32, 3))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x[:, 0, 0, :1])(inputs)).save(hostile)
    shutil.copy(source, tmp_path / "classifier.keras")
    with zipfile.ZipFile(hostile) as opened:
        members = {name.replace(".", "__"): opened.read(name) for name in opened.namelist()}
    path = rewrite(source, tmp_path / "classifier.keras", **members)
    with pytest.raises(UserError, match="Keras does not load the network"):
        load_classifier(path)
