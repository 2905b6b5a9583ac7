"""Older `params.yaml`: what they lack or name otherwise, with the values that stand for what was then done."""

import copy
from collections.abc import Mapping
from typing import Any

from bycase.core.nested import Settings
from bycase.core.versions import check_version

VERSION = 3  # 1 had none in it; 2 had no addresses in data sets

# Of `power`: as measured between the networks of results/breakhis-partial, from optimistic to pessimistic. They take
# the place of a single number each; those that were shipped are far from anything measured.
CORRELATIONS: Settings = {
    "model_correlation": {"accuracy": [0.43, 0.3, 0.21], "auc": [0.61, 0.45, 0.21]},
    "patient_correlation": {"accuracy": [0.13, 0.3, 0.33], "auc": [0.17, 0.64, 0.88]},
}
SHIPPED = {"model_correlation": 0.5, "patient_correlation": 0.1}

# Sections and keys that came one after another. A value is what the code did before it could be chosen; of stages that
# were not there yet it is the first one that was shipped, since no other result depends on it.
ADDED: Settings = {
    "audit": {"near_distance": 8, "near_similarity": 0.9, "embedding_similarity": 0.96, "batch_size": 16, "waive": {}},
    "split": {
        "held_out_magnification": None,
        "folds": 5,
        "fold": 0,
        "repeat": 0,
        "file": None,
        "merge_duplicates": False,
    },
    "preprocess": {"stain": "none", "clip_limit": 0.0, "denoise": 0.0},
    "augment": {"zoom": 0.0, "crop": 1.0, "stain_jitter": 0.0, "mixup": 0.0, "cutmix": 0.0},
    "train": {
        "loss": "cross_entropy",
        "focal_gamma": 2.0,
        "label_smoothing": 0.0,
        "schedule": "constant",
        "warmup_epochs": 0,
        "plateau_factor": 0.3,
        "plateau_patience": 4,
        "momentum": 0.9,
        "gradient_clip": 0.0,
        "ema": 0.0,
        "batch_norm_momentum": 0.9,
        "precision": "float32",
        "strategy": "single",
        "monitor": "auc",
        "contract_action": "stop",
    },
    "uncertainty": {"dropout_passes": 30, "views": 8, "coverage": 0.9},
    "robustness": {
        "corruptions": ["stain", "brightness", "contrast", "blur", "jpeg", "noise", "rotation", "magnification"],
        "severities": [1, 3, 5],
    },
    "explain": {"method": "grad_cam", "examples": 3, "images": 24, "steps": 10, "randomisations": 3},
    "leakage": {"folds": 5, "repeats": 5, "logistic_C": 0.01, "permutations": 200},
    "power": {
        "accuracy": 0.77,
        "auc": 0.84,
        **CORRELATIONS,
        "alpha": 0.05,
        "power": 0.8,
    },
}
# Keys that came without a new version; they leave everything as it was.
ADDED_SINCE: Settings = {
    "engine": "keras",
    "train": {"sampling": "uniform"},
    "evaluate": {
        "aggregation": "mean",
        "top_k": 0.25,
        "prevalence": None,
        "external": None,
        "external_classes": {},
        "external_magnifications": [],
    },
}
REMOVED = {"leakage": "resamples"}  # without a new version too: nothing depends on them
ADDED_TO_PHANTOMS: Settings = {"laboratory": None}
# Since version 2, which the last two leave as it is.
ADDED_TO_DATASETS: Settings = {"url": None, "sha256": None, "revision": None, "folders": None, "table": None}
# What a person may leave out of an entry, and DVC not.
OPTIONAL_OF_DATASETS: Settings = {
    "slug": None,
    "path": None,
    "task": None,
    "phantom": None,
    "max_unpacked_gb": 20,
    "value_range": None,
}
ADDED_TO_NETWORKS: Settings = {
    "variant": None,
    "mode": "frozen",
    "rescale": 1.0,
    "standardise": True,
    "unfreeze": {"steps": 1, "lowest_rate": 1.0},
}
ADDED_SINCE_TO_NETWORKS: Settings = {"stride": None}
ADDED_TO_FINE_TUNING: Settings = {"batch_norm": "frozen"}


def migrate(content: Mapping[str, Any], source: str) -> tuple[Settings, list[str]]:
    """Complete and rename what an older `params.yaml` lacks or names otherwise.

    Parameters
    ----------
    content : mapping
        What the file holds, valid or not; it is not changed.
    source : str
        The file's name, for messages.

    Returns
    -------
    content : dict
        As the current version has it, where it was valid then.
    changes : list of str
        What was done, in words; empty for a file of the current version.

    Raises
    ------
    UserError
        If the file is of a version that is not known here.
    """
    current = check_version(content, VERSION, source) == VERSION
    migrated: Settings = {"version": VERSION} | copy.deepcopy(dict(content)) | {"version": VERSION}
    changes, added = ([], []) if current else _complete_first(migrated)
    changes += _spread_correlations(migrated)
    added += _add_to_datasets(migrated)
    added += _fill(
        migrated,
        {key: value for key, value in ADDED_SINCE.items() if key in migrated or not isinstance(value, dict)},
    )
    for each in _sections(migrated, "zoo"):
        added += _fill(each, ADDED_SINCE_TO_NETWORKS, "zoo.*.")
        if isinstance(each.get("unfreeze"), dict):
            added += _fill(each["unfreeze"], ADDED_TO_FINE_TUNING, "zoo.*.unfreeze.")
    for each in _sections(migrated, "datasets"):
        if isinstance(each.get("phantom"), dict):
            added += _fill(each["phantom"], ADDED_TO_PHANTOMS, "datasets.*.phantom.")
    return migrated, changes + _say_added(added) + _remove(migrated)


def _complete_first(migrated: Settings) -> tuple[list[str], list[str]]:
    """Bring a file of an older version to this one; what was renamed, in words, and the keys that were added."""
    changes = [*_move_augment(migrated), *_rename(migrated, "leakage", "inverse_penalty", "logistic_C")]
    added = _fill(migrated, ADDED)
    for each in _sections(migrated, "datasets"):
        task = "binary" if each.get("layout") == "breakhis" else None
        added += _fill(each, {"task": task, "phantom": None} | ADDED_TO_DATASETS, "datasets.*.")
        # The phantom was drawn with the seed of everything else.
        added += _fill(each, {"phantom": {"seed": migrated.get("seed")}} if each["phantom"] else {}, "datasets.*.")
    for each in _sections(migrated, "zoo"):
        added += _fill(each, ADDED_TO_NETWORKS, "zoo.*.")
    return changes, added


def _add_to_datasets(content: Settings) -> list[str]:
    defaults = OPTIONAL_OF_DATASETS | ADDED_TO_DATASETS
    return [key for each in _sections(content, "datasets") for key in _fill(each, defaults, "datasets.*.")]


def _say_added(added: list[str]) -> list[str]:
    return [f"added {', '.join(dict.fromkeys(added))}"] if added else []


def _move_augment(content: Settings) -> list[str]:
    """`embed.augment` became `augment`, and its `flip`, true or false, a word."""
    embed = content.get("embed")
    if not isinstance(embed, dict) or not isinstance(embed.get("augment"), dict):
        return []
    augment = content["augment"] = embed.pop("augment")
    if isinstance(augment.get("flip"), bool):
        augment["flip"] = "both" if augment["flip"] else "none"
    return ["embed.augment is now augment"]


def _remove(content: Settings) -> list[str]:
    removed = []
    for section, key in REMOVED.items():
        values = content.get(section)
        if isinstance(values, dict) and key in values:
            content[section] = {name: value for name, value in values.items() if name != key}
            removed.append(f"{section}.{key} has no effect and is left out")
    return removed


def _rename(content: Settings, section: str, old: str, new: str) -> list[str]:
    values = content.get(section)
    if not isinstance(values, dict) or old not in values:
        return []
    content[section] = {new if key == old else key: value for key, value in values.items()}
    return [f"{section}.{old} is now {section}.{new}"]


def _spread_correlations(content: Settings) -> list[str]:
    """A single correlation of `power` becomes that of all scenarios; the one that was shipped, the measured range."""
    power, changes = content.get("power"), list[str]()
    if not isinstance(power, dict):
        return changes
    for key, measured in CORRELATIONS.items():
        value = power.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            power[key] = copy.deepcopy(measured)
            if value != SHIPPED[key]:
                power[key] = {metric: [value] * len(values) for metric, values in measured.items()}
            changes.append(f"power.{key}, which was {value:g}, is now a range")
    return changes


def _fill(content: Settings, defaults: Settings, prefix: str = "") -> list[str]:
    """Add what is missing; its dotted keys, or those of whole sections."""
    added = []
    for key, value in defaults.items():
        if key not in content:
            content[key] = copy.deepcopy(value)
            added.append(f"{prefix}{key}")
        elif isinstance(value, dict) and isinstance(content[key], dict):
            added += _fill(content[key], value, f"{prefix}{key}.")
    return added


def _sections(content: Settings, name: str) -> list[Settings]:
    entries = content.get(name)
    return [entry for entry in entries.values() if isinstance(entry, dict)] if isinstance(entries, dict) else []
