"""Imported features through the stages: trained on, evaluated, and refused where pixels are needed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.core.params import load_params
from bycase.networks.registry import build_chosen_backbone, check_network
from bycase.networks.saved import load_network
from bycase.tables.features import read_features
from bycase.tables.manifest import MANIFEST, read_manifest
from bycase.tables.models import NETWORK, network_words, read_model_info
from bycase.tables.predictions import TEST, read_predictions
from bycase.tables.splits import write_splits
from stages import bundle, embed, evaluate, explain, robustness, train, uncertainty

WriteParams = Callable[..., None]
SETTINGS: dict[str, Any] = {
    "model": "imported",
    "zoo.imported.weights": "features.npz",
    "zoo.imported.epochs": 30,
    "zoo.imported.learning_rate": 0.05,
    "evaluate.resamples": 100,
    "uncertainty.dropout_passes": 5,
    "train.collapse_action": "warn",
}


@pytest.fixture
def workspace(make_workspace: Callable[..., Path], write_params: WriteParams) -> pd.DataFrame:
    """Images without a split that features tell apart, and these features in another order; gives the manifest."""
    make_workspace(2)
    write_params(SETTINGS)
    manifest = read_manifest()
    case = manifest["group"].str[1:].astype(int).to_numpy()
    part = np.array(["train", "val", "test"])[case % 6 // 2]
    write_splits(manifest.assign(part=part, fold=0), {"protocol": "fractions"})
    random = np.random.default_rng(0)
    features = random.normal(size=(len(manifest), 6)) + 3.0 * (manifest["label"] == "Malignant").to_numpy()[:, None]
    shuffled = random.permutation(len(manifest))
    names = manifest["image"].iloc[shuffled].tolist()
    np.savez("features.npz", names=names, features=features[shuffled])
    return manifest.assign(first=features[:, 0].astype(np.float32))


def test_imported_features_are_trained_on_and_evaluated(workspace: pd.DataFrame) -> None:
    embed.main()
    features = read_features()
    assert features.images == workspace["image"].tolist()
    np.testing.assert_array_equal(features.array[:, 0, 0], workspace["first"])
    train.main()
    network = load_network(NETWORK)
    assert network.input_shape == (None, 6)
    evaluate.main()
    predicted = read_predictions(TEST, ["Benign", "Malignant"])
    expected = np.asarray(network(features.array[features.rows(predicted["image"]), 0]))[:, 0]
    np.testing.assert_allclose(predicted["Malignant"], expected, atol=1e-5)
    assert ((predicted["Malignant"] > 0.5) == (predicted["label"] == "Malignant")).mean() > 0.9
    assert network_words(read_model_info()) == "imported features of features.npz"
    uncertainty.main()
    for stage in (robustness, explain, bundle):
        with pytest.raises(UserError, match=r"^.* needs a network that takes pixels, and model imported") as caught:
            stage.main()
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="model imported has features and no network"):
        build_chosen_backbone(load_params())


def test_features_that_are_the_same_for_all_images_are_refused(workspace: pd.DataFrame) -> None:
    np.savez("features.npz", names=workspace["image"].tolist(), features=np.ones((len(workspace), 3)))
    with pytest.raises(UserError, match=r"features of imported .* do not differ between images"):
        embed.main()
    assert MANIFEST.exists()
    assert not Path("data/features").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zoo.imported.mode": "end_to_end"}, "zoo.imported.mode: features have no layers .* to frozen"),
        ({"zoo.imported.unfreeze.layers": 3}, "zoo.imported.unfreeze.layers: .* to 0"),
        ({"zoo.imported.weights": "random"}, "zoo.<model>.weights: random is neither a file of features"),
        ({"zoo.imported.weights": "by_dataset"}, "zoo.<model>.weights: random is neither"),
    ],
)
def test_what_features_cannot_do_is_refused_before_any_stage(
    project: Path, write_params: WriteParams, changes: dict[str, Any], message: str
) -> None:
    Path("features.npz").touch()
    write_params(SETTINGS)
    check_network(load_params())
    write_params(SETTINGS | changes)
    with pytest.raises(UserError, match=message):
        check_network(load_params())


def test_features_of_a_network_are_not_taken_for_imported_ones(workspace: pd.DataFrame) -> None:
    embed.main()
    made_by = Path("data/features/made_by.json")
    made_by.write_text(made_by.read_text().replace('"imported"', '"vgg16"'))
    with pytest.raises(UserError, match="data/features is of vgg16, not imported; run 'dvc repro -f embed'"):
        train.main()
