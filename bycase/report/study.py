"""What model card and checklists say of a study, whether it is one network or a benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bycase.core.params import Params
from bycase.core.wording import count
from bycase.datasets.layouts.listing import About
from bycase.datasets.layouts.registry import LAYOUTS
from bycase.report.benchmark import Bench
from bycase.report.explanations import explanation_words
from bycase.report.provenance import package_versions
from bycase.report.run import Run
from bycase.report.words import leakage_words, power_words, robustness_words, uncertainty_words


@dataclass(frozen=True)
class Study:
    """One network on a test part, or the best of several out of fold.

    Attributes
    ----------
    model : str
        The network's entry of ``zoo``.
    network : str
        With the source of its weights.
    others : tuple of str
        Further networks that were compared.
    data : str
        The data set; 'phantom' is said wherever the images are generated.
    phantom : bool
        Whether they are.
    about : About
        What is published of the data set.
    classes : tuple of str
        All classes; of two, the positive one last.
    positive : str or None
        Of two classes, the one that is looked for.
    group : str
        What the split keeps on one side.
    seed : int
        The pipeline's.
    partition : str
        How images became training, validation and test.
    parts : str
        How many images and patients each has.
    repeats : int
        Draws of all folds; 1 where there is one test part.
    leaks : int
        Cases on both sides of the split.
    levels : dict
        ``image`` and ``patient``: metrics with ``ci``, ``baseline``, ``n`` and ``n_patients``.
    tested : str
        What they are measured on.
    calibration : dict or None
        Of the image level: ``before`` and ``after`` temperature scaling.
    subgroups : tuple of str
        What the metrics are also given by.
    analyses : dict of str to str
        By name (uncertainty, robustness, leakage, power), in a sentence, those that were made.
    verdicts : tuple of str
        On pairs of networks.
    cost : dict
        Numbers on training, of one network.
    restructure, audit : dict
        What was left out, and the duplicates.
    params : Params
        All settings.
    versions : dict
        Of Python and packages.
    page : str
        Where the full report is.
    """

    model: str
    network: str
    others: tuple[str, ...]
    data: str
    phantom: bool
    about: About
    classes: tuple[str, ...]
    positive: str | None
    group: str
    seed: int
    partition: str
    parts: str
    repeats: int
    leaks: int
    levels: Mapping[str, Mapping[str, Any]]
    tested: str
    calibration: Mapping[str, Any] | None
    subgroups: tuple[str, ...]
    analyses: Mapping[str, str]
    verdicts: tuple[str, ...]
    cost: Mapping[str, Any]
    restructure: Mapping[str, Any]
    audit: Mapping[str, Any]
    params: Params
    versions: Mapping[str, str]
    page: str


def study_of_run(run: Run) -> Study:
    """What is to be said of one network."""
    model_info, protocol, metrics = run.run_info.model_info, run.run_info.protocol, run.run_info.metrics
    calibration = metrics.get("calibration")
    return Study(
        model=model_info["model"],
        network=run.run_info.network,
        others=(),
        data=run.run_info.data,
        phantom=model_info["phantom"],
        about=LAYOUTS[run.params.data.layout].ABOUT,
        classes=tuple(model_info["classes"]),
        positive=model_info["positive"],
        group=protocol["group"],
        seed=run.params.seed,
        partition=f"{run.run_info.split}; drawn once with seed {protocol.get('seed', run.params.seed)}",
        parts=_part_words(protocol),
        repeats=1,
        leaks=protocol.get("cases_on_both_sides", 0),
        levels={level: metrics[level] for level in ("image", "patient")},
        tested=f"the test part, {run.run_info.size}",
        calibration=calibration["image"] if calibration else None,
        subgroups=tuple(metrics.get("subgroups", {})),
        analyses=_analyses(run.optional, run.optional, run.power),
        verdicts=(),
        cost=run.cost,
        restructure=run.restructure,
        audit=run.audit,
        params=run.params,
        versions=package_versions(),
        page="plots/report.html",
    )


def study_of_bench(bench: Bench) -> Study:
    """What is to be said of a benchmark, and of its best network."""
    about, best = bench.about, bench.leaderboard[bench.best]
    own = {name: of[bench.best] for name, of in bench.optional.items() if bench.best in of}
    return Study(
        model=bench.best,
        network=about["networks"][bench.best],
        others=tuple(about["networks"][model] for model in bench.models[1:]),
        data=bench.data_set,
        phantom=about["phantom"],
        about=LAYOUTS[bench.params.data.layout].ABOUT,
        classes=tuple(about["classes"]),
        positive=about["positive"],
        group=about["group"],
        seed=bench.params.seed,
        partition=(
            f"cross-validation, {bench.folds}, drawn with seed {bench.params.seed}; each image is tested once a "
            "repeat, by a network that was trained without its fold"
        ),
        parts=f"{count(about['n_images'])} images of {count(about['n_patients'])} patients, each tested out of fold",
        repeats=about["repeats"],
        leaks=0,
        levels={level: best[level] for level in ("image", "patient")},
        tested=f"out-of-fold predictions, {count(about['n_images'])} images of {count(about['n_patients'])} patients",
        calibration=best["image"].get("calibration"),
        subgroups=(),
        analyses=_analyses(own, bench.data, bench.power),
        verdicts=tuple(pair["sentence"] for pair in bench.comparisons["pairs"]),
        cost=best["cost"],
        restructure=bench.restructure,
        audit=bench.audit,
        params=bench.params,
        versions=package_versions(),
        page="metrics/benchmark/report.html",
    )


def _part_words(protocol: Mapping[str, Any]) -> str:
    names = {"train": "training", "val": "validation", "test": "test"}
    return "; ".join(
        f"{names[part]}: {count(of['images'])} images of {count(of['cases'])} cases ("
        + ", ".join(f"{label} {count(n)}" for label, n in of["by_class"].items())
        + ")"
        for part, of in protocol.get("counts", {}).items()
    )


def _analyses(own: Mapping[str, Any], data: Mapping[str, Any], power: Mapping[str, Any]) -> dict[str, str]:
    said = {"power": power_words(power)}
    if "uncertainty" in own:
        said["uncertainty"] = uncertainty_words(own["uncertainty"])
    if "robustness" in own:
        said["robustness"] = robustness_words(own["robustness"])
    if "explain" in own:
        said["explain"] = explanation_words(own["explain"])
    if "leakage" in data:
        said["leakage"] = leakage_words(data["leakage"])
    return said
