import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from scipy.special import logit

from stages.common.data_params import PreprocessParams
from stages.common.files import write_json
from stages.common.manifest import COLUMNS, MANIFEST, PREPROCESSED, RESTRUCTURED, write_manifest
from stages.common.training_params import DenseLayer, DropoutLayer
from stages.evaluate.predictions import TEST, VALIDATION, make_predictions, write_predictions
from stages.preprocess.convert import FITTED, Steps, Task, write_image
from stages.restructure.convert import Job, convert
from stages.restructure.pixels import read_pixels
from stages.split.table import write_splits

SIZE = 32
THRESHOLD = 0.45
RAW = Path("data/raw/phantom")
CLASSES = {2: ["Benign", "Malignant"], 3: ["a", "b", "c"]}
SUBTYPES = ["A", "DC"]
# Something that changes every image, so that a classifier that leaves it out gives other answers.
STEPS = Steps(PreprocessParams(stain="none", clip_limit=4.0, denoise=0.0), None)

Bundle = Callable[[int], Path]


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory, default_params: dict[str, Any]) -> Bundle:
    """``bundled(2)``: a project of two classes with all stages up to bundle run, never to be changed."""
    made: dict[int, Path] = {}

    def make(n_classes: int = 2) -> Path:
        if n_classes not in made:
            made[n_classes] = tmp_path_factory.mktemp(f"bundled-{n_classes}")
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(made[n_classes])
                make_project(n_classes, default_params)
                from stages.bundle.__main__ import main

                main()
        return made[n_classes]

    return make


@pytest.fixture(scope="session")
def classifier(bundled: Bundle) -> Any:
    """The classifier of two classes, loaded once; batches of eight."""
    from stages.predict.classifier import load_classifier

    return load_classifier(bundled(2) / "models/classifier.keras", 8)


@pytest.fixture
def copied(bundled: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project of two classes, which is the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(bundled(2), folder)
    monkeypatch.chdir(folder)
    return folder


def make_project(n_classes: int, default_params: dict[str, Any]) -> None:
    """Write what the stages before bundle leave, in the current folder."""
    from stages.evaluate.network import load_network
    from stages.train.predict import predict_images
    from stages.zoo.forward import frozen_forward

    classes = CLASSES[n_classes]
    params = default_params | {"dataset": "phantom"}
    params["datasets"] = default_params["datasets"] | {
        "phantom": default_params["datasets"]["phantom"] | {"image_size": SIZE}
    }
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    part = make_images(classes)
    write_json(FITTED, {**STEPS.params.model_dump(), "target": None, "stain_left_as_it_is": 0})
    filling = dict.fromkeys(COLUMNS, "x") | dict.fromkeys(("magnification", "width", "height"), 1)
    write_manifest(MANIFEST, part.assign(**{key: value for key, value in filling.items() if key not in part}))
    number = part["group"].str[-2:].astype(int)
    part["part"] = np.select([number < 12, number < 18], ["train", "val"], "test")
    write_splits(part.assign(fold=0), {"protocol": "fractions", "group": "case"})

    make_network(n_classes, part["image"].tolist())
    card = {"model": "tiny", "variant": None, "weights": "random", "dataset": "phantom", "phantom": True}
    card |= {"classes": classes, "positive": classes[1] if n_classes == 2 else None, "image_size": SIZE}
    write_json(Path("models/model.json"), card)
    forward = frozen_forward(load_network(Path("models/model.keras")), 16)
    for path, name in ((VALIDATION, "val"), (TEST, "test")):
        rows = part[part["part"] == name]
        scores = predict_images(forward, rows["image"].tolist(), 16)
        write_predictions(path, make_predictions(rows, scores, classes, path), classes)

    level = {"threshold": THRESHOLD} if n_classes == 2 else {}
    metrics = {"image": level, "patient": dict.fromkeys(level, 0.4)}
    metrics |= {"calibration": {"temperature": 0.7, "patient": {"temperature": 0.5}}}
    write_json(Path("metrics/metrics.json"), metrics)
    sets = {"image": {"least_probability": 0.4}, "patient": {"least_probability": 0.2, "n_calibration": 6}}
    write_json(Path("metrics/uncertainty.json"), {"coverage": 0.8, "conformal": sets})


def make_images(classes: list[str]) -> pd.DataFrame:
    """Two images of each of 24 cases: as published, restructured and preprocessed; image, label and group."""
    random = np.random.default_rng(0)
    rows = []
    for case in range(24):
        label = classes[case % len(classes)]
        for sequence in (1, 2):
            name = f"SOB_{'BM'[case % 2]}_{SUBTYPES[case % 2]}-14-10{case:02}-40-{sequence:03}.png"
            pixels = random.integers(60, 160, (46, 70, 3))
            pixels[..., case % len(classes)] += random.integers(0, 60)
            pixels[:20, :20, 1] //= 2
            raw = RAW / name
            raw.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(raw)
            for folder in (RESTRUCTURED, PREPROCESSED):
                (folder / label).mkdir(parents=True, exist_ok=True)
            image = f"{label}/{name}"
            convert(Job(raw, RESTRUCTURED / image, SIZE, "squash"))
            write_image(Task(RESTRUCTURED, image, PREPROCESSED / image, STEPS))
            rows.append({"image": image, "label": label, "group": f"14-10{case:02}"})
    return pd.DataFrame(rows).sort_values("image", ignore_index=True)


def make_network(n_classes: int, images: list[str]) -> None:
    """Write a network of random weights, of the pipeline's form, whose answers depend on how an image is turned."""
    import keras

    from stages.train.network import build_head, join

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(1)
    inputs = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.AveragePooling2D(8)(inputs / 255.0)
    body = keras.Model(inputs, keras.layers.Flatten()(pooled), name="tiny")
    head = build_head(48, [DropoutLayer(dropout=0.5), DenseLayer(dense=8)], n_classes, 7)
    for layer in head.layers:
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights([1.5 * random.normal(size=of.shape) for of in layer.get_weights()])
    network = join(body, head)
    if n_classes == 2:
        # Half of the images on either side of the threshold.
        scores = np.asarray(network(read_pixels(images).astype(np.float32)))
        kernel, bias = head.layers[-1].get_weights()
        head.layers[-1].set_weights([kernel, bias + logit(THRESHOLD) - logit(np.median(scores))])
    Path("models").mkdir()
    network.save("models/model.keras")
