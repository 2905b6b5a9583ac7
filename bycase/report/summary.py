"""`python -m bycase.report.summary`: the results in a few lines, after `make repro`."""

import sys

from bycase.core.command import run_stage
from bycase.figures.run_info import RunInfo, read_run_info

ROWS = {
    "AUC": "auc",
    "accuracy": "accuracy",
    "balanced accuracy": "balanced_accuracy",
    "macro F1": "macro_f1",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "recognition rate": "recognition_rate",
}
OF_TWO_CLASSES = {"sensitivity", "specificity"}
OF_SEVERAL_CLASSES = {"macro_f1"}
OF_A_CLASS = ("recall", "precision", "f1", "auc")
LEVELS = ("image", "patient")
RATES = ("sensitivity", "specificity")


def main() -> None:
    """Print the results and where the figures are."""
    sys.stdout.write(summarise(read_run_info()))


def summarise(run_info: RunInfo) -> str:
    """A table of test results: each with its 95 % interval and the majority-class baseline.

    Parameters
    ----------
    run_info : RunInfo
        What was done and what came out.

    Returns
    -------
    str
        Lines of text, the last one ended.
    """
    metrics = run_info.metrics
    several = len(run_info.classes) > 2
    left_out = OF_TWO_CLASSES if several else OF_SEVERAL_CLASSES
    columns = "".join(f"  {f'{level} level (95 % CI)':<27}{'baseline':>8}" for level in LEVELS)
    lines = [f"{run_info.network}; {run_info.data}", f"{run_info.split}; {run_info.size}", "", f"{'test':<18}{columns}"]
    lines += [
        f"{name:<18}" + "".join("  " + _cell(metrics[level], metric) for level in LEVELS)
        for name, metric in ROWS.items()
        if metric not in left_out
    ]
    lines += ["", *(_class_lines(run_info) if several else _threshold_lines(run_info)), _calibration_line(run_info)]
    lines += [
        "Intervals: bootstrap over patients. Baseline: the training part's majority class for all.",
        "Figures: plots/model/*.png; whether the training went well: plots/model/sanity.txt",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _threshold_lines(run_info: RunInfo) -> list[str]:
    """The thresholds, and the operating points of images."""
    image, patient = (run_info.metrics[level]["threshold"] for level in LEVELS)
    heads = f"{'test images at':<34}" + "".join(f"{rate:<27}" for rate in RATES) + f"{'from p':>6}"
    rows = [
        f"{_point_name(name):<34}" + "".join(f"{_value(at, rate):<27}" for rate in RATES) + f"{at['threshold']:>6.3f}"
        for name, at in run_info.metrics["image"]["operating_points"].items()
    ]
    called = (
        f"Called {run_info.positive} from a probability of {image:.3f} (images), {patient:.3f} (patients) up, "
        "never chosen on test."
    )
    return [heads, *rows, "", called]


def _point_name(name: str) -> str:
    rate, percent = name.split("_")
    return f"{percent} % {rate} on validation"


def _calibration_line(run_info: RunInfo) -> str:
    """How far probabilities are off, as they are and scaled."""
    calibration = run_info.metrics["calibration"]
    before, after = (calibration["image"][state]["ece"] for state in ("before", "after"))
    return (
        f"Calibration error (ECE) of images: {before:.3f}; {after:.3f} after temperature scaling, "
        f"T = {calibration['temperature']:.2f} from validation."
    )


def _class_lines(run_info: RunInfo) -> list[str]:
    """A row a class, at image level."""
    per_class = run_info.metrics["image"]["per_class"]
    width = max(18, *(len(label) + 2 for label in run_info.classes))
    heads = [f"{'test images':<{width}}" + "".join(f"{name:>11}" for name in (*OF_A_CLASS, "n"))]
    rows = [
        f"{label:<{width}}" + "".join(f"{of[name]:>11.3f}" for name in OF_A_CLASS) + f"{of['n']:>11}"
        for label, of in per_class.items()
    ]
    note = "Each is called what is most probable. AUC: of a class against the rest; above, the classes' mean."
    return [*heads, *rows, "", note]


def _cell(at: dict, metric: str) -> str:
    if metric not in at:
        return f"{'':<27}{'':>8}"
    return f"{_value(at, metric):<27}{at['baseline'][metric]:>8.3f}"


def _value(at: dict, metric: str) -> str:
    limits = at["ci"][metric]
    return f"{at[metric]:.3f} ({limits['low']:.3f} to {limits['high']:.3f})"


if __name__ == "__main__":
    run_stage("summary", main)
