"""`python -m stages.augment`: a figure of what random changes do to training images."""

import logging
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.core.params_training import AugmentParams
from bycase.core.seeding import make_deterministic
from bycase.figures.augmentations import CHANGES, choose_examples, draw_augmentations, make_columns
from bycase.figures.style import data_words, save_figure
from bycase.images.pixels import read_pixels
from bycase.tables.splits import read_splits

FIGURE = Path("plots/augmentations.png")


def main() -> None:
    """Draw a few images of the training part with every change alone and with those that are on together."""
    params = load_params()
    splits = read_splits()
    names = choose_examples(splits.loc[splits["part"] == "train", "image"].tolist(), params.seed)
    make_deterministic(params.seed)
    columns = make_columns(read_pixels(names), params.augment, params.seed)
    subtitle = [data_words(params.dataset, params.data.source == "phantom")]
    labels = [Path(name).parent.name for name in names]
    save_figure(FIGURE, draw_augmentations(columns, labels, subtitle))
    logging.info("%s", describe(params.augment))


def describe(params: AugmentParams) -> str:
    """What is on and how strong, in words."""
    on = [f"{name} {getattr(params, name)}" for name, (off, _) in CHANGES.items() if getattr(params, name) != off]
    return ", ".join(on) if on else "nothing is on"


if __name__ == "__main__":
    run_stage("augment", main)
