"""Named pairs of duplicates that a person has looked at and lets pass."""

import json
from collections.abc import Collection, Sequence

from bycase.core.errors import UserError


def parse_waivers(pairs: Sequence[Sequence[str]], images: Collection[str], key: str) -> list[tuple[str, str]]:
    """Read waived pairs and sort the two names of each.

    Parameters
    ----------
    pairs : sequence of two names each, in either order
        As in `params.yaml`.
    images : collection of str
        All images of the manifest, paths below ``data/restructured``.
    key : str
        Where in `params.yaml` the pairs stand, for messages.

    Returns
    -------
    list of (str, str)
        The smaller name first.

    Raises
    ------
    UserError
        If a pair is not two different images that exist.
    """
    known = set(images)
    checked = []
    for pair in pairs:
        if len(set(pair)) != 2 or len(pair) != 2:
            raise UserError(f"{key}: {write_waiver(*pair)} is not a list of two different images")
        for name in pair:
            if name not in known:
                raise UserError(f"{key}: no image {name} in data/manifest.csv; write it as there, or remove the waiver")
        first, second = sorted(pair)
        checked.append((first, second))
    return checked


def write_waiver(*pair: str) -> str:
    """A pair as it may stand in `params.yaml`."""
    return json.dumps(pair, ensure_ascii=False)
