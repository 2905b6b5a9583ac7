"""The first params.yaml that there was; published ones are in tests/test_published.py."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.nested import flatten, merge, nest
from bycase.core.params import load_params
from bycase.core.params_migration import ADDED, ADDED_TO_DATASETS, CORRELATIONS, VERSION, migrate

# Its sections as they were; of networks and data sets one.
FIRST = """\
# Every choice
model: resnet50v2             # an entry of `zoo`
dataset: phantom
seed: 11
datasets:
  phantom:
    layout: breakhis
    source: phantom
    slug: null
    path: null
    max_unpacked_gb: 20
    classes: [Benign, Malignant]
    positive: Malignant
    image_size: 96
    resize: squash
    max_bad_share: 0.01
    weights: random
    phantom:
      cases: 40
      images: 480
      width: 700
      height: 460
split:
  protocol: fractions         # fractions | official
  group: case
  validation: 0.2
  test: 0.25
  magnifications: []
  official_fold: 1
  folds_file: null
embed:
  views: 3
  batch_size: 32
  augment:
    flip: true
    rotation: 0.25            # of a full turn, either way
    brightness: 0.1
    contrast: 0.1
    rand_augment: 0.0
train:
  class_weight: balanced
  collapse_action: stop
  collapse_patience: 5
evaluate:
  threshold: youden
  fixed_threshold: 0.5
  resamples: 2000
  batch_size: 64
zoo:
  resnet50v2:
    weights: by_dataset
    pooling: avg
    head:
      - dropout: 0.2
    optimizer: adamw
    learning_rate: 0.001      # kept
    weight_decay: 0.01
    batch_size: 32
    epochs: 60
    patience: 12
    unfreeze:
      layers: 0
      epochs: 5
      learning_rate: 0.00001
      patience: 3
"""


def test_the_first_file_is_completed_with_what_was_then_done(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(FIRST, encoding="utf-8")
    params = load_params(path, rewrite=True)
    assert params.augment.flip == "both"
    assert (params.augment.rotation, params.augment.crop, params.augment.mixup) == (0.25, 1.0, 0.0)
    assert (params.split.merge_duplicates, params.split.held_out_magnification) == (False, None)
    assert (params.train.monitor, params.train.batch_norm_momentum) == ("auc", 0.9)
    assert (params.network.mode, params.network.standardise, params.network.rescale) == ("frozen", True, 1.0)
    assert params.data.phantom is not None
    assert (params.data.phantom.seed, params.data.task) == (11, "binary")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Every choice\nversion: 3\nmodel: resnet50v2             # an entry of `zoo`\n")
    assert "learning_rate: 0.001      # kept\n" in text
    assert load_params(path) == params


def test_nothing_that_is_there_is_changed(default_params: dict[str, Any]) -> None:
    assert migrate(default_params, "x") == (default_params, [])
    without = {key: value for key, value in default_params.items() if key != "version"}
    assert migrate(without, "x") == (default_params, [])
    assert "version" not in without


def test_what_has_no_effect_is_left_out_and_told(default_params: dict[str, Any]) -> None:
    older = merge(default_params, {"leakage": {"resamples": 2000}})
    assert migrate(older, "x") == (default_params, ["leakage.resamples has no effect and is left out"])


def test_data_sets_of_version_2_get_the_keys_of_sources(default_params: dict[str, Any]) -> None:
    entries = {
        name: {key: value for key, value in entry.items() if key not in ADDED_TO_DATASETS}
        for name, entry in default_params["datasets"].items()
    }
    migrated, changes = migrate(default_params | {"version": 2, "datasets": entries}, "x")
    without_address = merge(default_params, {"datasets": {"breakhis": {"url": None}}})
    assert migrated == without_address
    assert changes == [
        "added datasets.*.url, datasets.*.sha256, datasets.*.revision, datasets.*.folders, datasets.*.table"
    ]


def test_a_file_of_this_version_gets_the_keys_that_came_since(default_params: dict[str, Any]) -> None:
    older = copy.deepcopy(default_params)
    del older["engine"], older["train"]["sampling"], older["evaluate"]["aggregation"], older["evaluate"]["top_k"]
    for entry in older["zoo"].values():
        del entry["unfreeze"]["batch_norm"]
    migrated, changes = migrate(older, "x")
    assert migrated == default_params
    assert changes == ["added engine, train.sampling, evaluate.aggregation, evaluate.top_k, zoo.*.unfreeze.batch_norm"]


def test_defaults_are_keys_that_there_are(default_params: dict[str, Any]) -> None:
    assert set(flatten(ADDED)) - {"audit.waive"} <= set(flatten(default_params))
    assert merge(default_params, nest({})) == default_params


@pytest.mark.parametrize("version", [VERSION + 1, 0, "1", 1.5, None])
def test_an_unknown_version_stops_in_one_line(tmp_path: Path, default_params: dict[str, Any], version: Any) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(default_params | {"version": version, "later": 1}), encoding="utf-8")
    with pytest.raises(UserError, match=f"version {version!r} is not known here, which reads up to 3: ") as caught:
        load_params(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [("zoo: 3", "zoo"), ("explian: {}", "unknown key 'explian'"), ("seed: -1", "seed: Input")],
)
def test_an_older_file_that_is_not_valid_is_left_alone(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "params.yaml"
    text = FIRST.replace("seed: 11\n", "") if line.startswith("seed") else FIRST[: FIRST.index("zoo:")]
    path.write_text(f"{text}{line}\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_params(path, rewrite=True)
    assert says in str(caught.value)
    assert path.read_text(encoding="utf-8") == f"{text}{line}\n"


@pytest.mark.parametrize(
    ("was", "patients", "models"),
    [
        ((0.5, 0.1), CORRELATIONS["patient_correlation"], CORRELATIONS["model_correlation"]),
        ((0.4, 0.2), {"accuracy": [0.2] * 3, "auc": [0.2] * 3}, {"accuracy": [0.4] * 3, "auc": [0.4] * 3}),
    ],
)
def test_a_single_correlation_becomes_a_range_and_one_that_was_chosen_stays(
    default_params: dict[str, Any], was: tuple[float, float], patients: Any, models: Any
) -> None:
    power = default_params["power"] | dict(zip(("model_correlation", "patient_correlation"), was, strict=True))
    migrated, changes = migrate(default_params | {"power": power}, "x")
    assert migrated["power"] == power | {"model_correlation": models, "patient_correlation": patients}
    assert changes == [
        f"power.model_correlation, which was {was[0]}, is now a range",
        f"power.patient_correlation, which was {was[1]}, is now a range",
    ]
