from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.nested import flatten, merge, nest
from bycase.core.yaml_edit import edit_yaml

BASE = (Path(__file__).parents[3] / "params.yaml").read_text(encoding="utf-8")

TEXT = """\
# top
model: x   # which
zoo:
  a:
    head:                 # the head
      # widths
      - dense: 64   # first
      - dropout: 0.2   # last
    # after the head

    rate: 0.0003     # learning rate
    name: "quoted"   # stays quoted
    path:            # nothing
  b:
    head:
    - dropout: 0.2
# end of zoo

flow: {a: 1, list: [1, 2]}  # in one line
"""


def set_values(text: str, values: dict[str, Any]) -> str:
    """By dotted key."""
    return edit_yaml(text, merge(yaml.safe_load(text), nest(values)))


def changed_lines(before: str, after: str) -> list[str]:
    return [new for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]


def test_only_the_lines_of_changed_values_differ() -> None:
    values: dict[str, Any] = {
        "zoo.a.rate": 1.25e-05,
        "zoo.a.name": "other",
        "zoo.a.path": "some/file",
        "zoo.a.head": [{"dense": 128}, {"dropout": 0.2}],
        "flow.list": [3],
    }
    assert changed_lines(TEXT, set_values(TEXT, values)) == [
        "      - dense: 128  # first",
        "    rate: 1.25e-05   # learning rate",
        '    name: "other"    # stays quoted',
        "    path: some/file  # nothing",
        "flow: {a: 1, list: [3]}  # in one line",
    ]


@pytest.mark.parametrize(
    "head", [[], [{"dropout": 0.5}], [{"dense": 128}, {"dropout": 0.1}, {"dense": 32}, {"dropout": 0.1}]]
)
@pytest.mark.parametrize("network", ["a", "b"])
def test_a_list_of_another_length_leaves_what_stands_round_it(network: str, head: list[dict[str, Any]]) -> None:
    edited = set_values(TEXT, {f"zoo.{network}.head": head})
    assert yaml.safe_load(edited)["zoo"][network]["head"] == head
    kept = [line for line in TEXT.splitlines() if "dense: 64" not in line and "dropout" not in line]
    assert [line for line in edited.splitlines() if line in kept] == kept


def test_params_yaml_as_shipped_and_as_dvc_lays_it_out(tmp_path: Path) -> None:
    from dvc.utils.hydra import apply_overrides

    path = tmp_path / "params.yaml"
    path.write_text(BASE, encoding="utf-8")
    apply_overrides(path, ["seed=8"])
    of_dvc = path.read_text(encoding="utf-8")
    assert of_dvc != BASE.replace("seed: 7", "seed: 8", 1)
    values = {"zoo.vgg16.learning_rate": 2e-05, "zoo.resnet50v2.unfreeze.layers": 12, "augment.flip": "none"}
    for text in (BASE, of_dvc):
        edited = set_values(text, values)
        before, after = flatten(yaml.safe_load(text)), flatten(yaml.safe_load(edited))
        assert {key: value for key, value in after.items() if before[key] != value} == values
        assert len(changed_lines(text, edited)) == 3


def test_what_is_the_same_stays_as_it_is_written() -> None:
    assert set_values("a: 1.0e-3  # x\nb: [1, 2]\n", {"a": 0.001, "b": [1, 2]}) == "a: 1.0e-3  # x\nb: [1, 2]\n"


def test_line_ends_stay() -> None:
    edited = set_values(TEXT.replace("\n", "\r\n"), {"zoo.a.rate": 0.5, "zoo.a.path": "x", "zoo.b.head": []})
    assert edited == set_values(TEXT, {"zoo.a.rate": 0.5, "zoo.a.path": "x", "zoo.b.head": []}).replace("\n", "\r\n")


def test_an_alias_is_refused() -> None:
    with pytest.raises(UserError, match="b is an alias of another value"):
        set_values("a: &x 1\nb: *x\n", {"b": 2})
    with pytest.raises(UserError, match="cannot be set without changing more"):
        set_values("a: &x {c: 1}\nb: *x\n", {"a": {"c": 2}})


def test_keys_are_added_renamed_and_taken_out() -> None:
    content = yaml.safe_load(TEXT)
    b, flow = content["zoo"]["b"], content["flow"]
    content["zoo"]["b"] = {"heads": b["head"]}
    content["zoo"]["a"] |= {"epochs": 3, "unfreeze": {"layers": 0}}
    del content["zoo"]["a"]["head"]
    content["flow"] = flow | {"b": None}
    edited = edit_yaml(TEXT, {"version": 1, **content, "end": []})
    assert yaml.safe_load(edited) == {"version": 1, **content, "end": []}
    assert (
        edited
        == """\
# top
version: 1
model: x   # which
zoo:
  a:
    # after the head

    rate: 0.0003     # learning rate
    name: "quoted"   # stays quoted
    path:            # nothing
    epochs: 3
    unfreeze: {layers: 0}
  b:
    heads:
    - dropout: 0.2
# end of zoo

flow: {a: 1, list: [1, 2], b: null}  # in one line
end: []
"""
    )


def test_of_several_keys_that_go_the_one_of_equal_value_is_renamed() -> None:
    text = "meter:\n  penalty: 0.01  # inverse\n  draws: 2000    # many\n  folds: 5       # few\n"
    renamed = edit_yaml(text, {"meter": {"C": 0.01, "folds": 5}})
    assert renamed == "meter:\n  C: 0.01  # inverse\n  folds: 5       # few\n"
    other = edit_yaml(text, {"meter": {"folds": 5, "C": 0.02}})
    assert other == "meter:\n  folds: 5       # few\n  C: 0.02\n"
