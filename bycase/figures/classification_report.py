"""scikit-learn's classification report, under a head that says of what."""

from sklearn.metrics import classification_report

from bycase.figures.run_info import RunInfo
from bycase.statistics.units import Bools


def write_report(truth: dict[str, Bools], predicted: dict[str, Bools], run_info: RunInfo) -> str:
    """The report at both levels.

    Parameters
    ----------
    truth, predicted : dict of level to ndarray of shape (n_units,), bool
        ``image`` and ``patient``; true for the positive class.
    run_info : RunInfo
        What the report says of itself.

    Returns
    -------
    str
        Lines of text, the last one ended.
    """
    positive, negative = run_info.positive, run_info.negative
    lines = ["Classification report, test part", *run_info.subtitle]
    for level in truth:
        at = run_info.metrics[level]
        lines += [
            "",
            f"{level} level: {positive} from a probability of {at['threshold']:.3f} up (never chosen on test)",
            f"accuracy {run_info.value(level, 'accuracy')}; constant prediction {at['baseline']['accuracy']:.3f}",
            "",
            classification_report(
                truth[level], predicted[level], target_names=[negative, positive], digits=3, zero_division=0
            ).rstrip(),
        ]
    return "\n".join(lines) + "\n"
