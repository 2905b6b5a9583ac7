"""Whether and how the network can show where it looked."""

import logging
from typing import TYPE_CHECKING

from bycase.apps.serve.inference_service import Explain
from bycase.core.errors import UserError
from bycase.explain.images import make_explainer

if TYPE_CHECKING:
    import keras


def make_explain(network: "keras.Model | None") -> Explain | None:
    """A function for heatmaps; None, and a word in the log, where the network has no map to look at."""
    if network is None:
        return None
    try:
        return make_explainer(network)
    except UserError as error:
        logging.warning("no heatmaps: %s", error)
        return None
