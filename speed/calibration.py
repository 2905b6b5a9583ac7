"""`python -m speed.calibration [RUNS]`: what the numbers on calibration are worth, on simulated calibrated predictions.

For each design and number of patients, of 5 to 35 images each: how often the test of calibration rejects calibrated
predictions at .05 (type I), and those whose log odds are doubled (power); the mean calibration error, the mean that was
expected by chance, and the debiased one; and how often the 95 % intervals of slope, intercept and
calibration-in-the-large hold 1, 0 and 0. Designs: `shared` (each image has its own outcome; outcomes of one patient are
correlated by .5 on the normal scale beyond the predictions), `label` (one outcome a patient, .7 positive, image AUC
.98), `sharp` (likewise, .997). Seeded; 1,000 runs by default.
"""

import sys

import numpy as np
from scipy.special import expit, logit, ndtr

from bycase.statistics.calibration.bins import Forecasts
from bycase.statistics.calibration.errors import measure_error
from bycase.statistics.calibration.recalibration import log_odds, recalibrate
from bycase.statistics.units import Bools, Floats, Integers

DESIGNS = ("shared", "label", "sharp")
PATIENTS = (12, 40, 80)
DRAWS = 400
TRUTH = {"slope": 1.0, "intercept": 0.0, "in_the_large": 0.0}
POSITIVE = 0.7


def draw_calibrated(design: str, patients: int, random: np.random.Generator) -> tuple[Bools, Floats, Integers]:
    """Outcome, its probability given what is predicted from, and patient of each image; (n_images,)."""
    patient = np.repeat(np.arange(patients), random.integers(5, 36, patients))
    n = len(patient)
    if design == "shared":
        confidence = expit(0.8 + 1.2 * random.normal(size=patients)[patient] + 1.2 * random.normal(size=n))
        latent = np.sqrt(0.5) * (random.normal(size=patients)[patient] + random.normal(size=n))
        return ndtr(latent) < confidence, confidence, patient
    distance, shared = (2.0, 0.5) if design == "label" else (3.0, 0.7)
    positive = random.random(patients) < POSITIVE
    if positive.all() or not positive.any():
        return draw_calibrated(design, patients, random)
    noise = np.sqrt(shared) * random.normal(size=patients)[patient] + np.sqrt(1 - shared) * random.normal(size=n)
    score = distance * positive[patient] + noise
    return positive[patient], expit(logit(POSITIVE) + distance * score - distance**2 / 2), patient


def make_forecasts(outcome: Bools, confidence: Floats) -> Forecasts:
    """Forecasts of which only the calibration is looked at."""
    losses = np.zeros(len(outcome))
    return Forecasts(outcome, confidence, losses, losses)


def main() -> None:
    """Print one row a design and number of patients."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    random = np.random.default_rng(0)
    header = ("design", "patients", "type I", "power", "ECE", "expected", "debiased", *TRUTH)
    print("".join(f"{name:>13}" for name in header))  # noqa: T201
    for design in DESIGNS:
        for patients in PATIENTS:
            rows = np.mean([_run(*draw_calibrated(design, patients, random), random) for _ in range(runs)], axis=0)
            print(f"{design:>13}{patients:>13}" + "".join(f"{value:13.3f}" for value in rows), flush=True)  # noqa: T201


def _run(outcome: Bools, confidence: Floats, patient: Integers, random: np.random.Generator) -> list[float]:
    true = measure_error(make_forecasts(outcome, confidence), patient, DRAWS, random)
    doubled = measure_error(make_forecasts(outcome, expit(2 * log_odds(confidence))), patient, DRAWS, random)
    fits = recalibrate(outcome, confidence, patient)
    held = [fits[name].low <= value <= fits[name].high for name, value in TRUTH.items()]
    return [true.p <= 0.05, doubled.p <= 0.05, true.observed, true.expected, true.debiased, *held]


if __name__ == "__main__":
    main()
