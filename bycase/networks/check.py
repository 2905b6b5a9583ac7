"""Whether the chosen network can be what its entry in `params.yaml` says."""

from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.networks.registry import find_network, find_variant


def check_network(params: Params) -> None:
    """Refuse a variant, a source of weights or an image size that the network does not have.

    Raises
    ------
    UserError
        Naming the key and what is possible.
    """
    network = find_network(params.model)
    find_variant(params.model, params.network.variant)
    if params.weights == "imagenet" and "imagenet" not in network.weights:
        raise UserError(
            f"zoo.{params.model}.weights: there are no published ImageNet weights of {params.model}; "
            "set it to random, or to a weights file"
        )
    if params.data.image_size < network.smallest_size:
        raise UserError(
            f"datasets.{params.dataset}.image_size: {params.data.image_size} pixels are too few for {params.model}, "
            f"whose maps vanish below {network.smallest_size}"
        )
