"""The frozen backbone's features of the pool, one cache for each augmentation strength that is searched."""

import logging
import shutil
import time

import pandas as pd

from bycase.core.files import replace_folder
from bycase.core.fingerprint import fingerprint
from bycase.core.params import Params
from bycase.core.params_training import BACKBONE
from bycase.core.seeding import make_deterministic
from bycase.images.augmentation.views import augmented_views
from bycase.images.pixels import read_pixels
from bycase.networks.contract import refuse_breach
from bycase.networks.engine import Engine, choose_engine, spread
from bycase.networks.registry import build_chosen_backbone, find_variant
from bycase.networks.weights import weights_digest
from bycase.studies.tune.params import Space
from bycase.studies.tune.place import FEATURES, WORK
from bycase.studies.tune.space import OWN_STRENGTH, scale_augmentation
from bycase.tables.features import write_features
from bycase.tables.manifest import PREPROCESSED
from bycase.tables.partial_features import PartialFeatures, check_spread, fill
from bycase.training.phases import END_TO_END

PARTIAL = WORK / "features"


def strengths(params: Params, space: Space) -> list[float]:
    """The augmentation strengths whose features are needed: those searched and `params.yaml`'s own, in order."""
    if params.network.mode == END_TO_END:
        return []
    searched = space.augmentation.values() if space.augmentation else []
    return sorted({OWN_STRENGTH, *(float(value) for value in searched if not isinstance(value, list))})


def embed_pool(params: Params, space: Space, pool: pd.DataFrame) -> None:
    """Write ``data/tuning/features`` of the `pool`'s images; empty for a network trained end to end."""
    wanted = strengths(params, space)
    if not wanted:
        with replace_folder(FEATURES):
            logging.info("%s is trained end to end: it has no frozen features", params.model)
        return
    make_deterministic(params.seed)
    variant, _ = find_variant(params.model, params.network.variant)
    backbone = build_chosen_backbone(params)
    images = pool["image"].tolist()
    refuse_breach(backbone, images, params)
    engine = choose_engine(
        backbone, params.engine, params.embed.batch_size, lambda: read_pixels(spread(images)), "features"
    )
    made_by = {
        "model": params.model,
        "variant": variant,
        "weights": params.weights,
        "image_size": params.data.image_size,
        "engine": engine.made_by,
    }
    finished = []
    for strength in wanted:
        started = time.perf_counter()
        partial = _fill(params, strength, pool, engine, backbone.output_shape[-1])
        check_spread(partial.array[:, 0], params.model, params.weights)
        logging.info("strength %g: %d images, %d views", strength, *partial.shape[:2])
        finished.append((strength, partial, {**made_by, "seconds": round(time.perf_counter() - started, 2)}))
    with replace_folder(FEATURES) as folder:
        for strength, partial, made in finished:
            place = folder / f"{strength:g}"
            place.mkdir()
            write_features(place, partial.path, images, made)
    shutil.rmtree(PARTIAL)


def _fill(params: Params, strength: float, pool: pd.DataFrame, engine: Engine, width: int) -> PartialFeatures:
    """Compute one strength's features, continuing where an interrupted run was."""
    scaled = scale_augmentation(params.augment, strength)
    # Without any change all views are the image itself.
    n_views = params.embed.views if strength else 0
    identity = fingerprint(
        ["bycase.studies.tune.embed"],
        params.model_dump(include={"model", "seed", "embed"}),
        params.network.model_dump(include=set(BACKBONE)),
        weights_digest(params.weights),
        params.data.image_size,
        params.data.resize,
        scaled.model_dump(exclude={"mixup", "cutmix"}),
        pool["image"].tolist(),
        engine.identity,
        files=(PREPROCESSED,),
    )
    partial = PartialFeatures(PARTIAL / f"{strength:g}", (len(pool), 1 + n_views, width), identity)
    fill(
        partial,
        pool["image"].tolist(),
        read_pixels,
        augmented_views(scaled, n_views, params.seed),
        engine.forward,
        params.embed.batch_size,
        f"embed, strength {strength:g}",
    )
    return partial
