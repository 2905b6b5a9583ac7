"""Hyper-parameters and the keys of `params.yaml` that they stand for: what is tried is what is applied.

A setting maps keys of the space to values: numbers, and for ``head`` words such as '128-64' or 'none', so that every
value is one that a table, a sampler and a command line can hold.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from bycase.core.errors import UserError
from bycase.core.nested import merge, nest
from bycase.core.params import Params
from bycase.core.params_training import AugmentParams, DenseLayer, DropoutLayer
from bycase.studies.tune.params import HYPERPARAMETERS, Dimension, Space

Setting = dict[str, Any]
Dimensions = Mapping[str, Dimension]  # what is searched; see `bycase.studies.tune.params.Space.searched`

NO_HIDDEN_LAYER = "none"
OWN_STRENGTH = 1.0  # of augmentation
SMALLEST_CROP = 0.05
STRONGEST = {"rotation": 0.5, "zoom": 0.99, "brightness": 1, "contrast": 0.99, "stain_jitter": 1, "rand_augment": 1}


def head_words(widths: Iterable[int]) -> str:
    """Hidden widths as a word: '128-64', or 'none'."""
    return "-".join(map(str, widths)) or NO_HIDDEN_LAYER


def parse_head(words: str) -> list[int]:
    """The widths that `head_words` made a word of."""
    return [] if words == NO_HIDDEN_LAYER else [int(width) for width in words.split("-")]


def defaults(params: Params, keys: Iterable[str]) -> Setting:
    """The values that `params.yaml` itself has, of these keys of the space."""
    network = params.network
    rates = [layer.dropout for layer in network.head_layers if isinstance(layer, DropoutLayer)]
    values = {
        "learning_rate": network.learning_rate,
        "weight_decay": network.weight_decay,
        "batch_size": network.batch_size,
        "dropout": max(rates, default=0.0),
        "augmentation": OWN_STRENGTH,
        "unfreeze": network.unfreeze.layers,
        "head": head_words(layer.dense for layer in network.head_layers if isinstance(layer, DenseLayer)),
    }
    return {key: values[key] for key in keys}


def changes(setting: Mapping[str, Any], params: Params) -> dict[str, Any]:
    """The dotted keys of `params.yaml` that a setting changes, with their values.

    A value that is `params.yaml`'s own changes nothing, so that its own setting is the empty change, whatever its head
    looks like.
    """
    own = defaults(params, setting)
    new = {key: value for key, value in setting.items() if value != own[key]}
    entry = f"zoo.{params.model}"
    changed: dict[str, Any] = {
        f"{entry}.{key}": new[key] for key in ("learning_rate", "weight_decay", "batch_size") if key in new
    }
    if "unfreeze" in new:
        changed[f"{entry}.unfreeze.layers"] = new["unfreeze"]
    if "head" in new:
        rate = setting.get("dropout", defaults(params, ["dropout"])["dropout"])
        dense: list[dict[str, Any]] = [{"dense": width} for width in parse_head(new["head"])]
        changed[f"{entry}.head"] = [*dense, {"dropout": rate}]
    elif "dropout" in new:
        changed[f"{entry}.head"] = [
            {"dropout": new["dropout"]} if isinstance(layer, DropoutLayer) else layer.model_dump()
            for layer in params.network.head_layers
        ]
    if "augmentation" in new:
        scaled = scale_augmentation(params.augment, new["augmentation"]).model_dump()
        was = params.augment.model_dump()
        changed |= {f"augment.{key}": value for key, value in scaled.items() if value != was[key]}
    return changed


def scale_augmentation(augment: AugmentParams, strength: float) -> AugmentParams:
    """Random changes of images made stronger or weaker than those of strength 1, which `augment` has.

    Strength 0 leaves all of them out, flips included; what has a largest value stays within it. Mixing of images is no
    change of one image and stays.
    """
    scaled = {key: float(f"{min(getattr(augment, key) * strength, largest):.6g}") for key, largest in STRONGEST.items()}
    crop = float(f"{max(1 - (1 - augment.crop) * strength, SMALLEST_CROP):.6g}")
    return augment.model_copy(update={**scaled, "crop": crop, "flip": augment.flip if strength else "none"})


def with_changes(params: Params, changed: Mapping[str, Any]) -> Params:
    """The parameters with dotted keys set, checked as a whole.

    Raises
    ------
    UserError
        If they are not valid then.
    """
    try:
        return Params.model_validate(merge(params.model_dump(), nest(changed)))
    except ValidationError as error:
        raise UserError(f"{', '.join(changed)}: {error.errors()[0]['msg']}") from None


def searched_epochs(setting: Mapping[str, Any], params: Params, epochs: int) -> dict[str, int]:
    """The epochs of the first phase, so that with those of fine-tuning they are `epochs` in all."""
    deep = setting.get("unfreeze", params.network.unfreeze.layers)
    return {f"zoo.{params.model}.epochs": epochs - (params.network.unfreeze.epochs if deep else 0)}


def trial_params(setting: Mapping[str, Any], params: Params, epochs: int) -> Params:
    """The parameters with which a setting is trained for `epochs` epochs."""
    return with_changes(params, changes(setting, params) | searched_epochs(setting, params, epochs))


def choices(dimension: Dimension) -> list[Any]:
    """The values of a choice as settings hold them."""
    return [head_words(value) if isinstance(value, list) else value for value in dimension.choice or []]


def draw(key: str, dimension: Dimension, random: np.random.Generator) -> Any:
    """A value drawn at random."""
    if dimension.choice:
        return choices(dimension)[int(random.integers(len(dimension.choice)))]
    if dimension.log:
        low, high = (math.log(end) for end in dimension.log)
        return _round(key, math.exp(random.uniform(low, high)))
    assert dimension.uniform
    return _round(key, random.uniform(*dimension.uniform))


def draw_setting(space: Space, random: np.random.Generator) -> Setting:
    """A setting drawn at random."""
    return {key: draw(key, dimension, random) for key, dimension in space.searched.items()}


def within(setting: Mapping[str, Any], space: Space) -> Setting:
    """The setting with every value that left its range brought back to the nearer end."""
    kept = dict(setting)
    for key, dimension in space.searched.items():
        ends = dimension.log or dimension.uniform
        if ends:
            kept[key] = _round(key, min(max(float(kept[key]), ends[0]), ends[1]))
    return kept


def is_within(setting: Mapping[str, Any], space: Space) -> bool:
    """Whether a sampler could have proposed the setting."""
    for key, dimension in space.searched.items():
        ends = dimension.log or dimension.uniform
        if not (ends[0] <= setting[key] <= ends[1] if ends else setting[key] in choices(dimension)):
            return False
    return True


def _round(key: str, value: float) -> float | int:
    """Six digits, which a table and a command line hold exactly; whole numbers where only they are valid."""
    return round(value) if HYPERPARAMETERS[key].whole else float(f"{value:.6g}")
