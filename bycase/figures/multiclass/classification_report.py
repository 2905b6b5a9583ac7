"""scikit-learn's classification report of several classes, under a head that says of what."""

from collections.abc import Mapping

from sklearn.metrics import classification_report

from bycase.figures.run_info import Facts
from bycase.statistics.multiclass.units import ClassUnits


def write_class_report(units: Mapping[str, ClassUnits], facts: Facts) -> str:
    """The report at both levels.

    Parameters
    ----------
    units : mapping of level to ClassUnits
        ``image`` and ``patient``.
    facts : Facts
        What the report says of itself.

    Returns
    -------
    str
        Lines of text, the last one ended.
    """
    lines = ["Classification report, test part", *facts.subtitle]
    for level, of in units.items():
        baseline = facts.metrics[level]["baseline"]
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
            f"accuracy {facts.value(level, 'accuracy')}; constant prediction {baseline['accuracy']:.3f}",
            f"balanced accuracy {facts.value(level, 'balanced_accuracy')}; {baseline['balanced_accuracy']:.3f}",
            "",
            report.rstrip(),
        ]
    return "\n".join(lines) + "\n"
