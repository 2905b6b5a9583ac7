"""`python -m speed.bootstrap`: seconds of the patient-clustered bootstrap of all metrics, at image and patient level.

Simulated predictions of two classes; 10,000 resamples. `python -m speed.bootstrap 7909 82` measures that many images
and patients. Peak memory includes the libraries.
"""

import resource
import sys
import time

import numpy as np

from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.metrics import weighted_metrics
from bycase.statistics.units import Units, patient_units, predict_classes

RESAMPLES = 10_000


def make_units(n_images: int, n_patients: int, random: np.random.Generator) -> Units:
    """Images whose scores have effects of the class, the patient and the image; a third of the patients negative."""
    patient = np.sort(np.concatenate([np.arange(n_patients), random.integers(0, n_patients, n_images - n_patients)]))
    truth = (patient % 3 != 0).astype(np.int64)
    logit = truth + random.normal(size=n_patients)[patient] + random.normal(size=n_images)
    positive = 1 / (1 + np.exp(-logit))
    scores = np.column_stack([1 - positive, positive])
    return Units(("negative", "positive"), truth, scores, predict_classes(scores, 1), patient, positive=1)


def main() -> None:
    """Print one row a size."""
    random = np.random.default_rng(0)
    sizes = [(2000, 82), (2000, 500), (2000, 2000)]
    if len(sys.argv) > 1:
        sizes = [(int(sys.argv[1]), int(sys.argv[2]))]
    print(f"{'images':>8} {'patients':>9} {'images s':>9} {'patients s':>11} {'both s':>7} {'peak MB':>8}")  # noqa: T201
    for n_images, n_patients in sizes:
        images = make_units(n_images, n_patients, random)
        seconds = [_measure(units) for units in (images, patient_units(images))]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(  # noqa: T201
            f"{n_images:>8} {n_patients:>9} {seconds[0]:>9.2f} {seconds[1]:>11.2f} {sum(seconds):>7.2f} {peak:>8.0f}"
        )


def _measure(units: Units) -> float:
    started = time.perf_counter()
    bootstrap(units, lambda counts: weighted_metrics(units, counts), RESAMPLES, np.random.default_rng(7))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
