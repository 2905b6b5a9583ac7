"""Stain jitter: more or less haematoxylin and eosin, as between laboratories.

Tellez et al. (2018), Whole-slide mitosis detection in H&E breast histology using PHH3 as a reference to train
distilled stain-invariant convolutional networks, IEEE Transactions on Medical Imaging 37(9), arXiv:1808.05896.
Ruifrok and Johnston (2001), Quantification of histochemical staining by color deconvolution, Analytical and
Quantitative Cytology and Histology 23(4).
"""

import numpy as np
from numpy.typing import NDArray

# Optical density of haematoxylin, eosin and DAB in red, green and blue (Ruifrok and Johnston).
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
JITTERED = 2  # haematoxylin and eosin; the third channel is what they do not explain, such as pigment, and is kept


def jitter_stain(images: NDArray[np.float32], strength: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Change each image's amounts c of haematoxylin and eosin to ac + b, each on its own.

    Glass stays white: unlike Tellez et al., b counts in proportion to the light that a pixel absorbs, because
    scanners balance glass to white whatever the stain.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    strength : float
        a is U(1 - strength, 1 + strength) and b is U(-strength, strength), in optical density (base 10).
    random : Generator
        Two numbers an image and stain are drawn from it.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    """
    shape = (len(images), JITTERED)
    return change_stain(
        images, random.uniform(1 - strength, 1 + strength, shape), random.uniform(-strength, strength, shape)
    )


def change_stain(
    images: NDArray[np.float32], factors: NDArray[np.float64], shifts: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Multiply the amounts of haematoxylin and eosin and add to them, see `jitter_stain`.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    factors, shifts : ndarray of shape (n_images, 2)
        Of haematoxylin and eosin.
    """
    # Black would have no finite density: one grey value more, and off again at the end.
    light = (images + 1) / 256
    absorbed = 1 - light @ np.full((3, 1), 1 / 3, np.float32)
    density = -np.log10(light)
    gain = np.ones((len(images), len(STAINS)))
    gain[:, :JITTERED] = factors
    change = (np.linalg.inv(STAINS) * gain[:, None] @ STAINS).astype(np.float32)[:, None]
    added = (shifts @ STAINS[:JITTERED]).astype(np.float32)[:, None, None]
    changed = np.float32(10) ** -(density @ change + absorbed * added)
    return np.clip(256 * changed - 1, 0, 255)
