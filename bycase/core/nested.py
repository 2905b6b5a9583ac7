"""Nested mappings by dotted keys, such as ``zoo.vgg16.epochs``."""

from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from operator import getitem
from typing import Any

Settings = dict[str, Any]


def pick(content: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The values of several dotted keys, by key."""
    return {key: reduce(getitem, key.split("."), content) for key in keys}


def flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys and their values; an empty mapping is a value."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def nest(values: Mapping[str, Any]) -> Settings:
    """Dotted keys as nested mappings, in their order; the inverse of `flatten`."""
    nested: Settings = {}
    for key, value in values.items():
        for name in reversed(key.split(".")):
            value = {name: value}
        nested = merge(nested, value)
    return nested


def merge(content: Mapping[str, Any], settings: Mapping[str, Any]) -> Settings:
    """A copy of `content` with `settings` laid over it; mappings are merged, everything else is replaced."""
    merged = dict(content)
    for key, value in settings.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def without(content: Any, keys: Collection[str]) -> Any:
    """Nested mappings and lists without these keys, wherever they stand."""
    if isinstance(content, Mapping):
        return {key: without(value, keys) for key, value in content.items() if key not in keys}
    return [without(value, keys) for value in content] if isinstance(content, list) else content
