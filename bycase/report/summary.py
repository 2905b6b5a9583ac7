"""`python -m bycase.report.summary`: the results in a few lines and what to do next, after `make repro`."""

import sys

from bycase.core.command import run_stage
from bycase.core.versions import warn_of_other_versions
from bycase.core.wording import capitalise, metric_with_interval
from bycase.figures.run_info import RunInfo, read_run_info
from bycase.statistics.metric_names import metric_words, metrics_for
from bycase.tables.manifest import PATIENTS_UNKNOWN
from bycase.tables.models import NETWORK

ROWS = ("auc", "accuracy", "balanced_accuracy", "macro_f1", "sensitivity", "specificity")
READING = "Intervals: 95 %, over {}. Baseline: the training part's majority class for all."
PHANTOM = "The images are a phantom, generated: no number here says anything about tissue."
RANDOM = (
    "Random weights, as the phantom has for networks whose ImageNet weights would be downloaded;\n"
    "efficientnetlite brings its own: dvc exp run -S model=efficientnetlite"
)
SERVE = "make serve                       a page that classifies an image you give it"
BREAKHIS = (
    "dvc exp run -S dataset=breakhis  BreakHis (after '. .venv/bin/activate'); your own images:\n"
    "                                         docs/tutorials/your-images.md"
)


def main() -> None:
    """Print the results, where the report is and what comes next; warn where other versions made the network.

    A pipeline that is up to date runs no stage, so that none of them could warn.
    """
    run_info = read_run_info()
    warn_of_other_versions(run_info.model_info.get("versions", {}), str(NETWORK))
    sys.stdout.write(summarise(run_info))


def summarise(run_info: RunInfo) -> str:
    """A table of test results: each with its 95 % interval and the majority-class baseline.

    Parameters
    ----------
    run_info : RunInfo
        Names network, data and split, and holds the metrics.

    Returns
    -------
    str
        Lines of text, the last one ended.
    """
    columns = "".join(f"  {f'{level} level (95 % CI)':<27}{'baseline':>8}" for level in run_info.levels)
    lines = [*run_info.subtitle, "", f"{'test':<18}{columns}"]
    lines += [
        f"{metric_words(metric):<18}" + "".join(_cell(metrics, metric) for metrics in run_info.levels.values())
        for metric in metrics_for(len(run_info.classes), *ROWS)
    ]
    phantom = run_info.model_info["phantom"]
    frozen = run_info.model_info["mode"] == "frozen"
    unknown = [] if run_info.patients_known else [f"{capitalise(PATIENTS_UNKNOWN)}."]
    lines += ["", *unknown, READING.format(run_info.clusters), *([PHANTOM] if phantom else [])]
    lines += [RANDOM] if phantom and frozen and run_info.model_info["weights"] == "random" else []
    lines += ["", "Report: plots/report.html", f"Next:   {SERVE}", *([f"        {BREAKHIS}"] if phantom else [])]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _cell(metrics: dict, metric: str) -> str:
    if metric not in metrics:
        return f"  {'':<27}{'':>8}"
    return f"  {metric_with_interval(metrics, metric):<27}{metrics['baseline'][metric]:>8.3f}"


if __name__ == "__main__":
    run_stage("summary", main)
