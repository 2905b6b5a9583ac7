"""The pixels that the pipeline feeds, held against what the network expects."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.core.seeding import generator
from bycase.images.pixels import read_pixels
from bycase.networks.contract import contract_breach

if TYPE_CHECKING:
    import keras

SAMPLE = 16


def refuse_breach(backbone: "keras.Model", images: Sequence[str], params: Params) -> None:
    """Check a sample of images; warn only where `train.contract_action` says so.

    Parameters
    ----------
    backbone : keras.Model
        Of `bycase.networks.registry.build_backbone`.
    images : sequence of str
        Paths below ``data/preprocessed``.
    params : Params
        The whole of `params.yaml`.

    Raises
    ------
    UserError
        If the images would not reach the first convolution as its weights expect: rescaled twice or not at all.
    """
    random = generator(params.seed, "contract")
    chosen = random.choice(len(images), min(SAMPLE, len(images)), replace=False)
    pixels = read_pixels([images[place] for place in np.sort(chosen)])
    breach = contract_breach(backbone, pixels, params.model, params.network.variant)
    if breach and params.train.contract_action == "stop":
        raise UserError(f"{breach}. To reproduce such a mistake, set train.contract_action to warn")
    if breach:
        logging.warning("WARNING: %s", breach)
