"""Sections that both reports have: results at each level, data, leakage, calibration, uncertainty, robustness."""

from collections.abc import Mapping
from pathlib import Path

from bycase.core.wording import DASH, Numbers, count, metric_with_interval, percent, share, tenths
from bycase.report.blocks import Block, Figure, Section, Table, Text, missing
from bycase.report.page import prose
from bycase.report.pictures import embed_figure
from bycase.report.words import leakage_words, metric_rows, power_words, robustness_words, uncertainty_words
from bycase.statistics.metric_names import metric_words, short_metric_words

MAIN = ("auc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "precision", "f1")
SUBGROUP = ("auc", "accuracy", "sensitivity", "specificity", "macro_f1")
FURTHER = ("macro_f1", "mcc", "brier", "log_loss", "recognition_rate")
INTERVALS = "95 % intervals in brackets resample patients."
METHODS = {"plain": "one prediction", "mc_dropout": "MC dropout", "tta": "test-time augmentation"}
LEVEL_NAMES = {"image": "by image", "folder": "by slide folder", "case": "by case", "group": "by group"}
NO_IMAGES = (
    "This copy holds no image of the data set: it was made with --no-images, as images of a data set may not be passed "
    "on with the report."
)


def figure_or_note(path: Path, alt: str, caption: str, command: str) -> Figure | Text:
    """A figure of the pipeline, or what makes it."""
    return embed_figure(path, alt, caption) if path.exists() else missing(f"The figure {path.name}", command)


def results_table(levels: Mapping[str, Numbers]) -> Table:
    """Every metric by image and by patient, beside that of a constant prediction."""
    image, patient = levels["image"], levels["patient"]
    columns = (image, image["baseline"], patient, patient["baseline"])
    caption = (
        f"Test metrics: {count(image['n'])} images, {count(patient['n'])} patients. {INTERVALS} Constant: the training "
        "part's majority class for every image."
    )
    header = ("metric", "by image", "constant", "by patient", "constant")
    return Table(caption, header, metric_rows(columns, (*MAIN, *FURTHER)))


def class_table(level: Numbers) -> list[Table]:
    """With more than two classes: each against the rest."""
    classes: Mapping[str, Numbers] = level.get("per_class", {})
    metrics = ("auc", "recall", "specificity", "precision", "f1")
    limits = level.get("ci", {}).get("per_class", {})
    rows = [
        (label, *(metric_with_interval({**of, "ci": limits.get(label, {})}, metric) for metric in metrics))
        for label, of in classes.items()
    ]
    header = ("class", "AUC against the rest", "sensitivity", "specificity", "precision", "F1")
    return [Table(f"By image and class. {INTERVALS}", header, rows)] if rows else []


def operating_table(levels: Mapping[str, Numbers]) -> list[Table]:
    """Sensitivity at a given specificity and the reverse, the threshold taken from validation."""
    rows = []
    for level, name in (("image", "by image"), ("patient", "by patient")):
        for point, of in levels[level].get("operating_points", {}).items():
            kept, value = point.rsplit("_", 1)
            cells = [metric_with_interval(of, metric) for metric in ("sensitivity", "specificity")]
            rows.append((f"{kept} {value} % on validation, {name}", share(of["threshold"]), *cells))
    caption = f"Operating points: thresholds that reach a value on validation, and what they give on test. {INTERVALS}"
    return [Table(caption, ("chosen for", "threshold", "sensitivity", "specificity"), rows)] if rows else []


def subgroup_tables(subgroups: Mapping[str, Mapping[str, Mapping[str, Numbers]]]) -> list[Table]:
    """A table for each property that images are told apart by."""
    tables = []
    for kind, values in subgroups.items():
        metrics = [metric for metric in SUBGROUP if any(metric in of["image"] for of in values.values())]
        rows = [
            (
                value,
                count(of["image"]["n"]),
                count(of["image"]["n_patients"]),
                *(metric_with_interval(of["image"], metric) for metric in metrics),
            )
            for value, of in values.items()
        ]
        header = (kind, "images", "patients", *(short_metric_words(metric) for metric in metrics))
        tables.append(
            Table(f"By image and {kind}. {INTERVALS} A dash: not defined, or fewer than 2 patients.", header, rows)
        )
    return tables


def data_section(card: str, power: Numbers, figure: Path, images: bool) -> Section:
    """The data card, with examples where images of the data set may be shown."""
    blocks: list[Block] = [prose(_without_examples(card))]
    if images:
        alt = "Example images of each class"
        blocks.append(figure_or_note(figure, alt, f"{alt}.", "dvc repro card"))
    else:
        blocks.append(Text(NO_IMAGES, "note"))
    return Section("data", "Data card", [*blocks, Text(power_words(power))])


def _without_examples(card: str) -> str:
    """The card without its last section, which is a figure."""
    return card.split("\n## Examples", 1)[0]


def leakage_section(leakage: Numbers | None, figure: Path) -> Section:
    """What images of one patient on both sides of a split are worth."""
    title = "Leakage meter"
    if leakage is None:
        return Section("leakage", title, [missing("The leakage meter", "dvc repro leakage")])
    rows = []
    for level, name in LEVEL_NAMES.items():
        of = leakage.get(level)
        if of:
            gain = of["inflation"]
            metrics = (metric_with_interval(of, metric) for metric in ("auc", "accuracy"))
            rows.append((name, count(of["n_groups"]), *metrics, metric_with_interval(gain, "auc", tenths)))
    caption = f"A linear head on the same features, split in different ways. {INTERVALS}"
    header = ("split", "groups", "AUC", "accuracy", "AUC, points above the strictest")
    alt = (
        "AUC and accuracy of a linear head by split level, and what the features give away of patient and magnification"
    )
    blocks = [
        Text(leakage_words(leakage)),
        Table(caption, header, rows),
        *_probe(leakage.get("probe") or {}),
        figure_or_note(
            figure, alt, "The leakage meter: the same features under every split level.", "dvc repro leakage"
        ),
    ]
    return Section("leakage", title, blocks)


def _probe(probe: Mapping[str, Numbers | None]) -> list[Table]:
    names = {"group": "patient, among those of its class", "magnification": "magnification"}
    rows = [
        (names.get(asked, asked), count(of["n_answers"]), share(of["accuracy"]), share(of["chance"]))
        for asked, of in probe.items()
        if of
    ]
    caption = "What the features give away: share of right answers to a question other than the diagnosis."
    return [Table(caption, ("asked", "answers", "right", "by chance"), rows)] if rows else []


def calibration_table(levels: Mapping[str, Numbers]) -> Table:
    """Calibration before and after temperature scaling.

    Parameters
    ----------
    levels : mapping
        By name of a column pair: each with ``before`` and ``after``.
    """
    metrics = ("ece", "ece_debiased", "brier", "reliability", "resolution", "log_loss", "slope", "intercept")
    columns = [(f"{level}, {when}", of[when]) for level, of in levels.items() for when in ("before", "after")]
    rows = [
        (metric_words(metric), *(metric_with_interval(of, metric) for _, of in columns))
        for metric in metrics
        if any(of.get(metric) is not None for _, of in columns)
    ]
    caption = f"Before and after temperature scaling, which is fitted on validation. {INTERVALS}"
    return Table(caption, ("measure", *(name for name, _ in columns)), rows)


def uncertainty_blocks(uncertainty: Numbers, name: str = "") -> list[Block]:
    """Conformal coverage by image and patient, and accuracy when unsure images are left out."""
    of = f" {name}." if name else ""
    rows = [
        (
            f"calibrated on {level}s",
            percent(uncertainty["coverage"]),
            metric_with_interval(at, "coverage"),
            metric_with_interval(at, "patient_coverage"),
            metric_with_interval(at, "patients_covered"),
            metric_with_interval(at, "size"),
            metric_with_interval(at, "singletons"),
        )
        for level, at in uncertainty["conformal"].items()
    ]
    header = (
        "prediction sets",
        "stated coverage",
        "coverage of images",
        "mean over patients",
        "patients covered",
        "classes a set",
        "sets of one class",
    )
    blocks: list[Block] = [
        Text(uncertainty_words(uncertainty)),
        Table(f"Conformal prediction sets on test.{of} {INTERVALS}", header, rows),
    ]
    selective = [
        (
            METHODS.get(method, method),
            *(metric_with_interval(at, key) for key in ("accuracy_90", "accuracy_80", "aurc")),
        )
        for method, at in uncertainty.get("selective", {}).items()
    ]
    if selective:
        columns = ("confidence from", "accuracy, surest 90 %", "accuracy, surest 80 %", "area under risk-coverage")
        blocks.append(Table(f"Accuracy when the least sure images are left out.{of} {INTERVALS}", columns, selective))
    metrics = ("auc", "accuracy", "brier", "log_loss", "ece")
    methods = [
        (METHODS[method], *(metric_with_interval(uncertainty[method], metric) for metric in metrics))
        for method in METHODS
        if method in uncertainty
    ]
    if methods:
        names = ("prediction", *(short_metric_words(metric) for metric in metrics))
        blocks.append(Table(f"Repeated predictions against a single one.{of} {INTERVALS}", names, methods))
    return blocks


def robustness_blocks(robustness: Numbers, name: str = "") -> list[Block]:
    """What damaged images cost, by kind and severity."""
    of = f" {name}." if name else ""
    severities = sorted({severity for by in robustness["corruptions"].values() for severity in by}, key=int)
    rows = [("none", *(metric_with_interval(robustness["clean"], "auc") for _ in severities))]
    rows += [
        (
            corruption,
            *(metric_with_interval(by[severity], "auc") if severity in by else DASH for severity in severities),
        )
        for corruption, by in robustness["corruptions"].items()
    ]
    header = ("corruption", *(f"severity {severity}" for severity in severities))
    return [
        Text(robustness_words(robustness)),
        Table(f"AUC by image on damaged test images.{of} {INTERVALS}", header, rows),
    ]
