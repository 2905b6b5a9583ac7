"""`python -m stages.embed`: the frozen backbone's features of every image and view."""

import logging
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_csv, write_json
from bycase.core.fingerprint import fingerprint
from bycase.core.params import Params, load_params
from bycase.core.seeding import make_tensorflow_deterministic
from bycase.images.augmentation.views import augmented_views
from bycase.images.pixels import read_pixels
from bycase.networks.forward import frozen_forward
from bycase.networks.pixel_contract import refuse_breach
from bycase.networks.registry import build_backbone, find_variant
from bycase.networks.weights import weights_digest
from bycase.tables.features import FEATURES, write_features
from bycase.tables.manifest import MANIFEST, PREPROCESSED, read_manifest
from bycase.tables.partial_features import PartialFeatures, check_spread, fill

PARTIAL = Path("data/checkpoints/embed")


def main() -> None:
    """Run the frozen backbone over every image and its augmented views."""
    params = load_params()
    variant, _ = find_variant(params.model, params.network.variant)
    manifest = read_manifest()
    if params.network.mode == "end_to_end":
        write_empty_index(params)
        return
    make_tensorflow_deterministic(params.seed)
    size, pooling = params.data.image_size, params.network.pooling
    backbone = build_backbone(params.model, size, params.weights, pooling, params.seed, variant, params.network.rescale)
    images = manifest["image"].tolist()
    refuse_breach(backbone, images, params)
    made_by = {
        "model": params.model,
        "variant": variant,
        "weights": params.weights,
        "pooling": pooling,
        "image_size": size,
        "seed": params.seed,
        "rescale": params.network.rescale,
    }
    partial = PartialFeatures(
        PARTIAL,
        (len(images), 1 + params.embed.views, backbone.output_shape[-1]),
        fingerprint(
            ["stages.embed"],
            made_by,
            weights_digest(params.weights),
            params.embed,
            params.augment.model_dump(exclude={"mixup", "cutmix"}),
            files=(MANIFEST, PREPROCESSED),
        ),
    )
    if partial.done:
        logging.info("continuing after %d of %d images", partial.done, len(images))
    started = time.perf_counter()
    batch_size = params.embed.batch_size
    views = augmented_views(params.augment, params.embed.views, params.seed)
    fill(partial, images, read_pixels, views, frozen_forward(backbone, batch_size), batch_size)
    seconds = time.perf_counter() - started
    check_spread(partial.array[:, 0], params.model, params.weights)
    with replace_folder(FEATURES) as folder:
        write_features(folder, partial.path, images, {**made_by, "seconds": round(seconds, 2)})
    shutil.rmtree(PARTIAL)
    logging.info(
        "%d images, %d views each, %d features by %s (%s weights) in %.0f s",
        *partial.array.shape,
        params.model,
        params.weights,
        seconds,
    )


def write_empty_index(params: Params) -> None:
    """Write features of no image: a network of which every layer is trained has none that stay."""
    with replace_folder(FEATURES) as folder:
        np.save(folder / "features.npy", np.zeros((0, 1, 0), np.float32))
        write_csv(folder / "index.csv", pd.DataFrame({"image": []}))
        write_json(folder / "made_by.json", {"model": params.model, "weights": params.weights, "seconds": 0.0})
    logging.info("%s is trained end to end: it has no frozen features, and data/features is empty", params.model)


if __name__ == "__main__":
    run_stage("embed", main)
