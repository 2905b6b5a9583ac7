"""What a training leaves behind: the network, what it is, its history and its cost."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bycase.core.files import file_digest, write_csv, write_json
from bycase.core.params import Params
from bycase.core.versions import installed_versions
from bycase.networks.saved import save_network
from bycase.tables.cost import sizes_of, write_times
from bycase.tables.models import HISTORY, MODEL_INFO, NETWORK, order_classes
from bycase.tables.results import write_headlines
from bycase.training.run import Training

if TYPE_CHECKING:
    import keras

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy", "val_auc")


def write_record(network: "keras.Model", training: Training, params: Params, embed_times: Mapping[str, float]) -> None:
    """Write the three files of ``models/``, the network's size for `dvc metrics`, and what the clock said.

    Parameters
    ----------
    network : keras.Model
        With its best weights, not compiled.
    training : Training
        What it went through.
    params : Params
        What it was trained with.
    embed_times : mapping
        ``embed_seconds``, what the cached features cost (0 where there were none); empty where that is not known.
    """
    import keras

    progress, fitted = training.progress, params.network.fitted_head
    kept, epochs = progress.history[progress.best_epoch - 1], 0 if fitted else len(progress.history)
    save_network(network, NETWORK)
    digest = file_digest(NETWORK)
    model_info = {
        "model": params.model,
        "variant": params.network.variant,
        "weights": params.weights,
        "mode": params.network.mode,
        **({"head": fitted, "head_setting": kept["setting"]} if fitted else {}),
        "dataset": params.dataset,
        "phantom": params.data.source == "phantom",
        "classes": order_classes(params.data.classes, params.data.positive),
        "positive": params.data.positive,
        "image_size": params.data.image_size,
        "seed": params.seed,
        "monitor": params.train.monitor,
        "precision": keras.config.dtype_policy().name,
        "prior_loss": round(training.prior_loss, 6),
        "best_epoch": progress.best_epoch,
        "best_phase": progress.best_phase,
        "parameters": network.count_params(),
        "trainable_parameters": int(sum(np.prod(v.shape) for v in network.trainable_variables)),
        **count_flops(network),
        "model_bytes": NETWORK.stat().st_size,
        "epochs": epochs,
        "network_sha256": digest,
        "versions": installed_versions((keras.backend.backend(), "keras", "numpy")),
    }
    write_json(MODEL_INFO, model_info)
    last = {key: value for key, value in (kept if fitted else progress.history[-1]).items() if key in CURVES}
    headlines = sizes_of(model_info) | {"last_epoch": last}
    write_headlines("train", headlines, list(headlines))
    write_csv(HISTORY, pd.DataFrame(progress.history))
    write_times(
        digest,
        {
            **embed_times,
            "training_seconds": round(progress.seconds, 2),
            **({"seconds_per_epoch": round(progress.seconds / epochs, 4)} if epochs else {}),
            **training.energy,
        },
    )


def count_flops(network: "keras.Model") -> dict[str, int]:
    """Floating-point operations of one image's forward pass, counted by TensorFlow's profiler.

    A multiplication and an addition are two, where the literature often counts one multiply-add: MobileNetV2 at 224
    pixels has 0.61 G here and 0.30 G there. Kinds of operations that the profiler has no formula for, such as batch
    norm and activations other than ReLU, are few beside the convolutions and count 0.

    Parameters
    ----------
    network : keras.Model
        Of images of one size.

    Returns
    -------
    dict
        ``flops``; empty on another backend than TensorFlow.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return {}
    import tensorflow as tf

    call = tf.function(
        lambda image: network(image, training=False),
        input_signature=[tf.TensorSpec((1, *network.input_shape[1:]), tf.float32)],
        autograph=False,
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with _quiet():
        profile = tf.compat.v1.profiler.profile(call.get_concrete_function().graph, options=options)
    return {"flops": int(profile.total_float_ops)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the profiler's warning that it was written for TensorFlow 1."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
