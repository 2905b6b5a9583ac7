"""Sections that both reports have: results at each level, data, leakage, calibration, uncertainty, robustness."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bycase.core.wording import (
    DASH,
    Numbers,
    clusters_of,
    count,
    interval,
    metric_with_interval,
    p_value,
    percent,
    share,
    signed,
    tenths,
    value_with_interval,
)
from bycase.report.blocks import Block, Figure, Number, Section, Table, Text, missing
from bycase.report.inputs import PLOTS, DataSet
from bycase.report.page import embed_figure, prose
from bycase.report.words import leakage_words, metric_rows, power_words, robustness_words, uncertainty_words
from bycase.statistics.metric_names import metric_words, short_metric_words

MAIN = (
    *("auc", "average_precision", "accuracy", "balanced_accuracy"),
    *("sensitivity", "specificity", "precision", "npv", "f1"),
)
FURTHER = ("macro_f1", "mcc", "brier", "log_loss", "recognition_rate")
SUBGROUP = ("auc", "accuracy", "sensitivity", "specificity", "macro_f1")
RANKED = "AUC against the rest"
PER_CLASS = ("auc", "recall", "specificity", "precision", "f1")
CALIBRATION = (
    *("ece_expected", "ece_debiased", "slope", "intercept", "in_the_large"),
    *("brier", "reliability", "resolution", "log_loss"),
)
UNCERTAINTY = ("auc", "accuracy", "brier", "log_loss", "ece")
CONFORMAL = {
    "coverage": "coverage of images",
    "patient_coverage": "mean over patients",
    "patients_covered": "patients covered",
    "size": "classes per set",
    "singletons": "sets of one class",
}
SELECTIVE = {
    "accuracy_90": "accuracy, most confident 90 %",
    "accuracy_80": "accuracy, most confident 80 %",
    "aurc": "area under risk-coverage curve",
}
METHODS = {"plain": "one prediction", "mc_dropout": "MC dropout", "tta": "test-time augmentation"}
HEAD = {"auc": "AUC", "accuracy": "Accuracy"}
LEVELS = {"image": "by image", "patient": "by patient"}
SPLITS = {"image": "by image", "folder": "by slide folder", "case": "by case", "group": "by group"}
PROBES = {"group": "patient, among those of its class", "magnification": "magnification"}
CONSTANT = "Constant: predicting the training set's majority class for every image."
NO_IMAGES = (
    "This copy contains no image of the data set: it was made with --no-images, since the licence of a data set may "
    "not allow its images to be passed on with the report."
)


def intervals_words(clusters: str = "patients") -> str:
    """What stands in brackets; `clusters` is what was counted."""
    return f"In brackets: 95 % intervals over {clusters}."


def intervals_of(numbers: Numbers) -> str:
    """The same for a stage's results, whose ``note`` says that patients are unknown."""
    return intervals_words(clusters_of(numbers))


def main_numbers(levels: Mapping[str, Numbers]) -> list[Number]:
    """The numbers at the head of the page."""
    return [
        Number(
            f"{name} by {level}",
            share(metrics[metric]),
            [interval(metrics["ci"][metric]), f"constant prediction {share(metrics['baseline'][metric])}"],
        )
        for metric, name in HEAD.items()
        for level, metrics in levels.items()
        if metric in metrics
    ]


def figure_or_note(path: Path, alt: str, caption: str, command: str) -> Figure | Text:
    """A figure of the pipeline, or a note on the command that makes it."""
    return embed_figure(path, alt, caption) if path.exists() else missing(f"figure {path.name}", command)


def analysis_section(
    figure: Path, title: str, numbers: Numbers | None, draw: Callable[[Numbers], list[Block]], alt: str, caption: str
) -> Section:
    """The section of an optional stage, which its figure is named after; or the command that makes it."""
    key, command = figure.stem, f"dvc repro {figure.stem}"
    if numbers is None:
        return Section(key, title, [missing(title.lower(), command)])
    return Section(key, title, [*draw(numbers), figure_or_note(figure, alt, caption, command)])


def results_table(levels: Mapping[str, Numbers], clusters: str = "patients", constant: str = CONSTANT) -> Table:
    """Every metric at each level, beside that of a constant prediction, which `constant` explains."""
    sizes = ", ".join(f"{count(metrics['n'])} {level}s" for level, metrics in levels.items())
    caption = f"Test metrics: {sizes}. {intervals_words(clusters)} {constant}"
    columns = [column for metrics in levels.values() for column in (metrics, metrics["baseline"])]
    header = ("metric", *(name for level in levels for name in (LEVELS[level], "constant")))
    return Table(caption, header, metric_rows(columns, (*MAIN, *FURTHER)))


def constant_table(levels: Mapping[str, Numbers], clusters: str = "patients") -> Table:
    """The paired test of each level against the constant prediction."""
    metrics = list(dict.fromkeys(metric for level in levels.values() for metric in level["over_constant"]))
    rows = []
    for metric in metrics:
        tests = [level["over_constant"].get(metric) for level in levels.values()]
        cells = [
            (value_with_interval(test["difference"], test["ci"], signed), p_value(test["p"])) if test else (DASH, DASH)
            for test in tests
        ]
        rows.append((metric_words(metric), *(cell for pair in cells for cell in pair)))
    header = ("difference in", *(name for level in levels for name in (LEVELS[level], "p")))
    caption = (
        "The predictions less the constant one, on the same images, with 95 % intervals and p-values of a t test over "
        f"{clusters}; not adjusted for their number."
    )
    return Table(caption, header, rows)


def class_table(level: Numbers, clusters: str = "patients") -> list[Table]:
    """With more than two classes: each against the rest."""
    limits = level.get("ci", {}).get("per_class", {})
    classes = level.get("per_class", {})
    shown = [metric for metric in PER_CLASS if any(metric in metrics for metrics in classes.values())]
    rows = [(label, *_cells({**metrics, "ci": limits.get(label, {})}, shown)) for label, metrics in classes.items()]
    header = ("class", *(RANKED if metric == "auc" else short_metric_words(metric) for metric in shown))
    return [Table(f"By image and class. {intervals_words(clusters)}", header, rows)] if rows else []


def operating_table(levels: Mapping[str, Numbers], clusters: str = "patients") -> list[Table]:
    """Sensitivity at a given specificity and the reverse, the threshold chosen on validation."""
    rows = []
    for level, numbers in levels.items():
        for point, metrics in numbers.get("operating_points", {}).items():
            kept, value = point.rsplit("_", 1)
            cells = _cells(metrics, ("sensitivity", "specificity"))
            rows.append((f"{kept} {value} % on validation, {LEVELS[level]}", share(metrics["threshold"]), *cells))
    caption = (
        f"Operating points: thresholds chosen on validation, and their results on test. {intervals_words(clusters)}"
    )
    return [Table(caption, ("chosen for", "threshold", "sensitivity", "specificity"), rows)] if rows else []


def subgroup_tables(
    subgroups: Mapping[str, Mapping[str, Mapping[str, Numbers]]], clusters: str = "patients"
) -> list[Table]:
    """A table for each property that defines subgroups."""
    tables = []
    for kind, values in subgroups.items():
        images = {value: levels["image"] for value, levels in values.items()}
        metrics = [metric for metric in SUBGROUP if any(metric in image for image in images.values())]
        sizes = {"n": "images", "n_patients": "patients"} if clusters == "patients" else {"n": "images"}
        rows = [
            (value, *(count(image[key]) for key in sizes), *_cells(image, metrics)) for value, image in images.items()
        ]
        caption = f"By image and {kind}. {intervals_words(clusters)} Dash: not defined, or fewer than 2 {clusters}."
        tables.append(Table(caption, (kind, *sizes.values(), *map(short_metric_words, metrics)), rows))
    return tables


def data_section(data: DataSet, images: bool) -> Section:
    """The data card, with examples where images of the data set may be shown."""
    # The card's last section is the figure.
    blocks: list[Block] = [prose(data.data_card.split("\n## Examples", 1)[0])]
    if images:
        alt = "Example images of each class"
        blocks.append(figure_or_note(PLOTS / "data_card.png", alt, f"{alt}.", "dvc repro card"))
    else:
        blocks.append(Text(NO_IMAGES, "note"))
    caption = "The smallest difference between two networks that so many patients resolve, under three assumptions"
    power = figure_or_note(PLOTS / "power.png", caption, f"{caption}.", "dvc repro power")
    return Section("data", "Data card", [*blocks, Text(power_words(data.power)), power])


def leakage_section(leakage: Numbers | None) -> Section:
    """How much a split with images of one patient on both sides inflates results."""
    alt = "AUC and accuracy of a linear head by split level, and what the features reveal of patient and magnification"
    caption = "The leakage meter: the same features under every split level."
    return analysis_section(PLOTS / "leakage.png", "Leakage meter", leakage, _leakage_blocks, alt, caption)


def _leakage_blocks(leakage: Numbers) -> list[Block]:
    rows = [
        (
            name,
            count(leakage[level]["n_groups"]),
            *_cells(leakage[level], ("auc", "accuracy")),
            metric_with_interval(leakage[level]["inflation"], "auc", tenths),
        )
        for level, name in SPLITS.items()
        if leakage.get(level)
    ]
    header = ("split", "groups", "AUC", "accuracy", "AUC, points above the strictest split")
    table = Table(f"A linear head on the same features, split in different ways. {intervals_of(leakage)}", header, rows)
    probes = [
        (PROBES.get(name, name), count(probe["n_answers"]), *_cells(probe, ("accuracy", "chance")))
        for name, probe in (leakage.get("probe") or {}).items()
        if probe
    ]
    caption = "Properties other than the diagnosis, predicted from the same features."
    probe_table = [Table(caption, ("property", "predictions", "accuracy", "chance level"), probes)] if probes else []
    return [Text(leakage_words(leakage)), table, *probe_table]


def calibration_table(levels: Mapping[str, Numbers], clusters: str = "patients") -> Table:
    """Calibration before and, where there is a temperature, after scaling by it.

    Parameters
    ----------
    levels : mapping
        By name of a column pair: each with ``before``, all or none with ``after``.
    clusters : str
        What intervals are over.
    """
    states = [when for when in ("before", "after") if all(when in numbers for numbers in levels.values())]
    columns = {
        f"{level}, {when}" if "after" in states else level: numbers[when]
        for level, numbers in levels.items()
        for when in states
    }
    caption = (
        "Before and after temperature scaling, which is fitted on validation."
        if "after" in states
        else "Probabilities as they are: there is no validation part to fit a temperature on."
    )
    caption = (
        f"{caption} {intervals_words(clusters)} The test asks whether the error is larger than calibrated predictions "
        f"of these {clusters} would show."
    )
    levels_shown = list(columns.values())
    tested = [
        ("test of calibration, p", *(p_value(numbers.get("ece_p")) for numbers in levels_shown)),
        (metric_words("ece"), *(metric_with_interval(numbers, "ece") for numbers in levels_shown)),
    ]
    return Table(caption, ("measure", *columns), [*tested, *metric_rows(levels_shown, CALIBRATION)])


def uncertainty_blocks(uncertainty: Numbers, name: str = "") -> list[Block]:
    """Conformal coverage by image and patient, and accuracy when unsure images are left out."""
    note = f"{f' {name}.' if name else ''} {intervals_of(uncertainty)}"
    target = percent(uncertainty["coverage"])
    shown = {key: words for key, words in CONFORMAL.items() if "note" not in uncertainty or "patient" not in key}
    sets = [
        (f"calibrated on {level}s", target, *_cells(numbers, shown), *_class_cells(numbers))
        for level, numbers in uncertainty["conformal"].items()
        if level == "image" or "note" not in uncertainty
    ]
    selective = [
        (METHODS.get(method, method), *_cells(numbers, SELECTIVE))
        for method, numbers in uncertainty.get("selective", {}).items()
    ]
    repeated = [
        (METHODS[method], *_cells(uncertainty[method], UNCERTAINTY)) for method in METHODS if method in uncertainty
    ]
    tables = [
        Table(
            f"Conformal prediction sets on test.{note}",
            ("prediction sets", "target coverage", *shown.values(), *_class_names(uncertainty)),
            sets,
        ),
        Table(
            f"Accuracy when the least confident images are left out.{note}",
            ("confidence from", *SELECTIVE.values()),
            selective,
        ),
        Table(
            f"Repeated predictions against a single one.{note}",
            ("prediction", *map(short_metric_words, UNCERTAINTY)),
            repeated,
        ),
    ]
    return [Text(uncertainty_words(uncertainty)), *(table for table in tables if table.rows)]


def _class_cells(numbers: Numbers) -> list[str]:
    limits = numbers["ci"].get("per_class", {})
    return [value_with_interval(numbers["per_class"][label], ends) for label, ends in limits.items()]


def _class_names(uncertainty: Numbers) -> list[str]:
    image = uncertainty["conformal"]["image"]
    return [f"coverage of {label}" for label in image["ci"].get("per_class", {})]


def robustness_blocks(robustness: Numbers, name: str = "") -> list[Block]:
    """The cost of damaged images, by corruption and severity."""
    corruptions = robustness["corruptions"]
    severities = sorted({severity for cells in corruptions.values() for severity in cells}, key=int)
    rows = [("none", *(metric_with_interval(robustness["clean"], "auc") for _ in severities))]
    rows += [
        (corruption, *(metric_with_interval(cells.get(severity, {}), "auc") for severity in severities))
        for corruption, cells in corruptions.items()
    ]
    header = ("corruption", *(f"severity {severity}" for severity in severities))
    caption = f"AUC by image on corrupted test images.{f' {name}.' if name else ''} {intervals_of(robustness)}"
    return [Text(robustness_words(robustness)), Table(caption, header, rows)]


def _cells(numbers: Numbers, metrics: Iterable[str]) -> list[str]:
    return [metric_with_interval(numbers, metric) for metric in metrics]
