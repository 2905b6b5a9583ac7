"""`python -m stages.preprocess`: stain, contrast and noise as params ask, fitted on the training images."""

import logging
from pathlib import Path

import numpy as np

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_json
from bycase.core.parallel import map_on_all_cores
from bycase.core.params import Params, load_params
from bycase.core.seeding import generator
from bycase.figures.preprocessing import draw_before_after
from bycase.figures.style import data_words, save_figure
from bycase.images.pixels import read_pixels
from bycase.images.preprocess import FITTED, Steps, Task, apply_steps, fit_steps, write_image
from bycase.tables.manifest import PREPROCESSED, RESTRUCTURED, read_manifest
from bycase.tables.splits import read_splits

FIGURE = Path("plots/preprocess.png")
EXAMPLES = 6


def main() -> None:
    """Write every image preprocessed, what was fitted, and a figure of examples."""
    params = load_params()
    images, splits = read_manifest()["image"].tolist(), read_splits()
    training = sorted(splits.loc[splits["part"] == "train", "image"])
    steps = fit_steps(params.preprocess, training, RESTRUCTURED)
    with replace_folder(PREPROCESSED) as folder:
        for label in sorted({Path(image).parent for image in images}):
            (folder / label).mkdir(parents=True)
        tasks = [Task(RESTRUCTURED, image, folder / image, steps) for image in images]
        left = sum(map_on_all_cores(write_image, tasks, "preprocess"))
    write_json(FITTED, {**params.preprocess.model_dump(), "target": steps.target, "stain_left_as_it_is": left})
    _draw_examples(params, training, steps)
    logging.info("%s; %d images, %d without enough tissue for their stain", describe(steps), len(images), left)


def describe(steps: Steps) -> str:
    """What is done to the images, in words."""
    if steps.change_nothing:
        return "images unchanged"
    words = [
        f"noise reduced (h {steps.params.denoise:g})" if steps.params.denoise else "",
        f"stain normalised ({steps.params.stain.capitalize()})" if steps.params.stain != "none" else "",
        f"contrast enhanced (CLAHE {steps.params.clip_limit:g})" if steps.params.clip_limit else "",
    ]
    return ", ".join(filter(None, words))


def _draw_examples(params: Params, training: list[str], steps: Steps) -> None:
    chosen = generator(params.seed, "preprocess", "figure").choice(len(training), min(EXAMPLES, len(training)), False)
    names = [training[i] for i in sorted(chosen)]
    before = read_pixels(names, RESTRUCTURED)
    after = np.stack([apply_steps(image, steps)[0] for image in before])
    data = data_words(params.dataset, params.data.source == "phantom")
    labels = [Path(name).parent.name for name in names]
    save_figure(FIGURE, draw_before_after(before, after, labels, [describe(steps), data]))


if __name__ == "__main__":
    run_stage("preprocess", main)
