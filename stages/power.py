"""`python -m stages.power`: what difference between two models the data can resolve, before any is trained."""

import logging
import sys
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.params import load_params
from bycase.datasets.duplicates import read_duplicates
from bycase.datasets.splits.groups import join_duplicates
from bycase.figures.power import draw_power
from bycase.figures.style import data_words, save_figure
from bycase.statistics.power.clusters import count_sample, rarest_class
from bycase.statistics.power.resolution import Assumptions, format_table, resolution, resolution_curves
from bycase.tables.manifest import patients_note, read_manifest
from bycase.tables.splits import SPLITS, read_splits

POWER = Path("metrics/power.json")
FIGURE = Path("plots/power.png")


def main() -> None:
    """Write ``metrics/power.json``, its figure, and print it as a table."""
    params = load_params()
    manifest = read_manifest()
    manifest = manifest.assign(group=join_duplicates(manifest, read_duplicates()))
    positive = params.data.positive or rarest_class(manifest)
    images, test = manifest, None
    if SPLITS.is_file():
        splits = read_splits()
        # A split may leave magnifications out; neither comparison then has those images.
        images = manifest[manifest["image"].isin(splits["image"])]
        tested = images[images["image"].isin(splits["image"][splits["part"] == "test"])]
        if tested.empty:
            raise UserError(f"{SPLITS}: no test image is in data/manifest.csv; run 'dvc repro split'")
        test = count_sample(tested, positive)
    else:
        logging.warning("%s not found: only cross-validation over all patients is considered", SPLITS)
    everyone, assumed = count_sample(images, positive), Assumptions(**params.power.model_dump())
    content = resolution(everyone, test, assumed, positive) | patients_note(params.data.names_patient)
    name = data_words(params.dataset, params.data.source == "phantom")
    patients = f" of {everyone.n_patients:,} patients" if params.data.names_patient else "; patients unknown"
    size = f"{name}: {everyone.n_images:,} images{patients}"
    write_json(POWER, content)
    save_figure(FIGURE, draw_power(content, resolution_curves(everyone, assumed), [size]))
    sys.stdout.write(format_table(content))


if __name__ == "__main__":
    run_stage("power", main)
