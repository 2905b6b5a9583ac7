"""A variant, weights or a size that the chosen network does not have are refused before anything runs."""

from collections.abc import Callable
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.core.params import load_params
from bycase.networks.check import check_network


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": "efficientnetv2", "zoo.efficientnetv2.variant": "B9"},
            "zoo.efficientnetv2.variant.*B0, B1, B2, B3, S",
        ),
        ({"model": "alexnet", "zoo.alexnet.weights": "imagenet"}, "zoo.alexnet.weights: there are no published"),
        ({"model": "alexnet", "datasets.phantom.image_size": 32}, "32 pixels are too few for alexnet"),
    ],
)
def test_what_the_network_does_not_have_is_refused(
    write_params: Callable[..., Any], changes: dict[str, Any], message: str
) -> None:
    write_params(changes)
    with pytest.raises(UserError, match=message):
        check_network(load_params())


@pytest.mark.usefixtures("project")
def test_every_entry_as_shipped_passes(write_params: Callable[..., Any], default_params: dict[str, Any]) -> None:
    for model in default_params["zoo"]:
        write_params({"model": model})
        check_network(load_params())
