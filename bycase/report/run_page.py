"""The report of one network."""

from pathlib import Path

from bycase.core.wording import capitalise
from bycase.report.aggregation import aggregation_blocks
from bycase.report.blocks import Block, Listing, Page, Section, Text, missing
from bycase.report.decisions import decision_tables, interaction_tables
from bycase.report.documents import make_documents
from bycase.report.explanations import explanation_section
from bycase.report.external import external_section
from bycase.report.failures import failure_section, find_errors
from bycase.report.inputs import FIGURES, Run, read_run
from bycase.report.provenance import cost_rows, production_section
from bycase.report.sections import (
    analysis_section,
    calibration_table,
    class_table,
    constant_table,
    data_section,
    figure_or_note,
    leakage_section,
    main_numbers,
    operating_table,
    results_table,
    robustness_blocks,
    subgroup_tables,
    uncertainty_blocks,
)
from bycase.report.study import study_of_run
from bycase.report.words import PHANTOM, headline, leak_words, missing_words, power_words
from bycase.tables.manifest import PATIENTS_UNKNOWN

# Neither clock nor machine nor the commit of the day is in the page: the same run gives the same bytes.
PROVENANCE = (
    ("commands", "dvc repro; then python -m stages.report"),
    ("commit", "the one whose dvc.lock has these hashes: git log -S MD5 -- dvc.lock"),
    ("machine, time and energy", "metrics/cost.json"),
)
# Figures by name: the text for those who do not see it, and the caption.
FIGURE_WORDS = {
    "roc": ("ROC curves; AUC by image {}", "ROC curves of the test set."),
    "precision_recall": ("Precision-recall curves of the test set", "Precision-recall curves."),
    "confusion": ("Confusion matrices of the test set", "Confusion matrices: counts and shares."),
    "subgroups": ("Metrics by subgroup with intervals", "The same metrics by subgroup."),
    "learning_curves": (
        "Loss, accuracy and AUC of training and validation by epoch",
        "Learning curves: training and validation by epoch, or by setting of a head that is fitted at once.",
    ),
    "sanity": ("Sanity checks of the training as panels", "The same checks as a figure."),
    "calibration": (
        "Reliability diagram: observed share against predicted probability",
        "Reliability: observed share against predicted probability.",
    ),
    "decisions": (
        "Net benefit of the classifier, of acting on all and of acting on none by threshold",
        "Decision curve: net benefit by the probability from which one acts.",
    ),
}


def run_documents(images: bool) -> dict[str, str]:
    """The documents of the run in the current folder; see `bycase.report.documents.make_documents`.

    Parameters
    ----------
    images : bool
        Whether the page may show images of the data set.

    Raises
    ------
    UserError
        If a file that every run has is missing.
    """
    run = read_run()
    return make_documents(run_page(run, images), study_of_run(run))


def run_page(run: Run, images: bool) -> Page:
    """The page of a run; `images` is whether it may show images of the data set."""
    run_info, optional = run.run_info, run.optional
    levels = run_info.levels
    leaks = run_info.protocol.get("cases_on_both_sides", 0)
    warnings = [PHANTOM] if run_info.model_info["phantom"] else []
    # Where somebody has waived a pair, the split's own section says so.
    pairs = (
        run_info.protocol.get("duplicates_on_both_sides", 0) if run_info.protocol["protocol"] == "supplied_leaky" else 0
    )
    if leaks or pairs:
        warnings.append(leak_words(leaks, pairs))
    if not run_info.patients_known:
        warnings.append(f"{capitalise(PATIENTS_UNKNOWN)}.")
    return Page(
        kicker="Report of one network",
        title=f"{run_info.network}, on {run_info.data}",
        warning=" ".join(warnings) or None,
        headline=[
            *headline(run_info.network, run_info.data, run_info.size, levels),
            f"{capitalise(run_info.split)}. {leak_words(leaks, pairs, run_info.patients_known)} "
            f"{missing_words(run.data.restructure)}.",
        ],
        numbers=main_numbers(levels),
        sections=[
            _results(run),
            data_section(run.data, images),
            leakage_section(optional.get("leakage")),
            _training(run),
            _calibration(run),
            *_decisions(run),
            analysis_section(
                FIGURES / "uncertainty.png",
                "Uncertainty",
                optional.get("uncertainty"),
                uncertainty_blocks,
                "Risk-coverage curves and coverage of conformal sets",
                "Risk against coverage, and conformal coverage.",
            ),
            analysis_section(
                FIGURES / "robustness.png",
                "Robustness",
                optional.get("robustness"),
                robustness_blocks,
                "AUC and accuracy by corruption and severity",
                "By corruption and severity.",
            ),
            external_section(optional.get("external"), FIGURES / "external.png"),
            explanation_section(optional.get("explain"), FIGURES, images),
            _failures(run, images),
            _comparison(run),
            production_section(
                [*PROVENANCE, *cost_rows(run.cost)], {"params.yaml": run.params_text}, [Path("dvc.lock")]
            ),
        ],
        clusters=run_info.clusters,
    )


def _figure(name: str, *values: str) -> Block:
    alt, caption = FIGURE_WORDS[name]
    return figure_or_note(FIGURES / f"{name}.png", alt.format(*values), caption, "dvc repro plot")


def _results(run: Run) -> Section:
    levels, clusters = run.run_info.levels, run.run_info.clusters
    subgroups = run.run_info.metrics.get("subgroups", {})
    blocks: list[Block] = [
        results_table(levels, clusters),
        constant_table(levels, clusters),
        *aggregation_blocks(run.run_info.metrics, run.run_info.patients_known),
        *class_table(levels["image"], clusters),
        *operating_table(levels, clusters),
        _figure("roc", run.run_info.value("image", "auc")),
        _figure("precision_recall"),
        _figure("confusion"),
        *subgroup_tables(subgroups, clusters),
        *interaction_tables(run.run_info.metrics.get("interactions", {}), tuple(levels)),
        *([_figure("subgroups")] if subgroups else []),
    ]
    return Section("results", "Results on the test set", blocks)


def _decisions(run: Run) -> list[Section]:
    """Nothing without a positive class."""
    tables = decision_tables(run.run_info.metrics.get("decisions", {}), run.run_info.clusters)
    return [Section("decisions", "What decisions are worth", [*tables, _figure("decisions")])] if tables else []


def _training(run: Run) -> Section:
    checks = [line for line in run.sanity if line.startswith(("passed", "WARNED"))]
    listed = Listing(checks) if checks else missing("sanity checks", "dvc repro plot")
    blocks = [_figure("learning_curves"), listed, _figure("sanity")]
    return Section("training", "Training: learning curves and sanity checks", blocks)


def _calibration(run: Run) -> Section:
    calibration = run.run_info.metrics.get("calibration")
    table = (
        calibration_table({f"by {level}": calibration[level] for level in run.run_info.levels}, run.run_info.clusters)
        if calibration
        else missing("temperature scaling", "dvc repro evaluate")
    )
    return Section("calibration", "Calibration", [table, _figure("calibration")])


def _failures(run: Run, images: bool) -> Section:
    run_info, manifest = run.run_info, run.data.manifest
    predictions = run.predictions.assign(
        patient=run.predictions["image"].map(manifest.set_index("image")["group"]),
        threshold=run_info.metrics["image"].get("threshold"),
    )
    predicted = find_errors(predictions, manifest, run_info.classes, run_info.model_info["positive"])
    return failure_section(predicted, run_info.model_info["model"], "the test set", images, run_info.patients_known)


def _comparison(run: Run) -> Section:
    blocks: list[Block] = [
        Text("This report covers one network and supports no claim about two. To compare networks, run:"),
        Listing(
            [
                "bycase compare EXPERIMENT_A EXPERIMENT_B, for two runs on the same test set",
                "bycase benchmark run, for networks x folds",
            ]
        ),
        Text(power_words(run.data.power)),
    ]
    return Section("comparison", "Comparison with other networks", blocks)
