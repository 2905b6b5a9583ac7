"""`python -m stages.leakage`: what images of one patient on both sides of a split are worth."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.command import run_stage
from bycase.core.files import write_csv, write_json
from bycase.core.params import load_params
from bycase.core.seeding import generator
from bycase.datasets.duplicates import read_duplicates
from bycase.datasets.fingerprints import read_made_by
from bycase.datasets.splits.groups import join_duplicates
from bycase.figures.leakage import draw_leakage
from bycase.figures.style import data_words, save_figure
from bycase.statistics.leakage.draw import draw_groups
from bycase.statistics.leakage.levels import LEVELS, find_levels
from bycase.statistics.leakage.meter import METRICS, MOST_IMAGES, measure_leakage, read_features
from bycase.statistics.leakage.probe import probe_group, probe_magnification
from bycase.tables.manifest import patients_note, read_manifest

LEAKAGE = Path("metrics/leakage.json")
TABLE = Path("plots/leakage.csv")
FIGURE = Path("plots/leakage.png")


def main() -> None:
    """Write ``metrics/leakage.json``, its table and its figure."""
    params = load_params()
    chosen = params.leakage
    manifest = read_manifest()
    manifest = manifest.assign(group=join_duplicates(manifest, read_duplicates()))
    n_images = len(manifest)
    manifest = manifest.iloc[draw_groups(manifest["group"], MOST_IMAGES, generator(params.seed, "leakage", "patients"))]
    if len(manifest) < n_images:
        logging.info("measured on %d of %d images, of patients drawn at random", len(manifest), n_images)
    levels = find_levels(manifest, chosen.folds)
    for level, reason in levels.left_out.items():
        logging.info("split by %s left out: %s", level, reason)
    features, made_by = read_features(manifest["image"]), read_made_by()
    content = measure_leakage(
        features,
        manifest,
        levels,
        folds=chosen.folds,
        repeats=chosen.repeats,
        logistic_C=chosen.logistic_C,
        seed=params.seed,
    )
    content["probe"] = {
        "group": probe_group(features, manifest, chosen.permutations, params.seed),
        "magnification": probe_magnification(features, manifest, chosen.permutations, params.seed),
    }
    content |= {"n_images_in_all": n_images, **patients_note(params.data.names_patient)}
    name = data_words(params.dataset, params.data.source == "phantom")
    weights = {"imagenet": "ImageNet"}.get(made_by["weights"], made_by["weights"])
    network = f"{made_by['model']}, {weights} weights, frozen; a linear head on its features"
    units = "cases" if levels.strictest == "case" else "groups"
    size = f"{name}: {content['n_images']:,} images in {content['n_patients']:,} {units}"
    if content["n_images"] < n_images:
        size = f"{size}, drawn of {n_images:,} images"

    write_json(LEAKAGE, content)
    write_csv(TABLE, tabulate(content))
    save_figure(FIGURE, draw_leakage(content, [network, size]))
    for level in levels.groups:
        scores = content[level]
        logging.info("split by %s: AUC %.3f, accuracy %.3f", level, scores["auc"], scores["accuracy"])
    logging.info("inflation by splitting by image: %.1f points of AUC", content["inflation"]["auc"])


def tabulate(content: dict[str, Any]) -> pd.DataFrame:
    """One row a level, with the metrics and their limits, for ``dvc plots``."""
    rows = []
    for level in LEVELS:
        if (scores := content[level]) is not None:
            row: dict[str, str | float] = {"level": level}
            for metric in METRICS:
                limits = scores["ci"][metric]
                row |= {metric: scores[metric], f"{metric}_low": limits["low"], f"{metric}_high": limits["high"]}
            rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    run_stage("leakage", main)
