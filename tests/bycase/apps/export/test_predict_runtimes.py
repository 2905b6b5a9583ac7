"""From an export to a table: `bycase predict --runtime` gives what Keras gives."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.apps.export import command as exporting
from bycase.apps.export.parity import LARGEST_DIFFERENCE
from bycase.apps.predict import command
from bycase.apps.runtimes import FORMATS
from bycase.core.errors import UserError
from tests.fixtures import predict as predicting

bundled, copied = predicting.bundled, predicting.copied
RAW = "data/raw/phantom"
NEEDS = {"onnx": ["onnx", "tf2onnx", "onnxruntime"], "openvino": ["openvino"], "int8": ["openvino", "nncf"]}
WORDS = ["image", "class", "set", "image_set", "unlike", "patient", "notes"]


@pytest.fixture
def export(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """``export("onnx", "models/classifier.keras")``."""

    def run(kind: str, model: str) -> None:
        for package in NEEDS.get(kind, []):
            pytest.importorskip(package)
        monkeypatch.setattr(sys, "argv", ["export", "--format", kind, "--model", model])
        exporting.main()

    return run


def predict(runtime: str) -> pd.DataFrame:
    with pytest.raises(SystemExit) as caught:
        command.main([RAW, "--out", f"{runtime}.csv", "--runtime", runtime])
    assert caught.value.code == 0
    return pd.read_csv(f"{runtime}.csv", keep_default_na=False, dtype={"patient": str})


@pytest.mark.parametrize(
    ("runtime", "model"),
    [
        ("onnx", "models/classifier.keras"),
        *(pytest.param(kind, "models/model.keras", marks=pytest.mark.slow) for kind in FORMATS if kind != "onnx"),
    ],
)
def test_a_runtime_writes_the_table_of_keras(
    export: Callable[[str, str], None],
    copied: Path,
    runtime: str,
    model: str,
) -> None:
    export(runtime, model)
    keras, other = predict("keras"), predict(runtime)
    assert list(other.columns) == list(keras.columns)
    assert len(other) == 48
    numbers = [column for column in keras.columns if column not in WORDS]
    if runtime == "int8":
        assert (other["class"] == keras["class"]).mean() > 0.8
        np.testing.assert_allclose(other[numbers], keras[numbers], atol=0.2)
        return
    # The temperature of .7 spreads probabilities, and the entropy changes faster than they do.
    np.testing.assert_allclose(other[numbers], keras[numbers], atol=2 * LARGEST_DIFFERENCE)
    pd.testing.assert_frame_equal(other[WORDS], keras[WORDS])


def test_an_export_of_another_network_is_refused(export: Callable[[str, str], None], copied: Path) -> None:
    export("tf", "models/model.keras")
    import keras

    network = keras.saving.load_model("models/model.keras")
    network.layers[-1].set_weights([0.5 * values for values in network.layers[-1].get_weights()])
    network.save("models/model.keras")
    from bycase.apps.classifier.archive import read_parts, write_classifier

    classifier = Path("models/classifier.keras")
    parts = read_parts(classifier)
    write_classifier(classifier, Path("models/model.keras"), parts.info, parts.reference)
    with pytest.raises(UserError, match=r"an export of another network .*bycase export --format tf"):
        command.main([RAW, "--out", "a.csv", "--runtime", "tf"])
    assert not Path("a.csv").exists()
