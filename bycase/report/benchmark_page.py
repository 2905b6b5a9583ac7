"""The report of a benchmark: networks x folds."""

from pathlib import Path

from bycase.core.machine import describe_machine
from bycase.core.wording import (
    DASH,
    capitalise,
    count,
    error_with_test,
    metric_with_interval,
    seconds,
    share,
)
from bycase.report.aggregation import networks_blocks
from bycase.report.blocks import Block, Page, Section, Table, Text, missing
from bycase.report.documents import make_documents
from bycase.report.failures import failure_section, find_errors
from bycase.report.inputs import BENCHMARK, BENCHMARK_FIGURES, BENCHMARK_PARAMS, Bench, read_bench
from bycase.report.provenance import cost_rows, describe_commit, production_section
from bycase.report.resolution import resolution_section
from bycase.report.sections import (
    class_table,
    data_section,
    figure_or_note,
    intervals_words,
    leakage_section,
    main_numbers,
    results_table,
    robustness_blocks,
    uncertainty_blocks,
)
from bycase.report.study import study_of_bench
from bycase.report.verdicts import verdict_section
from bycase.report.words import PHANTOM, headline, missing_words
from bycase.statistics.metric_names import metric_words
from bycase.tables.manifest import PATIENTS_UNKNOWN

MAKE = f"dvc repro {BENCHMARK}"
FIGURE_WORDS = {
    "critical_difference": "Networks by rank; a line joins those not shown to differ",
    "learning_curves": "Validation accuracy and loss of every network by epoch",
    "roc": "Out-of-fold ROC curves of every network",
    "pareto": "AUC of every network against its cost",
    "calibration": "Reliability of every network before and after temperature scaling",
    "uncertainty": "Risk-coverage curves of every network",
    "robustness": "AUC of every network on corrupted images by severity",
    "magnification_shift": "AUC of every network on a magnification that it was, or was not, trained on",
}
LEADERS = (
    ("image", "auc"),
    ("patient", "auc"),
    ("image", "accuracy"),
    ("image", "balanced_accuracy"),
    ("image", "brier"),
)
COSTS = {
    "parameters": ("parameters", count),
    "flops": ("operations per image", count),
    "model_bytes": ("bytes", count),
    "fitting_seconds": ("training time, frozen features included", seconds),
    "inference_images_per_second": ("images per second", "{:.3g}".format),
    "energy_joules": ("joules", count),
}


def benchmark_documents(images: bool) -> dict[str, str]:
    """The documents of the benchmark in the current folder; see `bycase.report.run_page.run_documents`."""
    bench = read_bench()
    return make_documents(bench_page(bench, images), study_of_bench(bench))


def bench_page(bench: Bench, images: bool) -> Page:
    """The page of a benchmark; `images` is whether it may show images of the data set."""
    about, levels = bench.about, bench.levels(bench.best)
    tested = f"{bench.tested}, each tested out of fold"
    warnings = [PHANTOM] if about["phantom"] else []
    warnings += [] if bench.patients_known else [f"{capitalise(PATIENTS_UNKNOWN)}."]
    first, second = headline(f"Best of {len(bench.models)}: {_network(bench, bench.best)}", bench.name, tested, levels)
    return Page(
        kicker=f"Benchmark of {len(bench.models)} networks, {bench.folds}",
        title=f"{len(bench.models)} networks on {bench.name}",
        warning=" ".join(warnings) or None,
        headline=[
            first,
            f"{second} This network was selected on these same results, so they are optimistic; the pairwise verdicts "
            f"are not. {missing_words(bench.data.restructure)}.",
        ],
        numbers=main_numbers(levels),
        sections=[
            _leaderboard(bench),
            verdict_section(bench.comparisons, bench.clusters),
            resolution_section(bench.comparisons["resolution"], bench.data.power, patients_known=bench.patients_known),
            Section(
                "best",
                f"All metrics of {bench.best}",
                [
                    results_table(levels, bench.clusters),
                    *class_table(levels["image"], bench.clusters),
                    *networks_blocks(bench.leaderboard, {model: _network(bench, model) for model in bench.models}),
                ],
            ),
            data_section(bench.data, images),
            leakage_section(bench.leakage),
            Section("training", "Learning curves", [_figure("learning_curves")]),
            _calibration(bench),
            _by_network(bench, "uncertainty", "Uncertainty"),
            _by_network(bench, "robustness", "Robustness"),
            _shift(bench),
            _failures(bench, images),
            production_section(
                [
                    ("commands", MAKE),
                    ("commit", describe_commit()),
                    ("machine that wrote this report", describe_machine()),
                    *cost_rows(bench.leaderboard[bench.best]["cost"]),
                ],
                bench.texts,
                [Path("dvc.lock"), Path("benchmark/dvc.lock")],
            ),
        ],
        clusters=bench.clusters,
    )


def _network(bench: Bench, model: str) -> str:
    name: str = bench.about["networks"].get(model, model)
    return name


def _figure(name: str) -> Block:
    words = FIGURE_WORDS[name]
    return figure_or_note(BENCHMARK_FIGURES / f"{name}.png", words, f"{words}.", MAKE)


def _leaderboard(bench: Bench) -> Section:
    board = bench.leaderboard
    best = board[bench.best]
    leaders = [(level, metric) for level, metric in LEADERS if level in best]
    names = {f"{board[model]['rank']}. {_network(bench, model)}": board[model] for model in bench.models}
    names |= {
        f"{_network(bench, model)}, mean of {bench.about['repeats']} repeats": board[model]["ensemble"]
        for model in bench.models
        if "ensemble" in board[model]
    }
    rows = [
        (name, *(metric_with_interval(levels[level], metric) for level, metric in leaders))
        for name, levels in names.items()
    ]
    rows.append(("constant prediction", *(share(best[level]["baseline"][metric]) for level, metric in leaders)))
    header = ("network", *(f"{metric_words(metric)} by {level}" for level, metric in leaders))
    caption = (
        f"Out-of-fold results, best network first. {intervals_words(bench.clusters)} Overlapping intervals do not "
        "mean that two networks are equal: see the pairwise verdicts."
    )
    if any("ensemble" in board[model] for model in bench.models):
        caption += (
            " A mean of repeats ranks images by networks of different folds, each with its own scale, so that its AUC "
            "may lie below a single network's where it predicts no worse."
        )
    costs = [
        (
            _network(bench, model),
            *(
                write(board[model]["cost"][key]) if board[model]["cost"].get(key) is not None else DASH
                for key, (_, write) in COSTS.items()
            ),
        )
        for model in bench.models
    ]
    blocks = [
        Table(caption, header, rows),
        _figure("critical_difference"),
        _figure("roc"),
        Table("Cost of each network. Dash: not measured.", ("network", *(name for name, _ in COSTS.values())), costs),
        _figure("pareto"),
    ]
    return Section("results", "Leaderboard", blocks)


def _calibration(bench: Bench) -> Section:
    images = {model: bench.leaderboard[model]["image"] for model in bench.models}
    rows = [
        (
            _network(bench, model),
            *(error_with_test(image["calibration"][when]) for when in ("before", "after")),
            *(metric_with_interval(image["calibration"][when], "brier") for when in ("before", "after")),
        )
        for model, image in images.items()
        if "calibration" in image
    ]
    header = ("network", "ECE before", "ECE after", "Brier score before", "Brier score after")
    caption = (
        "Calibration by image before and after temperature scaling, fitted on each fold's validation. "
        f"{intervals_words(bench.clusters)} Of the calibration error: what calibrated predictions would show, and the "
        "p-value of a test of calibration."
    )
    table = Table(caption, header, rows) if rows else missing("calibration table", MAKE)
    return Section("calibration", "Calibration", [table, _figure("calibration")])


def _by_network(bench: Bench, name: str, title: str) -> Section:
    draw = {"uncertainty": uncertainty_blocks, "robustness": robustness_blocks}[name]
    numbers = bench.optional.get(name, {})
    blocks = [block for model in bench.models if model in numbers for block in draw(numbers[model], model)]
    return Section(name, title, [*blocks, _figure(name)] if blocks else [_extra(name, title)])


def _shift(bench: Bench) -> Section:
    title, numbers = "Magnification shift", bench.optional.get("shift", {})
    rows = [
        (
            f"{model}, {magnification}X",
            count(shift["n"]),
            *(metric_with_interval(shift[training], "auc") for training in ("all", "held_out", "drop")),
        )
        for model in bench.models
        for magnification, shift in numbers.get(model, {}).items()
    ]
    if not rows:
        return Section("shift", title, [_extra("shift", title)])
    caption = f"AUC by image on one magnification, with and without it in training. {intervals_words(bench.clusters)}"
    header = ("network, tested on", "images", "trained on all", "trained without it", "loss of AUC")
    return Section("shift", title, [Table(caption, header, rows), _figure("magnification_shift")])


def _extra(name: str, title: str) -> Text:
    return missing(title.lower(), f"{MAKE}, with '{name}' set in {BENCHMARK_PARAMS.as_posix()}")


def _failures(bench: Bench, images: bool) -> Section:
    best = bench.predictions[(bench.predictions["model"] == bench.best) & (bench.predictions["repeat"] == 0)]
    predicted = find_errors(
        best.reset_index(drop=True), bench.data.manifest, bench.about["classes"], bench.about["positive"]
    )
    return failure_section(predicted, bench.best, "the data, out of fold", images, bench.patients_known)
