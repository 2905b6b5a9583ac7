"""`python -m stages.plot.summary`: the results in a few lines, after `make repro`."""

import sys

from stages.common.command import run_stage
from stages.plot.facts import Facts, read_facts

ROWS = {
    "AUC": "auc",
    "accuracy": "accuracy",
    "balanced accuracy": "balanced_accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "recognition rate": "recognition_rate",
}
LEVELS = ("image", "patient")


def main() -> None:
    """Print the results and where the figures are."""
    sys.stdout.write(summarise(read_facts()))


def summarise(facts: Facts) -> str:
    """A table of test results: each with its 95 % interval and the majority-class baseline.

    Parameters
    ----------
    facts : Facts
        What was done and what came out.

    Returns
    -------
    str
        Lines of text, the last one ended.
    """
    metrics = facts.metrics
    columns = "".join(f"  {f'{level} level (95 % CI)':<27}{'baseline':>8}" for level in LEVELS)
    lines = [f"{facts.network}; {facts.data}", f"{facts.split}; {facts.size}", "", f"{'test':<18}{columns}"]
    lines += [
        f"{name:<18}" + "".join("  " + _cell(metrics[level], metric) for level in LEVELS)
        for name, metric in ROWS.items()
    ]
    lines += [
        "",
        f"Called {facts.positive} from a probability of {metrics['image']['threshold']:.3f} (images), "
        f"{metrics['patient']['threshold']:.3f} (patients) up, never chosen on test.",
        "Intervals: bootstrap over patients. Baseline: the training part's majority class for all.",
        "Figures: plots/*.png",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _cell(at: dict, metric: str) -> str:
    if metric not in at:
        return f"{'':<27}{'':>8}"
    limits = at["ci"][metric]
    value = f"{at[metric]:.3f} ({limits['low']:.3f} to {limits['high']:.3f})"
    return f"{value:<27}{at['baseline'][metric]:>8.3f}"


if __name__ == "__main__":
    run_stage("summary", main)
