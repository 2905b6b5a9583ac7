"""Stain normalisation by torchstain's NumPy implementation: every image gets the usual stain of the training images.

Macenko et al. (2009), A method for normalizing histology slides for quantitative analysis, ISBI.
Reinhard et al. (2001), Color transfer between images, IEEE Computer Graphics and Applications 21(5).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

METHODS = ("macenko", "reinhard")


def measure_stain(image: NDArray[np.uint8], method: str) -> dict[str, list[Any]] | None:
    """Measure one image's stain.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8
        RGB.
    method : {'macenko', 'reinhard'}
        Macenko: ``vectors`` (3 x 2, optical density of haematoxylin and eosin in red, green, blue) and
        ``concentrations`` (2, the 99th percentile of each). Reinhard: ``means`` and ``deviations`` (3 each, in
        CIE L*a*b*).

    Returns
    -------
    dict or None
        These by name; None where there is too little tissue to measure.
    """
    normalizer = _normalizer(method)
    try:
        # A tile without tissue leaves nothing to take a covariance or a percentile of.
        with np.errstate(all="ignore"):
            normalizer.fit(image)
    except (np.linalg.LinAlgError, IndexError, ValueError):
        return None
    names = _attributes(method)
    measured = {name: np.asarray(getattr(normalizer, attribute), float) for name, attribute in names.items()}
    if not all(np.isfinite(values).all() for values in measured.values()):
        return None
    return {name: values.tolist() for name, values in measured.items()}


def usual_stain(measured: list[dict[str, list[Any]]]) -> dict[str, list[Any]]:
    """The median over images of what `measure_stain` gives: the target of normalisation."""
    return {name: np.median([np.asarray(stain[name]) for stain in measured], axis=0).tolist() for name in measured[0]}


def normalise_stain(image: NDArray[np.uint8], method: str, target: dict[str, list[Any]]) -> NDArray[np.uint8] | None:
    """Give an RGB image (height, width, 3), uint8, the stain of `target`, which `method` has measured.

    None where the image has too little tissue to measure its stain.
    """
    if measure_stain(image, method) is None:
        return None
    normalizer = _normalizer(method)
    for name, attribute in _attributes(method).items():
        setattr(normalizer, attribute, np.asarray(target[name]))
    result = normalizer.normalize(image, stains=False)[0] if method == "macenko" else normalizer.normalize(image)
    normalised: NDArray[np.uint8] = np.asarray(result, np.uint8)
    return normalised


def _normalizer(method: str) -> Any:
    import torchstain

    make = {
        "macenko": torchstain.normalizers.MacenkoNormalizer,
        "reinhard": torchstain.normalizers.ReinhardNormalizer,
    }[method]
    return make(backend="numpy")


def _attributes(method: str) -> dict[str, str]:
    """Where torchstain keeps what it has fitted."""
    if method == "macenko":
        return {"vectors": "HERef", "concentrations": "maxCRef"}
    return {"means": "target_means", "deviations": "target_stds"}
