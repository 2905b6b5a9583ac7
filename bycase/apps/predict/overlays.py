"""Each picture with what speaks for its class laid over it."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from bycase.apps.classifier.classifier import Classifier
from bycase.core.errors import UserError
from bycase.statistics.units import Integers

WriteOverlays = Callable[[Sequence[str], NDArray[np.uint8], Integers], list[str]]
MakeOverlays = Callable[[Path], WriteOverlays]
_UNSAFE = re.compile(r"[^\w.-]")
_LONGEST_STEM = 100


def overlay_writer(classifier: Classifier, folder: Path) -> WriteOverlays:
    """Prepare to write overlays into `folder`, numbered in the order in which they come.

    Returns
    -------
    callable
        From names, prepared images (n, size, size, 3) uint8 and the classes called (n,) to the files' names.

    Raises
    ------
    UserError
        If the classifier runs in another runtime than Keras.
    """
    from bycase.explain.images import make_explainer
    from bycase.explain.overlay import write_overlays

    if classifier.network is None:
        raise UserError("--explain looks into the network, which only --runtime keras allows")
    explain = make_explainer(classifier.network, batch_size=classifier.batch_size)
    written = 0

    def write(names: Sequence[str], images: NDArray[np.uint8], called: Integers) -> list[str]:
        nonlocal written
        stems = [overlay_name(written + n, name) for n, name in enumerate(names)]
        written += len(names)
        return [path.name for path in write_overlays(folder, stems, images, explain(images, called))]

    return write


def overlay_name(number: int, name: str) -> str:
    """A file name without suffix that no other image has, whatever the image is called."""
    stem = _UNSAFE.sub("_", PurePosixPath(name).stem)[:_LONGEST_STEM]
    return f"{number:06d}_{stem}"
