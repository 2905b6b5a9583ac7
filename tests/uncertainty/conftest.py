from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.files import write_json
from stages.common.manifest import COLUMNS, MANIFEST, PREPROCESSED, write_manifest
from stages.common.training_params import DenseLayer, DropoutLayer
from stages.evaluate.predictions import TEST, VALIDATION, make_predictions, write_predictions

SIZE = 8
CLASSES = {2: ["Benign", "Malignant"], 3: ["a", "b", "c"]}


@pytest.fixture
def make_workspace(project: Path, write_params: Callable[..., None]) -> Callable[..., Path]:
    """``make_workspace(2)``: a project as evaluate leaves it, its network has a head with dropout."""

    def make(n_classes: int = 2, dropout: float = 0.5) -> Path:
        import keras

        from stages.train.network import build_head, join
        from stages.zoo.forward import frozen_forward

        classes = CLASSES[n_classes]
        write_params(
            {
                "evaluate.resamples": 100,
                "evaluate.batch_size": 8,
                "uncertainty.dropout_passes": 5,
                "uncertainty.views": 3,
                "uncertainty.coverage": 0.7,
            }
        )
        random = np.random.default_rng(0)
        number = np.arange(48)
        case = number // 4
        labels = np.array(classes)[case % n_classes]
        part = pd.DataFrame({"image": [f"{label}/{n:02}.png" for n, label in zip(number, labels, strict=True)]})
        part = part.assign(label=labels, group=[f"c{of:02}" for of in case])
        pixels = random.integers(0, 120, (48, SIZE, SIZE, 3), dtype=np.uint8)
        for n, image in enumerate(part["image"]):
            # One corner shows the class, so that a turned image looks like another.
            pixels[n, :4, :4, case[n] % n_classes] += np.uint8(random.integers(20, 130))
            (PREPROCESSED / image).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[n]).save(PREPROCESSED / image)
        filling = dict.fromkeys(COLUMNS, "x") | dict.fromkeys(("magnification", "width", "height"), 1)
        write_manifest(MANIFEST, part.assign(**{key: value for key, value in filling.items() if key not in part}))

        inputs = keras.Input((SIZE, SIZE, 3))
        body = keras.Model(inputs, keras.layers.Flatten()(inputs[:, :4, :4] / 255.0), name="tiny")
        head = build_head(48, [DropoutLayer(dropout=dropout), DenseLayer(dense=4)], n_classes, 7)
        keras.utils.set_random_seed(0)
        for layer in head.layers:
            if isinstance(layer, keras.layers.Dense):
                layer.set_weights([random.normal(size=of.shape) for of in layer.get_weights()])
        network = join(body, head)
        Path("models").mkdir()
        network.save("models/model.keras")
        card = {"model": "tiny", "weights": "random", "dataset": "phantom", "phantom": True, "classes": classes}
        write_json(Path("models/model.json"), card | {"positive": classes[1] if n_classes == 2 else None})

        outputs = frozen_forward(network, 48)(pixels.astype(np.float32)).astype(np.float64)
        scores = np.hstack([1 - outputs, outputs]) if n_classes == 2 else outputs / outputs.sum(axis=1, keepdims=True)
        for path, rows in ((VALIDATION, case < 6), (TEST, case >= 6)):
            write_predictions(path, make_predictions(part[rows], scores[rows], classes, path), classes)
        return project

    return make
