"""`python -m stages.embed`: the frozen backbone's features of every image and view."""

import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.common.command import run_stage
from stages.common.files import replace_folder, write_csv, write_json
from stages.common.manifest import read_manifest
from stages.common.params import load_params
from stages.common.seeding import derive_seed, make_tensorflow_deterministic
from stages.embed.augment import augment
from stages.embed.table import FEATURES
from stages.restructure.pixels import read_pixels
from stages.zoo.features import PartialFeatures, check_spread, fill, fingerprint
from stages.zoo.registry import build_backbone, find_network
from stages.zoo.weights import weights_digest

PARTIAL = Path("data/checkpoints/embed")


def main() -> None:
    """Run the frozen backbone over every image and its augmented views."""
    params = load_params()
    find_network(params.model)
    manifest = read_manifest()
    make_tensorflow_deterministic(params.seed)
    size, pooling = params.data.image_size, params.network.pooling
    backbone = build_backbone(params.model, size, params.weights, pooling, params.seed)

    def views(pixels: NDArray[np.uint8], start: int) -> Iterator[NDArray[np.float32]]:
        yield pixels.astype(np.float32)
        for view in range(params.embed.views):
            yield augment(pixels, params.embed.augment, derive_seed(params.seed, "view", view, start))

    images = manifest["image"].tolist()
    made_by = {
        "model": params.model,
        "weights": params.weights,
        "pooling": pooling,
        "image_size": size,
        "seed": params.seed,
    }
    partial = PartialFeatures(
        PARTIAL,
        (len(images), 1 + params.embed.views, backbone.output_shape[-1]),
        fingerprint(
            made_by, weights_digest(params.weights), params.embed, manifest["sha256"].tolist(), params.data.resize
        ),
    )
    if partial.done:
        logging.info("continuing after %d of %d images", partial.done, len(images))
    started = time.perf_counter()
    fill(partial, images, read_pixels, views, backbone.predict_on_batch, params.embed.batch_size)
    seconds = time.perf_counter() - started
    check_spread(partial.array[:, 0], params.model, params.weights)
    with replace_folder(FEATURES) as folder:
        shutil.move(partial.path, folder / "features.npy")
        write_csv(folder / "index.csv", manifest[["image"]])
        write_json(folder / "made_by.json", {**made_by, "seconds": round(seconds, 2)})
    shutil.rmtree(PARTIAL)
    logging.info(
        "%d images, %d views each, %d features by %s (%s weights) in %.0f s",
        *partial.array.shape,
        params.model,
        params.weights,
        seconds,
    )


if __name__ == "__main__":
    run_stage("embed", main)
