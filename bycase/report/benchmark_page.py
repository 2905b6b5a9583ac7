"""The report of a benchmark: networks x folds."""

from pathlib import Path
from typing import Any

from bycase.core.wording import DASH, count, interval, metric_with_interval, p_value, seconds, share
from bycase.report.benchmark import FIGURES, Bench
from bycase.report.blocks import Block, Listing, Page, Section, Table, Text, missing
from bycase.report.failures import find_mistakes
from bycase.report.gallery import failure_section
from bycase.report.production import production_section
from bycase.report.run import PLOTS
from bycase.report.run_page import main_numbers
from bycase.report.sections import (
    INTERVALS,
    class_table,
    data_section,
    figure_or_note,
    leakage_section,
    results_table,
    robustness_blocks,
    uncertainty_blocks,
)
from bycase.report.words import PHANTOM, headline, missing_words
from bycase.statistics.metric_names import metric_words

COMMANDS = ("dvc repro benchmark/dvc.yaml", "python -m stages.report --benchmark")
MAKE = "dvc repro benchmark/dvc.yaml"
ASK = f"{MAKE}, with {{}} asked for in benchmark/params.yaml"
FIGURE_WORDS = {
    "critical_difference": "Networks by rank; a line joins those that are not shown to differ",
    "learning_curves": "Validation accuracy and loss of every network by epoch",
    "roc": "Out-of-fold ROC curves of every network",
    "pareto": "AUC of every network against its cost",
    "calibration": "Reliability of every network before and after temperature scaling",
    "uncertainty": "Risk-coverage curves of every network",
    "robustness": "AUC of every network on damaged images by severity",
    "magnification_shift": "AUC of every network on a magnification that it was, or was not, trained on",
}
LEADERS = (
    ("image", "auc", "AUC by image"),
    ("patient", "auc", "AUC by patient"),
    ("image", "accuracy", "accuracy by image"),
    ("image", "balanced_accuracy", "balanced accuracy by image"),
    ("image", "brier", "Brier score by image"),
)


def bench_page(bench: Bench, images: bool) -> Page:
    """The page of the benchmark in the workspace.

    Parameters
    ----------
    bench : Bench
        All that is known of it.
    images : bool
        Whether images of the data set may be shown.
    """
    about, levels = bench.about, {level: bench.leaderboard[bench.best][level] for level in ("image", "patient")}
    tested = f"{count(about['n_images'])} images of {count(about['n_patients'])} patients, each tested out of fold"
    first, second = headline(
        f"Best of {len(bench.models)}: {_network(bench, bench.best)}", bench.data_set, tested, levels
    )
    return Page(
        kicker=f"Benchmark of {len(bench.models)} networks, {bench.folds}",
        title=f"{len(bench.models)} networks on {bench.data_set}",
        warning=PHANTOM if about["phantom"] else None,
        headline=[
            first,
            f"{second} That network was chosen by these very results, which flatters it; the pairwise verdicts do not. "
            f"{missing_words(bench.restructure)}.",
        ],
        numbers=main_numbers(levels),
        sections=[
            _leaderboard(bench),
            _verdicts(bench),
            _best(bench),
            data_section(bench.data_card, bench.power, PLOTS / "data_card.png", images),
            leakage_section(bench.data.get("leakage"), PLOTS / "leakage.png"),
            Section("training", "Learning curves", [_figure("learning_curves")]),
            _calibration(bench),
            _by_network(bench, "uncertainty", "Uncertainty"),
            _by_network(bench, "robustness", "Robustness"),
            _shift(bench),
            _failures(bench, images),
            production_section(
                COMMANDS,
                bench.texts,
                [Path("dvc.lock"), Path("benchmark/dvc.lock")],
                bench.leaderboard[bench.best]["cost"],
            ),
        ],
    )


def _network(bench: Bench, model: str) -> str:
    name: str = bench.about["networks"].get(model, model)
    return name


def _figure(name: str) -> Block:
    words = FIGURE_WORDS[name]
    return figure_or_note(FIGURES / f"{name}.png", words, f"{words}.", MAKE)


def _leaderboard(bench: Bench) -> Section:
    rows = [
        (
            f"{bench.leaderboard[model]['rank']}. {_network(bench, model)}",
            *(metric_with_interval(bench.leaderboard[model][level], metric) for level, metric, _ in LEADERS),
        )
        for model in bench.models
    ]
    rows += [
        (
            f"{_network(bench, model)}, mean of {bench.about['repeats']} repeats",
            *(
                metric_with_interval(bench.leaderboard[model]["ensemble"][level], metric)
                for level, metric, _ in LEADERS
            ),
        )
        for model in bench.models
        if "ensemble" in bench.leaderboard[model]
    ]
    best = bench.leaderboard[bench.best]
    rows.append(("constant prediction", *(share(best[level]["baseline"][metric]) for level, metric, _ in LEADERS)))
    header = ("network", *(name for _, _, name in LEADERS))
    caption = (
        f"Out-of-fold results, best first. {INTERVALS} Overlapping intervals say nothing of a pair: see the verdicts."
    )
    blocks: list[Block] = [Table(caption, header, rows), _figure("critical_difference"), _figure("roc")]
    return Section("results", "Leaderboard", [*blocks, _cost(bench), _figure("pareto")])


def _cost(bench: Bench) -> Table:
    rows = []
    for model in bench.models:
        cost = bench.leaderboard[model]["cost"]
        joules = cost.get("energy_joules")
        rows.append(
            (
                _network(bench, model),
                *(
                    count(cost[key]) if cost.get(key) is not None else DASH
                    for key in ("parameters", "flops", "model_bytes")
                ),
                seconds(cost["fitting_seconds"]),
                f"{cost['inference_images_per_second']:.3g}",
                DASH if joules is None else count(joules),
            )
        )
    header = (
        "network",
        "parameters",
        "operations an image",
        "bytes",
        "training, frozen features included",
        "images a second",
        "joules",
    )
    return Table("What each network costs. A dash: could not be read.", header, rows)


def _verdicts(bench: Bench) -> Section:
    pairs, settings = bench.comparisons["pairs"], bench.comparisons["settings"]
    metric = metric_words(settings["metric"])
    words = (
        f"Of each pair: {metric} by {settings['level']}, margin {settings['margin']:g}, alpha {settings['alpha']:g} "
        f"over all pairs together (Holm), {count(settings['resamples'])} paired resamples of patients."
    )
    rows = [
        (
            f"{pair['first']} against {pair['second']}",
            pair["verdict"],
            _difference(pair),
            p_value(pair["p_holm"]),
            p_value(_level(pair, "delong", settings["level"]).get("p_holm")),
            _mcnemar(pair, settings["level"]),
            _needed(pair),
        )
        for pair in pairs
    ]
    header = (
        "pair",
        "verdict",
        f"difference in {metric}",
        "p, bootstrap",
        "p, DeLong",
        "p, McNemar",
        "patients to resolve it",
    )
    caption = "All pairs. p values are Holm-corrected over the pairs; the difference is first minus second."
    blocks: list[Block] = [Text(words), Listing([pair["sentence"] for pair in pairs]), Table(caption, header, rows)]
    notes = bench.comparisons.get("notes", [])
    return Section("verdicts", "Pairwise verdicts", [*blocks, *([Listing(notes)] if notes else [])])


def _difference(pair: dict[str, Any]) -> str:
    return f"{pair['difference']:+.3f} ({interval(pair['ci'])})"


def _level(pair: dict[str, Any], test: str, level: str) -> dict[str, Any]:
    of: dict[str, Any] = (pair.get(test) or {}).get(level) or {}
    return of


def _mcnemar(pair: dict[str, Any], level: str) -> str:
    of = _level(pair, "mcnemar", level)
    return p_value(of.get("p_clustered_holm", of.get("p_holm")))


def _needed(pair: dict[str, Any]) -> str:
    needed = (pair.get("patients_needed") or {}).get("difference")
    return DASH if needed is None else count(needed)


def _best(bench: Bench) -> Section:
    best = bench.leaderboard[bench.best]
    levels = {level: best[level] for level in ("image", "patient")}
    return Section("best", f"All metrics of {bench.best}", [results_table(levels), *class_table(best["image"])])


def _calibration(bench: Bench) -> Section:
    calibrated = {
        model: bench.leaderboard[model]["image"]["calibration"]
        for model in bench.models
        if "calibration" in bench.leaderboard[model]["image"]
    }
    rows = [
        (
            _network(bench, model),
            *(metric_with_interval(of[when], key) for key in ("ece", "brier") for when in ("before", "after")),
        )
        for model, of in calibrated.items()
    ]
    header = ("network", "ECE before", "ECE after", "Brier score before", "Brier score after")
    caption = (
        f"Calibration by image before and after each fold's temperature scaling, fitted on its validation. {INTERVALS}"
    )
    table = Table(caption, header, rows) if rows else missing("The calibration table", MAKE)
    return Section("calibration", "Calibration", [table, _figure("calibration")])


def _by_network(bench: Bench, name: str, title: str) -> Section:
    draw = {"uncertainty": uncertainty_blocks, "robustness": robustness_blocks}[name]
    numbers = bench.optional.get(name, {})
    blocks = [block for model in bench.models if model in numbers for block in draw(numbers[model], model)]
    return Section(name, title, [*blocks, _figure(name)] if blocks else [missing(title, ASK.format(name))])


def _shift(bench: Bench) -> Section:
    title, numbers = "Magnification shift", bench.optional.get("shift", {})
    rows = [
        (
            f"{model}, {magnification}X",
            count(of["n"]),
            *(metric_with_interval(of[part], "auc") for part in ("all", "held_out", "drop")),
        )
        for model in bench.models
        for magnification, of in numbers.get(model, {}).items()
    ]
    if not rows:
        return Section("shift", title, [missing(title, ASK.format("shift"))])
    caption = f"AUC by image on one magnification, with and without it in training. {INTERVALS}"
    header = ("network, tested on", "images", "trained on all", "trained without it", "lost")
    return Section("shift", title, [Table(caption, header, rows), _figure("magnification_shift")])


def _failures(bench: Bench, images: bool) -> Section:
    about = bench.about
    of_best = bench.predictions[(bench.predictions["model"] == bench.best) & (bench.predictions["repeat"] == 0)]
    positive = about["positive"] if len(about["classes"]) == 2 else None
    called = find_mistakes(of_best.reset_index(drop=True), bench.manifest, about["classes"], positive)
    return failure_section(called, bench.best, "the data, out of fold", images)
