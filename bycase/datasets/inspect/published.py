"""The published data sets that are recognised by their names, and the entries that they have in `params.yaml`."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bycase.datasets.layouts import breakhis, busi, ham10000
from bycase.datasets.layouts.listing import is_image, is_mask

LEAST_SHARE = 0.9  # of the images must bear a name as published
_HAM_IMAGE = re.compile(r"ISIC_\d{7}", re.IGNORECASE)
_HAM_TABLE = re.compile(r"HAM10000_metadata.*|ISIC2018_Task3_.*GroundTruth\.csv", re.IGNORECASE)
_BUSI_IMAGE = re.compile(r"(benign|malignant|normal) ?\(\d+\)", re.IGNORECASE)


def recognise(files: Sequence[Path]) -> dict[str, Any] | None:
    """The entry of the published data set that files are of, but for source and path; None for any other."""
    images = [path for path in files if is_image(path) and not is_mask(path)]
    if _share(images, _is_breakhis):
        return _entry("breakhis", list(breakhis.CLASSES.values()), "Malignant", "binary")
    if _share(images, lambda path: _BUSI_IMAGE.fullmatch(path.stem) is not None):
        return _entry("busi", list(busi.CLASSES.values()))
    tables = any(_HAM_TABLE.fullmatch(path.name) for path in files)
    if tables and _share(images, lambda path: _HAM_IMAGE.match(path.stem) is not None):
        return _entry("ham10000", list(ham10000.FULL_COUNTS))
    return None


def _entry(layout: str, classes: list[str], positive: str | None = None, task: str | None = None) -> dict[str, Any]:
    return {
        "layout": layout,
        "folders": None,
        "table": None,
        "classes": classes,
        "positive": positive,
        "task": task,
        "image_size": 224,
        "resize": "squash",
        "max_bad_share": 0.01,
        "value_range": None,
        "weights": "imagenet",
    }


def _share(images: Sequence[Path], test: Callable[[Path], bool]) -> bool:
    return bool(images) and sum(map(test, images)) >= LEAST_SHARE * len(images)


def _is_breakhis(path: Path) -> bool:
    try:
        breakhis.parse_name(path.name)
    except ValueError:
        return False
    return True
