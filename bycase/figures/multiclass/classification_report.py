"""scikit-learn's classification report of several classes, under a head that says of what."""

from collections.abc import Mapping

from sklearn.metrics import classification_report

from bycase.figures.run_info import RunInfo
from bycase.statistics.multiclass.units import ClassUnits


def write_class_report(units: Mapping[str, ClassUnits], run_info: RunInfo) -> str:
    """The report at both levels.

    Parameters
    ----------
    units : mapping of level to ClassUnits
        ``image`` and ``patient``.
    run_info : RunInfo
        What the report says of itself.

    Returns
    -------
    str
        Lines of text, the last one ended.
    """
    lines = ["Classification report, test part", *run_info.subtitle]
    for level, of in units.items():
        baseline = run_info.metrics[level]["baseline"]
        report = classification_report(
            of.truth,
            of.predicted,
            labels=list(range(len(of.classes))),
            target_names=list(of.classes),
            digits=3,
            zero_division=0,
        )
        lines += [
            "",
            f"{level} level: each is called what is most probable",
            f"accuracy {run_info.value(level, 'accuracy')}; constant prediction {baseline['accuracy']:.3f}",
            f"balanced accuracy {run_info.value(level, 'balanced_accuracy')}; {baseline['balanced_accuracy']:.3f}",
            "",
            report.rstrip(),
        ]
    return "\n".join(lines) + "\n"
