"""`python -m stages.embed`: the frozen backbone's features of every image and view."""

import logging
import shutil
import time
from pathlib import Path

import numpy as np

from bycase.core.command import run_stage
from bycase.core.files import file_digest, replace_folder
from bycase.core.fingerprint import fingerprint
from bycase.core.memory import enough_memory
from bycase.core.params import load_params
from bycase.core.seeding import make_deterministic
from bycase.images.augmentation.views import augmented_views
from bycase.images.pixels import read_pixels
from bycase.networks.contract import refuse_breach
from bycase.networks.engine import choose_engine, spread
from bycase.networks.registry import build_chosen_backbone, find_variant
from bycase.networks.weights import weights_digest
from bycase.tables.cost import write_times
from bycase.tables.features import FEATURES, write_features, write_no_features
from bycase.tables.imported import read_imported
from bycase.tables.manifest import MANIFEST, PREPROCESSED, read_manifest
from bycase.tables.partial_features import PartialFeatures, check_spread, fill

PARTIAL = Path("data/checkpoints/embed")


def main() -> None:
    """Run the frozen backbone over every image and its augmented views."""
    params = load_params()
    if params.network.mode == "end_to_end":
        with replace_folder(FEATURES) as folder:
            array = write_no_features(folder, {"model": params.model, "weights": params.weights})
            write_times(file_digest(array), {"embed_seconds": 0.0})
        logging.info("%s is trained end to end: it has no frozen features, and data/features is empty", params.model)
        return
    manifest = read_manifest()
    images = manifest["image"].tolist()
    if params.is_imported:
        _import(params.model, Path(params.weights), images)
        return
    make_deterministic(params.seed)
    backbone = build_chosen_backbone(params)
    refuse_breach(backbone, images, params)
    made_by = {
        "model": params.model,
        "variant": find_variant(params.model, params.network.variant)[0],
        "weights": params.weights,
        "pooling": params.network.pooling,
        "image_size": params.data.image_size,
        "seed": params.seed,
        "rescale": params.network.rescale,
        "stride": params.network.stride,
    }
    batch_size = params.embed.batch_size
    with enough_memory(params, "embed.batch_size", batch_size):
        engine = choose_engine(backbone, params.engine, batch_size, lambda: read_pixels(spread(images)), "features")
    partial = PartialFeatures(
        PARTIAL,
        (len(images), 1 + params.embed.views, backbone.output_shape[-1]),
        fingerprint(
            ["stages.embed"],
            made_by,
            engine.identity,
            weights_digest(params.weights),
            params.embed,
            params.augment.model_dump(exclude={"mixup", "cutmix"}),
            files=(MANIFEST, PREPROCESSED),
        ),
    )
    if partial.done:
        logging.info("continuing after %d of %d images", partial.done, len(images))
    started = time.perf_counter()
    views = augmented_views(params.augment, params.embed.views, params.seed)
    with enough_memory(params, "embed.batch_size", batch_size):
        fill(partial, images, read_pixels, views, engine.forward, batch_size)
    seconds = time.perf_counter() - started
    check_spread(partial.array[:, 0], params.model, params.weights)
    with replace_folder(FEATURES) as folder:
        array = write_features(folder, partial.path, images, made_by | {"engine": engine.made_by})
        write_times(file_digest(array), {"embed_seconds": round(seconds, 2)})
    shutil.rmtree(PARTIAL)
    logging.info(
        "%d images, %d views each, %d features by %s (%s weights) in %.0f s",
        *partial.shape,
        params.model,
        params.weights,
        seconds,
    )


def _import(model: str, path: Path, images: list[str]) -> None:
    """Write the features that another program computed: one view of each image."""
    started = time.perf_counter()
    array = read_imported(path, images)[:, None]
    check_spread(array[:, 0], model, str(path))
    PARTIAL.mkdir(parents=True, exist_ok=True)
    np.save(PARTIAL / "features.npy", array)
    made_by = {"model": model, "weights": str(path), "file_sha256": weights_digest(str(path))}
    with replace_folder(FEATURES) as folder:
        written = write_features(folder, PARTIAL / "features.npy", images, made_by)
        write_times(file_digest(written), {"embed_seconds": round(time.perf_counter() - started, 2)})
    shutil.rmtree(PARTIAL)
    logging.info("%d images, %d features each, of %s", len(images), array.shape[-1], path)


if __name__ == "__main__":
    run_stage("embed", main)
