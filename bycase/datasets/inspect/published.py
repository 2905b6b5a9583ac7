"""The published data sets that are recognised by their names, and the entries that they have in `params.yaml`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bycase.datasets.layouts import breakhis, busi, ham10000
from bycase.datasets.layouts.listing import is_image, is_mask

LEAST_SHARE = 0.9  # of the images must bear a name as published
_HAM_IMAGE = re.compile(r"ISIC_\d{7}", re.IGNORECASE)
_HAM_TABLE = re.compile(r"HAM10000_metadata.*|ISIC2018_Task3_.*GroundTruth\.csv", re.IGNORECASE)
_BUSI_IMAGE = re.compile(r"(benign|malignant|normal) ?\(\d+\)", re.IGNORECASE)
_REST = {
    "max_unpacked_gb": 20,
    "folders": None,
    "table": None,
    "task": None,
    "image_size": 224,
    "resize": "squash",
    "max_bad_share": 0.01,
    "weights": "imagenet",
}


def recognise(files: Sequence[Path]) -> dict[str, Any] | None:
    """The entry of the published data set that files are of, but for source and path; None for any other."""
    images = [path for path in files if is_image(path) and not is_mask(path)]
    if _share(images, _is_breakhis):
        return _REST | {
            "layout": "breakhis",
            "classes": list(breakhis.CLASSES.values()),
            "positive": "Malignant",
            "task": "binary",
        }
    if _share(images, lambda path: _BUSI_IMAGE.fullmatch(path.stem) is not None):
        return _REST | {"layout": "busi", "classes": list(busi.CLASSES.values()), "positive": None}
    tables = any(_HAM_TABLE.fullmatch(path.name) for path in files)
    if tables and _share(images, lambda path: _HAM_IMAGE.match(path.stem) is not None):
        return _REST | {"layout": "ham10000", "classes": list(ham10000.FULL_COUNTS), "positive": None}
    return None


def _share(images: Sequence[Path], test: Any) -> bool:
    return bool(images) and sum(map(test, images)) >= LEAST_SHARE * len(images)


def _is_breakhis(path: Path) -> bool:
    try:
        breakhis.parse_name(path.name)
    except ValueError:
        return False
    return True
