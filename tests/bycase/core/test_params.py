import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.params import Params, check_params, load_params, parse_yaml
from tests.conftest import REPOSITORY, MakeParams

ABSENT = "(absent)"


def changed(content: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy with one dotted key set, or taken out for `ABSENT`; numbers are list positions."""
    content = copy.deepcopy(content)
    *sections, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    section: Any = content
    for name in sections:
        section = section[name]
    if value is ABSENT:
        del section[last]
    else:
        section[last] = value
    return content


def test_shipped_file_is_valid_for_every_model_and_dataset(default_params: dict[str, Any]) -> None:
    for model in default_params["zoo"]:
        for dataset in default_params["datasets"]:
            params, completed = check_params(default_params | {"model": model, "dataset": dataset}, "params.yaml")
            assert (params.model, params.dataset, completed) == (model, dataset, [])


def test_either_loader_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = (REPOSITORY / "params.yaml").read_text(encoding="utf-8")
    texts = (shipped, "a: 1e-4\nb: [0o7, 010, yes, 2020-01-01, ~]\nc: 'ö'\n")
    found = [parse_yaml(text, "a text") for text in texts]
    monkeypatch.setattr("bycase.core.params.LOADER", yaml.SafeLoader)
    assert found == [parse_yaml(text, "a text") for text in texts]


def test_numbers_may_name_labels_and_classes(tmp_path: Path, default_params: dict[str, Any]) -> None:
    path = tmp_path / "params.yaml"
    own = default_params["datasets"]["busi"] | {"layout": "folders", "classes": [0, 1], "positive": 1}
    content = default_params | {"datasets": {"mine": own | {"folders": {"names": {7: 0, 8: 1}, "patient": -2}}}}
    path.write_text(yaml.safe_dump(content | {"dataset": "mine", "audit": content["audit"] | {"waive": {}}}))
    data = load_params(path).data
    assert (data.classes, data.positive) == (["0", "1"], "1")
    assert data.folders is not None
    assert (data.folders.names, data.folders.patient) == ({"7": "0", "8": "1"}, -2)


# A key, a bad value for it, and what the message must name.
BAD_VALUES = [
    ("model", "vgg17", ["model", "'vgg17'", "choose one of: alexnet, convnext, densenet121, dinov2, "]),
    ("dataset", "busy", ["dataset", "'busy'", "choose one of: breakhis, "]),
    ("modle", "resnet50v2", ["unknown key 'modle'", "valid keys there:", "augment, dataset, datasets, embed"]),
    ("split.groups", "case", ["unknown key 'split.groups'", "valid keys there: ", "folds_file, group, "]),
    (
        "augment.flips",
        True,
        ["unknown key 'augment.flips'", "valid keys there: brightness, contrast, crop, "],
    ),
    ("datasets.breakhis.size", 9, ["unknown key 'datasets.breakhis.size'", "image_size", "resize", "slug"]),
    ("datasets.phantom.phantom.n", 9, ["unknown key 'datasets.phantom.phantom.n'", "valid keys there: cases, "]),
    (
        "zoo.resnet50v2.unfreeze.lr",
        0.1,
        ["unknown key 'zoo.resnet50v2.unfreeze.lr'", "valid keys there: batch_norm, epochs, layers, learning_rate"],
    ),
    ("zoo.resnet50v2.head.0", {"drop": 0.2}, ["unknown key 'zoo.resnet50v2.head.0.drop'", "dense, dropout"]),
    ("zoo.resnet50v2.head.0", {"dense": 0}, ["zoo.resnet50v2.head.0.dense", "greater than or equal to 1", "0"]),
    ("zoo.resnet50v2.head.0", {"dropout": 1.0}, ["zoo.resnet50v2.head.0.dropout", "less than 1", "1.0"]),
    (
        "zoo.resnet50v2.head.0",
        {"dropout": 0.2, "dense": 8},
        ["'zoo.resnet50v2.head.0.dense'", "only one", "dense, dropout"],
    ),
    ("zoo.resnet50v2.head", {"dropout": 0.2}, ["zoo.resnet50v2.head", "list"]),
    ("zoo.resnet50v2.head", "logistik", ["zoo.resnet50v2.head: ", "'logistic' or 'neighbours'", "'logistik'"]),
    ("zoo.focal_cnn.head", "logistic", ["zoo.focal_cnn.head: logistic is fitted on a frozen", "set mode to frozen"]),
    ("seed", ABSENT, ["key 'seed' is missing"]),
    ("zoo.efficientnetlite.epochs", ABSENT, ["key 'zoo.efficientnetlite.epochs' is missing"]),
    ("augment", ABSENT, ["key 'augment' is missing"]),
    ("train", None, ["train:", "dictionary", "None"]),
    ("seed", -1, ["seed", "greater than or equal to 0", "-1"]),
    ("seed", 2**32, ["seed", "less than 4294967296"]),
    ("seed", "seven", ["seed", "valid integer", "'seven'"]),
    ("embed.views", 1.5, ["embed.views", "integer", "1.5"]),
    ("embed.views", 101, ["embed.views", "less than or equal to 100"]),
    ("embed.batch_size", 0, ["embed.batch_size", "greater than or equal to 1"]),
    ("augment.flip", "perhaps", ["augment.flip", "'horizontal'", "'perhaps'"]),
    ("augment.rotation", 0.6, ["augment.rotation", "less than or equal to 0.5"]),
    ("datasets.phantom.resize", "stretch", ["datasets.phantom.resize", "'squash', 'crop' or 'pad'", "'stretch'"]),
    (
        "datasets.phantom.source",
        "web",
        ["datasets.phantom.source", "'kaggle', 'huggingface', 'url', 'local' or 'phantom'"],
    ),
    ("datasets.phantom.image_size", 16, ["datasets.phantom.image_size", "32"]),
    ("datasets.phantom.max_bad_share", 1.1, ["datasets.phantom.max_bad_share", "less than or equal to 1"]),
    ("datasets.phantom.max_bad_share", float("nan"), ["datasets.phantom.max_bad_share", "nan"]),
    ("datasets.phantom.max_unpacked_gb", 0, ["datasets.phantom.max_unpacked_gb", "greater than 0"]),
    ("datasets.phantom.phantom.cases", 7, ["datasets.phantom.phantom.cases", "greater than or equal to 8"]),
    ("datasets.phantom.classes", ["Benign"], ["datasets.phantom.classes", "2"]),
    ("datasets.phantom.classes", ["Benign", "Benign", "Malignant"], ["datasets.phantom.classes", "twice"]),
    ("datasets.phantom.positive", "Evil", ["datasets.phantom.positive", "'Evil'", "Benign, Malignant"]),
    ("datasets.phantom.positive", None, ["datasets.phantom.positive", "two classes", "Benign, Malignant"]),
    ("datasets.busi.positive", "benign", ["datasets.busi.positive", "'benign'", "Benign, Malignant, Normal"]),
    ("datasets.busi.layout", "busy", ["datasets.busi.layout", "'breakhis', 'busi', 'ham10000', 'folders' or 'table'"]),
    (
        "datasets.busi.layout",
        "folders",
        ["datasets.busi.folders: with layout folders it must be a mapping, {} at least"],
    ),
    ("datasets.busi.folders", {}, ["datasets.busi.folders: with layout busi it must be null"]),
    ("datasets.mine.folders.pateint", 1, ["unknown key 'datasets.mine.folders.pateint'", "patient, slide"]),
    ("datasets.mine.folders.patient", 0, ["datasets.mine.folders.patient: folder levels count from 1"]),
    ("datasets.mine.folders.patient", 1.5, ["datasets.mine.folders.patient: ", "1.5"]),
    ("datasets.mine.folders.names", {0: "Evil"}, ["datasets.mine.folders.names: 'Evil' is not one of classes: Benign"]),
    ("datasets.mine.folders.names", {False: "Benign"}, ["datasets.mine.folders.names.", "valid string", "it is False"]),
    ("datasets.mine.folders.edges", {"age": [60, 40]}, ["datasets.mine.folders.edges: those of age must rise"]),
    ("datasets.theirs.table.label", ["one"], ["datasets.theirs.table.label", "2"]),
    ("datasets.theirs.table.join", {"file": "a.csv"}, ["'datasets.theirs.table.join.key' is missing"]),
    ("datasets.theirs.table.file", {"training": "a.csv"}, ["datasets.theirs.table.file", "'train', 'val' or 'test'"]),
    ("datasets.mine.classes", ["a/b", "Benign", "Malignant"], ["datasets.mine.classes: 'a/b' cannot be", "names"]),
    ("datasets.breakhis.task", "both", ["datasets.breakhis.task", "'binary' or 'subtype'"]),
    ("datasets.breakhis.task", None, ["datasets.breakhis.task", "layout breakhis", "binary or subtype"]),
    ("datasets.ham10000.task", "subtype", ["datasets.ham10000.task", "layout ham10000", "null"]),
    ("datasets.breakhis.source", "local", ["datasets.breakhis.source", "local needs 'path'"]),
    ("datasets.breakhis.slug", None, ["datasets.breakhis.source", "kaggle needs 'slug'"]),
    ("datasets.breakhis.slug", "no-owner", ["datasets.breakhis", "slug: 'no-owner' is not owner/name"]),
    ("datasets.breakhis.slug", "../up", ["datasets.breakhis.slug", "pattern"]),
    ("datasets.busi.source", "url", ["datasets.busi.source", "url needs 'url'"]),
    ("datasets.breakhis.url", "ftp://a.b/c.zip", ["datasets.breakhis.url", "pattern"]),
    ("datasets.breakhis.url", "https://me:secret@a.b/c.zip", ["datasets.breakhis.url", "pattern"]),
    ("datasets.breakhis.sha256", "abc", ["datasets.breakhis.sha256", "pattern"]),
    ("datasets.breakhis.revision", "-x", ["datasets.breakhis.revision", "pattern"]),
    ("datasets.phantom.phantom", None, ["datasets.phantom.source", "phantom needs 'phantom'"]),
    ("split.group", "patient", ["split.group", "'case', 'folder' or 'image'", "'patient'"]),
    (
        "split.protocol",
        "holdout",
        ["split.protocol", "'fractions', 'official', 'kfold', 'file', 'supplied' or 'supplied_leaky'"],
    ),
    ("split.protocol", "file", ["split.protocol", "file needs 'file'"]),
    ("split.fold", 5, ["split.fold", "5 is none of the 5 folds"]),
    ("split.folds", 1, ["split.folds", "greater than or equal to 2"]),
    ("split.merge_duplicates", "perhaps", ["split.merge_duplicates", "boolean", "'perhaps'"]),
    ("split.test", 0, ["split.test", "greater than 0"]),
    ("split.test", 0.8, ["split.validation + test = 1 leaves nothing to train on"]),
    ("split.official_fold", 6, ["split.official_fold", "less than or equal to 5"]),
    ("split.magnifications", [200, 50], ["split.magnifications.1", "40, 100, 200 or 400", "50"]),
    ("split.magnifications", 200, ["split.magnifications", "list", "200"]),
    ("augment.crop", 0, ["augment.crop", "greater than 0"]),
    ("augment.mixup", -1, ["augment.mixup", "greater than or equal to 0"]),
    ("train.loss", "hinge", ["train.loss", "'cross_entropy' or 'focal'"]),
    ("train.schedule", "step", ["train.schedule", "'constant', 'cosine' or 'plateau'"]),
    ("train.monitor", "recall", ["train.monitor", "'auc', 'accuracy', 'balanced_accuracy', 'f1' or 'loss'"]),
    ("train.ema", 1, ["train.ema", "less than 1"]),
    ("train.precision", "float16", ["train.precision", "'mixed_float16'"]),
    ("train.strategy", "horovod", ["train.strategy", "'single' or 'mirrored'"]),
    ("zoo.resnet50v2.mode", "thawed", ["zoo.resnet50v2.mode", "'frozen' or 'end_to_end'"]),
    ("zoo.alexnet.unfreeze.layers", 3, ["zoo.alexnet.unfreeze.layers", "trains every layer from the start"]),
    ("zoo.resnet50v2.unfreeze.lowest_rate", 0, ["zoo.resnet50v2.unfreeze.lowest_rate", "greater than 0"]),
    ("train.sampling", "class", ["train.sampling: class draws", "set class_weight to none"]),
    ("zoo.resnet50v2.unfreeze.layers", "most", ["zoo.resnet50v2.unfreeze.layers"]),
    ("train.class_weight", "heavy", ["train.class_weight", "'balanced', 'by_patient' or 'none'"]),
    ("train.collapse_action", "ignore", ["train.collapse_action", "'stop' or 'warn'"]),
    ("evaluate.threshold", "best", ["evaluate.threshold", "'youden' or 'fixed'"]),
    ("evaluate.fixed_threshold", 1.5, ["evaluate.fixed_threshold", "less than or equal to 1"]),
    ("evaluate.resamples", 10, ["evaluate.resamples", "greater than or equal to 100"]),
    ("evaluate.external", "phantom_c", ["evaluate.external", "'phantom_c'", "breakhis_phantom_b", "null"]),
    (
        "evaluate.external",
        "busi",
        ["evaluate.external_classes", "'Normal' of busi", "Benign, Malignant", "Normal: null"],
    ),
    ("evaluate.external_magnifications", [50], ["evaluate.external_magnifications.0", "40, 100, 200 or 400", "50"]),
    ("zoo.resnet50v2.weights", "", ["zoo.resnet50v2.weights", "at least 1 character"]),
    ("zoo.resnet50v2.pooling", "mean", ["zoo.resnet50v2.pooling", "'avg' or 'max'"]),
    ("zoo.resnet50v2.optimizer", "lion", ["zoo.resnet50v2.optimizer", "'adam', 'adamw' or 'sgd'"]),
    ("zoo.resnet50v2.learning_rate", 0, ["zoo.resnet50v2.learning_rate", "greater than 0"]),
    ("zoo.resnet50v2.learning_rate", "fast", ["zoo.resnet50v2.learning_rate", "valid number", "'fast'"]),
    ("zoo.resnet50v2.weight_decay", -0.1, ["zoo.resnet50v2.weight_decay", "greater than or equal to 0"]),
    ("zoo.resnet50v2.unfreeze.layers", -1, ["zoo.resnet50v2.unfreeze.layers", "greater than or equal to 0"]),
]


@pytest.mark.parametrize(("key", "value", "named"), BAD_VALUES, ids=[f"{k}={v!r}"[:60] for k, v, _ in BAD_VALUES])
def test_bad_value_is_named_with_its_key_and_the_choices(
    tmp_path: Path, default_params: dict[str, Any], key: str, value: Any, named: list[str]
) -> None:
    path = tmp_path / "params.yaml"
    own = default_params["datasets"]["busi"] | {"classes": ["Benign", "Malignant"], "positive": "Malignant"}
    datasets = default_params["datasets"] | {
        "mine": own | {"layout": "folders", "folders": {}},
        "theirs": own | {"layout": "table", "table": {}},
    }
    path.write_text(yaml.safe_dump(changed(default_params | {"datasets": datasets}, key, value)))
    with pytest.raises(UserError) as raised:
        load_params(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for part in named:
        assert part in message


def test_unfreezing_in_steps_needs_a_layer_and_an_epoch_each(tmp_path: Path, default_params: dict[str, Any]) -> None:
    unfreeze = default_params["zoo"]["resnet50v2"]["unfreeze"] | {"layers": 10, "epochs": 3, "steps": 4}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(changed(default_params, "zoo.resnet50v2.unfreeze", unfreeze)))
    with pytest.raises(UserError, match="zoo.resnet50v2.unfreeze.steps: 4 steps need as many layers and epochs"):
        load_params(path)


def test_draws_are_for_heads_that_are_trained(tmp_path: Path, default_params: dict[str, Any]) -> None:
    path = tmp_path / "params.yaml"
    content = changed(changed(default_params, "train.class_weight", "none"), "train.sampling", "class")
    content["model"] = "efficientnetlite"
    path.write_text(yaml.safe_dump(changed(content, "zoo.efficientnetlite.head", [])))
    assert load_params(path).train.sampling == "class"
    path.write_text(yaml.safe_dump(changed(content, "zoo.efficientnetlite.head", "logistic")))
    with pytest.raises(
        UserError, match="train.sampling: zoo.efficientnetlite.head is logistic, which takes every image"
    ):
        load_params(path)


def test_correlations_are_from_optimistic_to_pessimistic(tmp_path: Path, default_params: dict[str, Any]) -> None:
    path = tmp_path / "params.yaml"
    for key, values, order in (("model", [0.1, 0.2, 0.3], "fall"), ("patient", [0.3, 0.2, 0.1], "rise")):
        path.write_text(yaml.safe_dump(changed(default_params, f"power.{key}_correlation.auc", values)))
        with pytest.raises(UserError, match=rf"power.{key}_correlation.auc: .* must {order} from optimistic to pess"):
            load_params(path)


def test_misspelt_key_is_named_rather_than_the_one_it_leaves_missing(
    tmp_path: Path, default_params: dict[str, Any]
) -> None:
    content = changed(default_params, "zoo.resnet50v2.epoch", default_params["zoo"]["resnet50v2"]["epochs"])
    del content["zoo"]["resnet50v2"]["epochs"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match="unknown key 'zoo.resnet50v2.epoch'; valid keys there: .*epochs"):
        load_params(path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"model: [a", "is not valid YAML"),
        (b"model: a: b", "is not valid YAML"),
        (b"\ttab: 1", "is not valid YAML"),
        (b"\xff\xfe\x00", "is not valid YAML"),
        (b"", "holds no keys"),
        (b"- model", "holds no keys"),
    ],
)
def test_file_that_is_no_mapping_is_refused(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=named):
        load_params(path)


def test_missing_file_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml not found: run from the project's top folder"):
        load_params(tmp_path / "none.yaml")


def test_scientific_notation_without_a_dot_is_a_number(tmp_path: Path, default_params: dict[str, Any]) -> None:
    # YAML 1.1 reads 1e-4 as text.
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(changed(default_params, "zoo.resnet50v2.learning_rate", "1e-4")))
    assert load_params(path).zoo["resnet50v2"].learning_rate == 1e-4


@pytest.mark.parametrize(
    ("dataset", "model", "own", "expected"),
    [
        ("phantom", "resnet50v2", "by_dataset", "random"),
        ("breakhis", "resnet50v2", "by_dataset", "imagenet"),
        ("phantom", "efficientnetlite", "imagenet", "imagenet"),
        ("breakhis", "resnet50v2", "random", "random"),
        ("phantom", "efficientnetv2", "models/own.weights.h5", "models/own.weights.h5"),
    ],
)
def test_weights_are_the_networks_own_unless_left_to_the_dataset(
    make_params: Callable[..., Params], dataset: str, model: str, own: str, expected: str
) -> None:
    params = make_params({"dataset": dataset, "model": model, f"zoo.{model}.weights": own})
    assert params.weights == expected
    assert params.data is params.datasets[dataset]
    assert params.network is params.zoo[model]


@pytest.mark.parametrize(("dataset", "positive"), [("busi", "Malignant"), ("ham10000", "mel"), ("ham10000", None)])
def test_more_than_two_classes_may_have_a_positive_one(
    make_params: Callable[..., Params], dataset: str, positive: str | None
) -> None:
    params = make_params({"dataset": dataset, f"datasets.{dataset}.positive": positive})
    assert params.data.positive == positive


def test_stage_ends_with_one_line_for_invalid_yaml(
    tmp_path: Path, run_stage_process: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "params.yaml").write_text("model: [a\nseed: 7\n")
    ended = run_stage_process("split", tmp_path)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("split: error: params.yaml is not valid YAML: ")


def test_an_external_data_sets_classes_may_have_other_names(make_params: MakeParams) -> None:
    """Every class of the classifier must be there, and what is more must be left out in so many words."""
    changes = {"evaluate.external": "busi", "evaluate.external_classes": {"Normal": None}}
    assert make_params(changes).evaluate.external_classes == {"Normal": None}
    assert make_params({"evaluate.external": "breakhis_phantom_b"}).evaluate.external == "breakhis_phantom_b"
    for renamed, message in (
        ({"Healthy": None}, "'Healthy' is no class of busi"),
        ({"Normal": "Healthy"}, "'Healthy' of busi is no class of phantom"),
        ({"Normal": None, "Malignant": "Benign"}, "no class of busi stands for 'Malignant'"),
    ):
        with pytest.raises(ValueError, match=message):
            make_params({"evaluate.external": "busi", "evaluate.external_classes": renamed})


def test_keys_that_came_since_are_added_to_a_file_of_the_same_version(
    tmp_path: Path, default_params: dict[str, Any]
) -> None:
    content = copy.deepcopy(default_params)
    del content["evaluate"]["external"]
    del content["datasets"]["phantom"]["phantom"]["laboratory"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    params = load_params(path, rewrite=True)
    assert params.evaluate.external is None
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == default_params
