"""`bycase.power`: which difference between two networks so many patients resolve, and how many finer ones take."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bycase.api.inputs import as_text, check_count, check_number, read_truth
from bycase.api.results import Result
from bycase.core.wording import count, percent, plain_share, plural, tenths
from bycase.statistics.power.clusters import Sample, count_sample, rarest_class
from bycase.statistics.power.resolution import METRICS, SCENARIOS, Assumptions, detectable, patients_needed

# Of params.yaml, where it is said what they were measured on.
ASSUMED = Assumptions(
    accuracy=0.77,
    auc=0.84,
    model_correlation={"accuracy": (0.43, 0.3, 0.21), "auc": (0.61, 0.45, 0.21)},
    patient_correlation={"accuracy": (0.13, 0.3, 0.33), "auc": (0.17, 0.64, 0.88)},
    alpha=0.05,
    power=0.8,
)
SAID = 5  # points whose patients the sentence tells
WORDS = {"accuracy": "accuracy", "auc": "AUC"}


@dataclass(frozen=True, repr=False)
class Power(Result):
    """What `power` returns.

    Attributes
    ----------
    n_patients, n_images : int
        What is there, or planned.
    resolves : mapping of str to mapping of str to float or None
        By metric (``accuracy``, ``auc``) and scenario (``optimistic``, ``middle``, ``pessimistic``): the smallest
        difference that is found, in points; None where not even a perfect network could be told from the assumed one.
    needed : mapping of str to mapping of str to mapping of str to int or None
        By metric, points (``1_points``, ``2_points``, ``5_points``) and scenario: patients like these that resolve so
        small a difference; None where the assumed value plus the points exceeds 1.
    assumed : Assumptions
        Of the networks and the test.
    """

    n_patients: int
    n_images: int
    resolves: Mapping[str, Mapping[str, float | None]]
    needed: Mapping[str, Mapping[str, Mapping[str, int | None]]]
    assumed: Assumptions

    def __str__(self) -> str:
        resolved = " and ".join(_resolved(self.resolves[metric], WORDS[metric]) for metric in METRICS)
        needed = " and ".join(_needed(self.needed[metric][f"{SAID}_points"], WORDS[metric]) for metric in METRICS)
        return (
            f"{plural(self.n_patients, 'patient')} with {plural(self.n_images, 'image')} resolve {resolved}; {needed}; "
            f"from optimistic to pessimistic correlations, power {percent(self.assumed.power)}, two-sided alpha "
            f"{plain_share(self.assumed.alpha)}."
        )


def power(
    patient: Any,
    y: Any = None,
    *,
    images_per_patient: int = 1,
    positive_share: float = 0.5,
    positive: Any = None,
    accuracy: float = ASSUMED.accuracy,
    auc: float = ASSUMED.auc,
    model_correlation: Mapping[str, tuple[float, float, float]] = ASSUMED.model_correlation,
    patient_correlation: Mapping[str, tuple[float, float, float]] = ASSUMED.patient_correlation,
    alpha: float = ASSUMED.alpha,
    power: float = ASSUMED.power,
) -> Power:
    """Tell which difference between two networks patients resolve, and how many patients finer differences take.

    Parameters
    ----------
    patient : int, or array_like of shape (n_images,)
        How many patients are planned; or whose each image is, with `y`.
    y : array_like of shape (n_images,), optional
        The classes of images at hand.
    images_per_patient : int, from 1 up
        Of planned patients.
    positive_share : float, in (0, 1)
        Of planned patients, those of the positive class.
    positive : optional
        The class in `y` that the AUC sets against the rest; by default the one with the fewest patients.
    accuracy, auc : float, in (0, 1)
        Of the worse network.
    model_correlation, patient_correlation : mapping of str to tuple of three float
        Of ``accuracy`` and ``auc``, from optimistic to pessimistic: between the networks, and between images of one
        patient; see `bycase.statistics.power.resolution.Assumptions`. By default what four networks on BreakHis showed;
        `bycase power` measures those of yours.
    alpha, power : float, in (0, 1)
        Of the two-sided test of one pair.

    Returns
    -------
    Power
        Prints as a sentence.

    Raises
    ------
    ValueError
        If a number is outside its range, or a class has less than two patients.

    Examples
    --------
    >>> import bycase
    >>> planned = bycase.power(50, images_per_patient=20, positive_share=0.7)
    >>> print(planned)
    50 patients with 1,000 images resolve 7.2 to 11.7 points of accuracy and 6.2 points or more of AUC; 5 points
    of accuracy take 105 to 298 patients and 5 points of AUC take 77 to 627 patients; from optimistic to
    pessimistic correlations, power 80 %, two-sided alpha .05.
    >>> planned.needed["auc"]["5_points"]["middle"]
    327

    Of data at hand:

    >>> patient = [number for number in range(30) for _ in range(4)]
    >>> print(bycase.power(patient, [number % 3 == 0 for number in patient]))
    30 patients with 120 images resolve 12.9 to 17.2 points of accuracy and 13.8 points or more of AUC; 5 points
    of accuracy take 207 to 406 patients and 5 points of AUC take 194 to 922 patients; from optimistic to
    pessimistic correlations, power 80 %, two-sided alpha .05.
    """
    for name, value, least in (("accuracy", accuracy, 0), ("auc", auc, 0.5), ("alpha", alpha, 0), ("power", power, 0)):
        check_number(value, name, least, 1, ends=False)
    for name, given in (("model_correlation", model_correlation), ("patient_correlation", patient_correlation)):
        _check_correlations(given, name)
    if np.ndim(patient) == 0:
        if y is not None:
            raise ValueError("y: classes are of images at hand; of planned patients give positive_share")
        check_count(patient, "patient", 4, 1_000_000_000)
        sample = _planned(patient, images_per_patient, positive_share)
    else:
        sample = _counted(patient, y, positive)
    assumed = replace(
        ASSUMED,
        accuracy=accuracy,
        auc=auc,
        model_correlation=model_correlation,
        patient_correlation=patient_correlation,
        alpha=alpha,
        power=power,
    )
    resolved = [detectable(sample, assumed, number) for number in range(len(SCENARIOS))]
    wanted = [patients_needed(sample, assumed, number) for number in range(len(SCENARIOS))]
    return Power(
        n_patients=sample.n_patients,
        n_images=sample.n_images,
        resolves={metric: _by_scenario([one[f"{metric}_points"] for one in resolved]) for metric in METRICS},
        needed={
            metric: {points: _by_scenario([one[metric][points] for one in wanted]) for points in wanted[0][metric]}
            for metric in METRICS
        },
        assumed=assumed,
    )


def _planned(patients: int, images: int, share: float) -> Sample:
    check_count(images, "images_per_patient", 1, 1_000_000)
    check_number(share, "positive_share", 0, 1, ends=False)
    positive = round(patients * share)
    _check_classes(positive, patients - positive, f"{patients} patients at positive_share {share:g}")
    sizes = np.full(patients, images, np.int64)
    return Sample(sizes, sizes[:positive], sizes[positive:])


def _counted(patient: Any, y: Any, positive: Any) -> Sample:
    if y is None:
        raise ValueError("y: give the images' classes too, or patient as a number of planned patients")
    truth = read_truth(y, patient)
    images = pd.DataFrame({"group": truth.patient, "label": truth.labels})
    label = rarest_class(images) if positive is None else as_text(positive)
    if label not in set(truth.labels):
        raise ValueError(f"positive: '{label}' is none of the classes {', '.join(sorted(set(truth.labels)))}")
    sample = count_sample(images, label)
    _check_classes(len(sample.positive), len(sample.negative), f"class {label} against the rest")
    return sample


def _check_classes(positive: int, negative: int, what: str) -> None:
    if min(positive, negative) < 2:
        raise ValueError(f"{what}: {positive} against {negative} patients, but each side needs two")


def _check_correlations(given: Mapping[str, Any], name: str) -> None:
    for metric in METRICS:
        if metric not in given or len(given[metric]) != len(SCENARIOS):
            raise ValueError(f"{name}: give three numbers of {metric}: {', '.join(SCENARIOS)}")
        for value in given[metric]:
            check_number(value, f"{name}, {metric}", 0, 1)


def _by_scenario(values: list[Any]) -> Mapping[str, Any]:
    return dict(zip(SCENARIOS, values, strict=True))


def _resolved(points: Mapping[str, float | None], words: str) -> str:
    low, high = points[SCENARIOS[0]], points[SCENARIOS[-1]]
    if low is None:
        return f"no difference in {words}"
    return f"{tenths(low)} {'points or more' if high is None else f'to {tenths(high)} points'} of {words}"


def _needed(patients: Mapping[str, int | None], words: str) -> str:
    ends = [patients[SCENARIOS[0]], patients[SCENARIOS[-1]]]
    if None in ends:
        return f"{SAID} points of {words} are out of reach"
    return f"{SAID} points of {words} take {' to '.join(count(end or 0) for end in ends)} patients"
