import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.nested import flatten, nest
from bycase.core.params import load_params
from bycase.studies.tune.outcome.apply import apply
from bycase.studies.tune.outcome.best import experiment_command, write_best
from bycase.studies.tune.place import BEST
from tests.fixtures.tune_outcome import MakeSearch

SETTINGS: dict[str, Any] = {
    "zoo.resnet50v2.learning_rate": 1.25e-05,
    "zoo.resnet50v2.batch_size": 16,
    "zoo.resnet50v2.head": [{"dense": 128}, {"dropout": 0.3}],
    "augment.flip": "none",
    "augment.rotation": 0.0,
}


def write(settings: dict[str, Any], path: Path = BEST, **chosen: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"model": "resnet50v2", "dataset": "phantom", **chosen, **nest(settings)}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def test_settings_go_into_params_yaml_and_nothing_else_changes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (project / "params.yaml").read_text(encoding="utf-8")
    write(SETTINGS)
    apply(load_params())
    edited = (project / "params.yaml").read_text(encoding="utf-8")
    before, after = flatten(yaml.safe_load(text)), flatten(yaml.safe_load(edited))
    assert {key: value for key, value in after.items() if before[key] != value} == SETTINGS
    kept = [line for line in text.splitlines() if line in edited.splitlines()]
    assert len(text.splitlines()) - len(kept) <= len(SETTINGS)
    assert edited.count("#") == text.count("#")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "zoo.resnet50v2.learning_rate: 0.0003 -> 1.25e-05"
    assert said[2] == "zoo.resnet50v2.head: [{dropout:0.2}] -> [{dense:128},{dropout:0.3}]"
    assert said[-1].startswith("as one experiment: dvc exp run -S model=resnet50v2 -S dataset=phantom -S zoo.")

    apply(load_params())
    assert (project / "params.yaml").read_text(encoding="utf-8") == edited
    assert capsys.readouterr().out.startswith("params.yaml has these settings already")


@pytest.mark.parametrize(
    ("settings", "chosen", "says"),
    [
        ({}, {"model": "vgg16"}, r"best\.yaml is of model vgg16, params\.yaml of resnet50v2: set model to vgg16"),
        ({}, {"dataset": "busi"}, r"best\.yaml is of dataset busi, params\.yaml of phantom"),
        ({"zoo.resnet50v2.rate": 1}, {}, r"unknown key 'zoo\.resnet50v2\.rate'; valid keys there: batch_size"),
        ({"zoo.resnet50v2.learning_rate": -1}, {}, r"zoo\.resnet50v2\.learning_rate: Input should be greater than 0"),
    ],
)
def test_what_does_not_fit_is_refused(project: Path, settings: Any, chosen: Any, says: str) -> None:
    before = (project / "params.yaml").read_bytes()
    write(settings, **chosen)
    with pytest.raises(UserError, match=says) as caught:
        apply(load_params())
    assert "\n" not in str(caught.value)
    assert (project / "params.yaml").read_bytes() == before


def test_a_file_that_is_none(project: Path) -> None:
    with pytest.raises(UserError, match=r"other\.yaml not found: run 'bycase tune run' first"):
        apply(load_params(), Path("other.yaml"))
    for text in ("a: [", "- 1", "model: resnet50v2"):
        Path("other.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=r"other\.yaml (is not valid YAML|does not say of which model and dataset)"):
            apply(load_params(), Path("other.yaml"))


def test_dvc_takes_the_command_as_the_same_settings(project: Path) -> None:
    """By its own parser, after a shell's."""
    from dvc.utils.hydra import apply_overrides, get_hydra_sweeps

    settings = SETTINGS | {
        "zoo.vgg16.head": [],
        "zoo.vgg16.weights": "it's, a=b: \\'file\\dir' {x}\\",
        "zoo.vgg16.variant": "null",
        "zoo.focal_cnn.weights": "1.5",
        "zoo.alexnet.weights": "weights/alex-net.h5",
        "zoo.alexnet.standardise": False,
        "split.folds_file": None,
    }
    words = shlex.split(experiment_command(settings))
    assert words[:3] == ["dvc", "exp", "run"]
    assert set(words[3::2]) == {"-S"}
    copy = project / "copy.yaml"
    shutil.copy(project / "params.yaml", copy)
    before = flatten(yaml.safe_load(copy.read_text(encoding="utf-8")))
    assert len(get_hydra_sweeps({"copy.yaml": words[4::2]})) == 1
    apply_overrides(copy, words[4::2])
    assert flatten(yaml.safe_load(copy.read_text(encoding="utf-8"))) == before | settings


def test_dvc_takes_very_small_numbers(project: Path) -> None:
    """It writes 1e-07, which YAML 1.1 takes for a word, but the parameters for a number."""
    from dvc.utils.hydra import apply_overrides

    words = shlex.split(experiment_command({"zoo.vgg16.learning_rate": 1e-07, "zoo.vgg16.weight_decay": 2.5e-09}))
    apply_overrides(project / "params.yaml", words[4::2])
    network = load_params().zoo["vgg16"]
    assert (network.learning_rate, network.weight_decay) == (1e-07, 2.5e-09)


def test_the_recommendation_says_what_it_is_and_can_be_applied(make_search: MakeSearch) -> None:
    search = make_search()
    text = write_best(search, ["no gain shown"])
    content = yaml.safe_load(text)
    assert content.pop("model") == "efficientnetlite"
    assert content.pop("dataset") == "phantom"
    assert flatten(content) == search.winner["settings"]
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert comments[1].startswith("# efficientnetlite on phantom data (generated images); bayesian, trial ")
    assert "# no gain shown" in comments
    assert comments[-1].startswith("# For one experiment: dvc exp run -S model=efficientnetlite -S dataset=phantom -S ")
    assert "course of training" not in text
    assert "course of training" in write_best(make_search(algorithm="pbt"), [])
