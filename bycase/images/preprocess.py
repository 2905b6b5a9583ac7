"""One restructured image preprocessed, and what all training images have in common."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.core.parallel import map_on_all_cores
from bycase.core.params_data import PreprocessParams
from bycase.images.contrast import enhance_contrast, reduce_noise
from bycase.images.pixels import read_pixels
from bycase.images.stain_normalisation import measure_stain, normalise_stain, usual_stain
from bycase.tables.results import read_results

FITTED = Path("data/preprocess.json")


@dataclass(frozen=True)
class Steps:
    """What is done to every image: the parameters, and the stain that was fitted."""

    params: PreprocessParams
    target: dict[str, list[Any]] | None

    @property
    def change_nothing(self) -> bool:
        """Whether images stay as they are."""
        return self.params.stain == "none" and not self.params.clip_limit and not self.params.denoise


@dataclass(frozen=True)
class Task:
    """One image: where it is read, where it goes, what is done to it."""

    folder: Path
    image: str
    target: Path
    steps: Steps


def fit_steps(params: PreprocessParams, training: list[str], folder: Path) -> Steps:
    """Fit what `params` ask for on training images only (paths below `folder`, ``data/restructured``)."""
    if params.stain == "none":
        return Steps(params, None)
    jobs = [(folder, image, params.stain) for image in training]
    measured = [stain for stain in map_on_all_cores(_measure, jobs, "fit") if stain is not None]
    return Steps(params, usual_stain(measured) if measured else None)


def read_steps(path: Path = FITTED) -> Steps:
    """Read what the stage has fitted, to do the same to other images."""
    content = read_results(path, "preprocess")
    params = PreprocessParams(**{name: content[name] for name in PreprocessParams.model_fields})
    return Steps(params, content["target"])


def _measure(job: tuple[Path, str, str]) -> dict[str, list[Any]] | None:
    folder, image, method = job
    return measure_stain(read_pixels([image], folder)[0], method)


def apply_steps(image: NDArray[np.uint8], steps: Steps) -> tuple[NDArray[np.uint8], bool]:
    """Denoise, normalise the stain, enhance the contrast, in this order, as far as asked for.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8
        RGB.
    steps : Steps
        Of `fit_steps`.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        RGB.
    bool
        Whether the stain was left as it is, for want of tissue.
    """
    left = False
    if steps.params.denoise:
        image = reduce_noise(image, steps.params.denoise)
    if steps.params.stain != "none":
        normalised = normalise_stain(image, steps.params.stain, steps.target) if steps.target else None
        left = normalised is None
        image = image if normalised is None else normalised
    if steps.params.clip_limit:
        image = enhance_contrast(image, steps.params.clip_limit)
    return image, left


def write_image(task: Task) -> bool:
    """Preprocess one image file, or link it where nothing is done to it; whether the stain was left as it is."""
    source = task.folder / task.image
    if task.steps.change_nothing:
        try:
            os.link(source, task.target)
        except OSError:
            task.target.write_bytes(source.read_bytes())
        return False
    image, left = apply_steps(read_pixels([task.image], task.folder)[0], task.steps)
    Image.fromarray(image).save(task.target, format="PNG", compress_level=1)
    return left
