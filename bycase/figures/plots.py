"""What `plots/` holds of a run: tables, figures and texts, by the name of the file without suffix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bycase.core.wording import sample_words
from bycase.explain.artifacts import FILE, ExplainArtifacts, mean_curves, read_artifacts
from bycase.explain.artifacts import FOLDER as MAPS
from bycase.explain.artifacts import RESULTS as EXPLAINED
from bycase.explain.sanity import judge
from bycase.figures.confusion import confusion_table, draw_confusion, write_report
from bycase.figures.corruptions import choose_pictures, draw_corruptions
from bycase.figures.curves import PRECISION_RECALL, ROC, draw_curves
from bycase.figures.decisions import draw_decisions
from bycase.figures.deletion import compare_words, draw_deletion
from bycase.figures.explanation_sanity import draw_sanity
from bycase.figures.explanations import draw_examples
from bycase.figures.external import draw_external
from bycase.figures.grid import choose_examples, draw_grid
from bycase.figures.reliability import draw_reliability, reliability_tables, scale_known
from bycase.figures.robustness import draw_robustness
from bycase.figures.run_info import RunInfo
from bycase.figures.subgroups import draw_subgroups
from bycase.figures.uncertainty import draw_uncertainty
from bycase.images.pixels import read_pixels
from bycase.statistics.decisions import decision_curve
from bycase.statistics.external import read_external
from bycase.statistics.robustness.summary import curves_table
from bycase.statistics.robustness.table import RESULTS as ROBUSTNESS
from bycase.statistics.uncertainty.summary import tabulate_risk
from bycase.statistics.uncertainty.table import FOLDER, RESULTS, SETS, TEST, read_uncertainty, sets_of
from bycase.statistics.units import Units, patient_units
from bycase.tables.results import read_results


@dataclass(frozen=True)
class Plots:
    """Tables, figures and texts by their file's name without suffix."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def __or__(self, other: "Plots") -> "Plots":
        """Both together."""
        return Plots(self.tables | other.tables, self.figures | other.figures, self.texts | other.texts)


def plot_test(images: Units, names: Sequence[str], run_info: RunInfo) -> Plots:
    """The test images: curves, confusion, calibration, subgroups and a grid of predictions.

    `names` are the images' files, in their order; UserError if one is missing.
    """
    seed = run_info.model_info["seed"]
    units = {"image": images}
    if run_info.patients_known:
        units["patient"] = patient_units(replace(images, pooling=run_info.pooling), run_info.threshold("patient"))
    examples = choose_examples(images, seed)
    pixels = read_pixels([names[index] for index in np.concatenate(examples)])
    reliability = reliability_tables(units, run_info)
    decided = plot_decisions(units, run_info)
    return decided | Plots(
        tables={
            "roc": ROC.table(images),
            "precision_recall": PRECISION_RECALL.table(images),
            "confusion": confusion_table(images),
            "calibration": reliability["image"]["before"],
        },
        figures={
            "roc": draw_curves(ROC, units, run_info),
            "precision_recall": draw_curves(PRECISION_RECALL, units, run_info),
            "confusion": draw_confusion(units, run_info),
            "calibration": draw_reliability(reliability, units, run_info),
            "predictions": draw_grid(pixels, images, examples, run_info),
            "subgroups": draw_subgroups(run_info),
        },
        texts={"classification_report": write_report(units, run_info)},
    )


def plot_decisions(units: Mapping[str, Units], run_info: RunInfo) -> Plots:
    """The decision curve of patients, or of images where patients are unknown; nothing without a positive class."""
    *_, (level, plain) = units.items()
    if plain.positive is None:
        return Plots()
    prevalence = run_info.metrics["decisions"].get("prevalence")
    table = decision_curve(scale_known(plain, level, run_info), prevalence, run_info.model_info["seed"])
    return Plots({"decisions": table}, {"decisions": draw_decisions(table, level, prevalence, run_info)})


def plot_uncertainty(images: Units, run_info: RunInfo) -> Plots:
    """The `uncertainty` stage: risk against coverage, and prediction sets; UserError if its results are missing."""
    classes, seed = run_info.classes, run_info.model_info["seed"]
    table, content = read_uncertainty(FOLDER / TEST), read_results(RESULTS, "uncertainty")
    curve = tabulate_risk(table, classes, images.patient, None, seed)
    sets = {level: sets_of(table, level, classes) for level in SETS}
    return Plots({"risk_coverage": curve}, {"uncertainty": draw_uncertainty(content, curve, sets, images, run_info)})


def plot_robustness(predictions: pd.DataFrame, run_info: RunInfo) -> Plots:
    """The `robustness` stage: scores by corruption and severity, and what each corruption looks like.

    `predictions` are of the test part; UserError if the stage's results or an image are missing.
    """
    summary, classes, seed = read_results(ROBUSTNESS, "robustness"), run_info.classes, run_info.model_info["seed"]
    corruptions = list(summary["corruptions"])
    severities = [int(severity) for severity in summary["by_severity"]]
    names, labels = choose_pictures(predictions, classes, seed), [classes[0], classes[-1]]
    strip = draw_corruptions(read_pixels(names), names, labels, corruptions, severities, seed, [run_info.data])
    curves = draw_robustness({run_info.model_info["model"]: summary}, run_info.subtitle)
    return Plots({"robustness": curves_table(summary)}, {"robustness": curves, "corruptions": strip})


def plot_external(run_info: RunInfo) -> Plots:
    """The `external` stage: both data sets and the change; nothing without an external test set."""
    content = read_external()
    return Plots(figures={"external": draw_external(content, run_info.subtitle)} if content else {})


def plot_explanations(run_info: RunInfo) -> Plots:
    """The `explain` stage: maps, their sanity check, deletion and insertion; UserError if its results are missing."""
    content, artifacts = read_results(EXPLAINED, "explain"), read_artifacts(MAPS / FILE)
    subtitle = [f"{run_info.network}; {run_info.data}", run_info.split]
    figures = draw_explanations(content, artifacts, subtitle)
    return Plots({"deletion": mean_curves(artifacts.orders, artifacts.curves)}, figures)


def draw_explanations(
    content: Mapping[str, Any], artifacts: ExplainArtifacts, subtitle: Sequence[str]
) -> dict[str, Figure]:
    """Draw the three figures about the maps.

    Parameters
    ----------
    content : mapping
        ``metrics/explain.json``.
    artifacts : ExplainArtifacts
        What they show.
    subtitle : sequence of str
        Names network and data, and how they were split.
    """
    method = artifacts.method
    *head, last = subtitle
    scored = [*head, f"{last}; {sample_words(content['n'], content, 'test image')}, drawn at random"]
    verdict = f"Sanity check {judge(content['sanity'][method])}"
    title = f"Deletion score: {compare_words(content, method)}"
    return {
        "explanations": draw_examples(artifacts.rows, title, [*subtitle, verdict]),
        "explanation_sanity": draw_sanity(content, artifacts, scored),
        "deletion": draw_deletion(content, artifacts, scored),
    }
