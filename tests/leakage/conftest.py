from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

Sample = tuple[NDArray[np.float64], pd.DataFrame]
MakeSample = Callable[..., Sample]


@pytest.fixture(scope="session")
def make_sample() -> MakeSample:
    """``make_sample(signal, identity)``: features that carry the class and the patient, each as strongly as said.

    A patient has two folders, magnifications alternate, and classes are dealt out to patients in turn.
    """

    def make(
        signal: float = 0.0,
        identity: float = 0.0,
        *,
        patients: int = 30,
        images: int = 8,
        classes: int = 2,
        seed: int = 0,
    ) -> Sample:
        random = np.random.default_rng(seed)
        patient = np.repeat(np.arange(patients), images)
        number = np.tile(np.arange(images), patients)
        label = patient % classes
        features = random.normal(size=(len(patient), 40))
        features += identity * random.normal(size=(patients, 40))[patient]
        features[np.arange(len(patient)), label] += signal
        manifest = pd.DataFrame(
            {
                "image": [f"{k:05d}.png" for k in range(len(patient))],
                "label": np.array(["a", "b", "c", "d"])[label],
                "magnification": np.where(number % 2, 40, 200),
                "folder": [f"{p}/{n * 2 // images}" for p, n in zip(patient, number, strict=True)],
                "case": [f"case {p}" for p in patient],
                "group": [f"group {p}" for p in patient],
            }
        )
        return features, manifest

    return make
