"""Networks of the zoo, with a head that standardises, through the exports; differences in one run."""

from pathlib import Path

import numpy as np
import pytest

from bycase.apps.classifier.network import with_features
from bycase.apps.export.convert import convert_onnx, convert_openvino
from bycase.apps.runtimes import load_runtime
from bycase.networks.head import build_head, join
from bycase.networks.registry import NETWORKS, build_backbone
from tests.fixtures.zoo import PLAIN

SIZE = 64
CONVERTERS = {"onnx": (convert_onnx, "m.onnx"), "openvino": (convert_openvino, "m.xml")}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("runtime", sorted(CONVERTERS))
def test_networks_give_keras_answers(tmp_path: Path, name: str, runtime: str) -> None:
    for package in ("onnx", "tf2onnx", "onnxruntime") if runtime == "onnx" else ("openvino",):
        pytest.importorskip(package)
    size = max(SIZE, NETWORKS[name].smallest_size)
    backbone = build_backbone(name, size, "random", "avg", 1)
    images = np.random.default_rng(0).uniform(0, 255, (4, size, size, 3)).astype(np.float32)
    images *= np.array([0.1, 0.4, 0.7, 1.0], np.float32)[:, None, None, None]
    features = np.asarray(backbone(images, training=False))
    width = features.shape[1]
    head = build_head(width, [], 3, 1, (features.mean(axis=0), features.var(axis=0) + 1e-6))
    weights = np.random.default_rng(1).normal(0, 1 / np.sqrt(width), (width, 3)).astype(np.float32)
    head.layers[-1].set_weights([weights, np.zeros(3, np.float32)])
    network = with_features(join(backbone, head))
    convert, file = CONVERTERS[runtime]
    convert(network, tmp_path / file)

    expected = np.asarray(network(images, training=False))
    assert np.ptp(expected[:, -3:], axis=0).max() > 0.05
    outputs = load_runtime(tmp_path / file, runtime, 4)(images[:3])
    np.testing.assert_allclose(outputs[:, -3:], expected[:3, -3:], atol=1e-4)
