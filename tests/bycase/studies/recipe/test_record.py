import shlex
from typing import Any

import pytest

from bycase.studies.recipe.record import describe_command, hide_place
from bycase.studies.recipe.settings import Network, parse_assignments


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("datasets.breakhis.path", "/home/someone/images/breakhis", "<breakhis>"),
        ("datasets.breakhis.path", "../shared/data/breakhis/", "<breakhis>"),
        (
            "datasets.breakhis",
            {"source": "local", "path": "/home/someone/breakhis.zip"},
            {"source": "local", "path": "<breakhis.zip>"},
        ),
        ("split.file", "~/splits/mine.csv", "<mine.csv>"),
        ("zoo.vgg16.weights", "/home/someone/vgg16.weights.h5", "<vgg16.weights.h5>"),
        ("datasets.breakhis.slug", "owner/name", "owner/name"),
        ("audit.waive.busi", [["Benign/a.png", "Benign/b.png"]], [["Benign/a.png", "Benign/b.png"]]),
        ("zoo.vgg16.epochs", 3, 3),
    ],
)
def test_a_path_is_its_last_name_in_brackets(key: str, value: Any, shown: Any) -> None:
    assert hide_place(key, value) == shown


def test_the_command_is_as_given_but_for_places() -> None:
    own = parse_assignments(
        ["datasets.busi.path=/home/someone/a b/busi", "zoo.vgg16.epochs=1", "datasets.busi.source=local"]
    )
    assert describe_command("c-vgg16", "honest", own) == (
        "bycase recipe run c-vgg16 --honest --set 'datasets.busi.path=<busi>' datasets.busi.source=local "
        "zoo.vgg16.epochs=1"
    )
    assert describe_command("c-vgg16", "as-published", {}) == "bycase recipe run c-vgg16"
    assert describe_command("c-vgg16", "honest", {}, Network("efficientnet", "B4")) == (
        "bycase recipe run c-vgg16 --honest --network efficientnet:B4"
    )


def test_a_described_command_is_the_same_settings() -> None:
    own = {
        "split": {"magnifications": [200], "file": None},
        "zoo": {"vgg16": {"head": [{"dense": 8}], "standardise": True}},
    }
    command = describe_command("c-vgg16", "as-published", own)
    assert parse_assignments(shlex.split(command)[5:]) == own
