"""The report of one network."""

from pathlib import Path

from bycase.core.wording import Numbers, interval, share
from bycase.report.blocks import Block, Listing, Number, Page, Section, Text, missing
from bycase.report.explanations import explanation_section
from bycase.report.failures import find_mistakes
from bycase.report.gallery import failure_section
from bycase.report.production import production_section
from bycase.report.run import PLOTS, Run
from bycase.report.sections import (
    calibration_table,
    class_table,
    data_section,
    figure_or_note,
    leakage_section,
    operating_table,
    results_table,
    robustness_blocks,
    subgroup_tables,
    uncertainty_blocks,
)
from bycase.report.words import PHANTOM, headline, leak_words, missing_words, power_words

COMMANDS = ("dvc repro", "python -m stages.report")


def run_page(run: Run, images: bool) -> Page:
    """The page of the run in the workspace.

    Parameters
    ----------
    run : Run
        All that is known of it.
    images : bool
        Whether images of the data set may be shown.
    """
    run_info, metrics = run.run_info, run.run_info.metrics
    levels = {level: metrics[level] for level in ("image", "patient")}
    leaks = run_info.protocol.get("cases_on_both_sides", 0)
    warnings = [PHANTOM] if run_info.model_info["phantom"] else []
    if leaks:
        warnings.append(leak_words(leaks))
    optional = run.optional
    return Page(
        kicker="Report of one network",
        title=f"{run_info.network}, on {run_info.data}",
        warning=" ".join(warnings) or None,
        headline=[
            *headline(run_info.network, run_info.data, run_info.size, levels),
            f"{run_info.split[0].upper()}{run_info.split[1:]}. {leak_words(leaks)} {missing_words(run.restructure)}.",
        ],
        numbers=main_numbers(levels),
        sections=[
            _results(run),
            data_section(run.data_card, run.power, PLOTS / "data_card.png", images),
            leakage_section(optional.get("leakage"), PLOTS / "leakage.png"),
            _training(run),
            _calibration(run),
            _uncertainty(optional.get("uncertainty")),
            _robustness(optional.get("robustness")),
            explanation_section(optional.get("explain"), PLOTS, images),
            _failures(run, images),
            _comparison(run),
            production_section(COMMANDS, {"params.yaml": run.params_text}, [Path("dvc.lock")], run.cost),
        ],
    )


def main_numbers(levels: dict[str, Numbers]) -> list[Number]:
    """The four numbers at the head of the page."""
    return [
        Number(
            f"{name} by {level}",
            share(at[metric]),
            [interval(at["ci"][metric]), f"constant prediction {share(at['baseline'][metric])}"],
        )
        for metric, name in (("auc", "AUC"), ("accuracy", "Accuracy"))
        for level, at in levels.items()
    ]


def _results(run: Run) -> Section:
    metrics = run.run_info.metrics
    levels = {level: metrics[level] for level in ("image", "patient")}
    value = run.run_info.value("image", "auc")
    figures = {
        "roc": (f"ROC curves by image and by patient; AUC by image {value}", "ROC curves of the test part."),
        "precision_recall": ("Precision-recall curves by image and by patient", "Precision-recall curves."),
        "confusion": ("Confusion matrices by image and by patient", "Confusion matrices; counts and shares."),
        "subgroups": ("Metrics by subgroup with intervals", "The same metrics by subgroup."),
    }
    curves = [
        figure_or_note(PLOTS / f"{name}.png", *words, "dvc repro plot")
        for name, words in figures.items()
        if name != "subgroups" or metrics.get("subgroups")
    ]
    subgroups = subgroup_tables(metrics.get("subgroups", {}))
    blocks: list[Block] = [
        results_table(levels),
        *class_table(metrics["image"]),
        *operating_table(levels),
        *curves[:3],
        *subgroups,
        *curves[3:],
    ]
    return Section("results", "Results on the test part", blocks)


def _training(run: Run) -> Section:
    checks = [line for line in run.sanity if line.startswith(("passed", "WARNED"))]
    blocks: list[Block] = [
        figure_or_note(
            PLOTS / "learning_curves.png",
            "Loss, accuracy and AUC of training and validation by epoch",
            "Learning curves: training and validation by epoch.",
            "dvc repro plot",
        ),
        Listing(checks) if checks else missing("The sanity checks", "dvc repro plot"),
        figure_or_note(
            PLOTS / "sanity.png",
            "Sanity checks of the training as panels",
            "The same checks, drawn.",
            "dvc repro plot",
        ),
    ]
    return Section("training", "Training: learning curves and sanity checks", blocks)


def _calibration(run: Run) -> Section:
    calibration = run.run_info.metrics.get("calibration")
    blocks: list[Block] = [
        calibration_table({"by image": calibration["image"], "by patient": calibration["patient"]})
        if calibration
        else missing("Temperature scaling", "dvc repro evaluate"),
        figure_or_note(
            PLOTS / "calibration.png",
            "Reliability diagram: observed share against predicted probability",
            "Reliability: observed share against predicted probability.",
            "dvc repro plot",
        ),
    ]
    return Section("calibration", "Calibration", blocks)


def _uncertainty(uncertainty: Numbers | None) -> Section:
    title, command = "Uncertainty", "dvc repro uncertainty"
    if uncertainty is None:
        return Section("uncertainty", title, [missing("Uncertainty", command)])
    alt = "Risk-coverage curves and coverage of conformal sets by patient"
    figure = figure_or_note(PLOTS / "uncertainty.png", alt, "Risk against coverage, and conformal coverage.", command)
    return Section("uncertainty", title, [*uncertainty_blocks(uncertainty), figure])


def _robustness(robustness: Numbers | None) -> Section:
    title, command = "Robustness", "dvc repro robustness"
    if robustness is None:
        return Section("robustness", title, [missing("Robustness", command)])
    figure = figure_or_note(
        PLOTS / "robustness.png", "AUC and accuracy by corruption and severity", "By corruption and severity.", command
    )
    return Section("robustness", title, [*robustness_blocks(robustness), figure])


def _failures(run: Run, images: bool) -> Section:
    run_info = run.run_info
    groups = run.manifest.set_index("image")["group"]
    predictions = run.predictions.assign(
        patient=run.predictions["image"].map(groups), threshold=run_info.metrics["image"].get("threshold")
    )
    positive = run_info.model_info["positive"] if len(run_info.classes) == 2 else None
    called = find_mistakes(predictions, run.manifest, run_info.classes, positive)
    return failure_section(called, run_info.model_info["model"], "the test part", images)


def _comparison(run: Run) -> Section:
    return Section(
        "comparison",
        "Comparison with other networks",
        [
            Text("This report is of one network, and no verdict on two can be read from it. Verdicts come from:"),
            Listing(
                [
                    "bycase compare EXPERIMENT_A EXPERIMENT_B, for two runs on the same test part",
                    "dvc repro benchmark/dvc.yaml and python -m stages.report --benchmark, for networks x folds",
                ]
            ),
            Text(power_words(run.power)),
        ],
    )
