"""Every metric's name in words, in the order of tables, with its direction and the number of classes it is for."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """How a metric is presented.

    Attributes
    ----------
    words : str
        Its name in sentences and tables.
    short : str
        Its name where space is short; empty where it is `words`.
    lower_is_better : bool
        Whether it is an error.
    classes : {'any', 'two', 'several'}
        Whether tables show it for any number of classes, for two only, or for more than two only.
    """

    words: str
    short: str = ""
    lower_is_better: bool = False
    classes: Literal["any", "two", "several"] = "any"


METRICS = {
    "auc": Metric("AUC"),
    "average_precision": Metric("average precision"),
    "accuracy": Metric("accuracy"),
    "balanced_accuracy": Metric("balanced accuracy"),
    "sensitivity": Metric("sensitivity", classes="two"),
    "specificity": Metric("specificity", classes="two"),
    "recall": Metric("sensitivity"),
    "precision": Metric("precision", classes="two"),
    "f1": Metric("F1", classes="two"),
    "macro_f1": Metric("macro F1", classes="several"),
    "mcc": Metric("Matthews correlation", "MCC", classes="two"),
    "recognition_rate": Metric("recognition rate"),
    "brier": Metric("Brier score", lower_is_better=True),
    "log_loss": Metric("log loss", lower_is_better=True),
    "loss": Metric("loss", lower_is_better=True),
    "ece": Metric("expected calibration error (ECE)", "ECE", lower_is_better=True),
    "ece_expected": Metric("ECE that calibrated predictions would show"),
    "ece_debiased": Metric("ECE, debiased", lower_is_better=True),
    "reliability": Metric("reliability", lower_is_better=True),
    "resolution": Metric("resolution"),
    "slope": Metric("calibration slope"),
    "intercept": Metric("calibration intercept"),
    "in_the_large": Metric("calibration-in-the-large"),
    "entropy": Metric("mean entropy"),
}


def metric_words(metric: str) -> str:
    """The name of a metric in words; a key that is not in `METRICS` stays as it is."""
    return METRICS[metric].words if metric in METRICS else metric


def short_metric_words(metric: str) -> str:
    """The same where space is short."""
    return (METRICS[metric].short if metric in METRICS else "") or metric_words(metric)


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value of a metric is the better one."""
    return metric in METRICS and METRICS[metric].lower_is_better


def metrics_for(n_classes: int, *metrics: str) -> list[str]:
    """Those of `metrics` that tables show for `n_classes` classes."""
    shown = "two" if n_classes == 2 else "several"
    return [metric for metric in metrics if METRICS[metric].classes in ("any", shown)]
