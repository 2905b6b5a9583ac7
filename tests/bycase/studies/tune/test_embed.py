from pathlib import Path
from typing import Any

import numpy as np

from bycase.images.pixels import read_pixels
from bycase.networks.forward import frozen_forward
from bycase.networks.registry import build_backbone
from bycase.studies.tune.embed import embed_pool
from bycase.studies.tune.folds import take_pool
from bycase.tables.features import read_features
from bycase.tables.manifest import read_manifest
from bycase.tables.splits import read_splits

FEATURES = Path("data/tuning/features")


def test_every_strength_has_features_of_the_pool_alone(tuned: Any) -> None:
    space = {"augmentation": {"choice": [0, 2]}}
    params, tuning = tuned({"embed.views": 1, "embed.batch_size": 8}, {"space": space})
    pool = take_pool(read_splits(), read_manifest())
    embed_pool(params, tuning.space, pool)
    assert {path.name for path in FEATURES.iterdir()} == {"0", "1", "2"}
    found = {strength: read_features(FEATURES / strength) for strength in ("0", "1", "2")}
    assert all(features.images == pool["image"].tolist() for features in found.values())
    assert [features.array.shape[1] for features in found.values()] == [1, 2, 2]

    backbone = build_backbone("focal_cnn", 32, params.weights, params.network.pooling, params.seed)
    own = frozen_forward(backbone, 8)(read_pixels(found["1"].images[:8]).astype(np.float32))
    for features in found.values():
        np.testing.assert_allclose(features.array[:8, 0], own, rtol=1e-4, atol=1e-5)
    # Copies differ from their image, and more so where the strength is another.
    assert not np.allclose(found["1"].array[:, 1], found["1"].array[:, 0], rtol=1e-3)
    assert not np.allclose(found["2"].array[:, 1], found["1"].array[:, 1], rtol=1e-3)


def test_a_network_trained_end_to_end_has_no_features(tuned: Any) -> None:
    params, tuning = tuned({"zoo.focal_cnn.mode": "end_to_end", "zoo.focal_cnn.standardise": False})
    embed_pool(params, tuning.space, take_pool(read_splits(), read_manifest()))
    assert list(FEATURES.iterdir()) == []
