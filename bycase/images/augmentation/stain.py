"""Stain jitter: more or less haematoxylin and eosin, as between laboratories.

Tellez et al. (2018), Whole-slide mitosis detection in H&E breast histology using PHH3 as a reference to train
distilled stain-invariant convolutional networks, IEEE Transactions on Medical Imaging 37(9), arXiv:1808.05896.
Ruifrok and Johnston (2001), Quantification of histochemical staining by color deconvolution, Analytical and
Quantitative Cytology and Histology 23(4).
"""

import math

import cv2
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

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    """
    gain = np.ones((len(images), len(STAINS)))
    gain[:, :JITTERED] = factors
    # Of light as a natural logarithm, as OpenCV has it: its `log`, `transform` and `exp` take a fifth of the time of
    # NumPy's logarithm, product and power, and are exact where a look-up table of grey values, no faster, is not.
    change = np.linalg.inv(STAINS) * gain[:, None] @ STAINS
    added = math.log(10) * shifts @ STAINS[:JITTERED]
    changed = np.empty_like(images)
    for image, out, by_light, by_absorption in zip(images, changed, change, added, strict=True):
        # Black would have no finite density: one grey value more, and off again at the end.
        light = (image + 1) / 256
        logarithm = cv2.transform(cv2.log(light), by_light.T)
        # What is absorbed is 1 minus the mean of red, green and blue.
        absorbed = np.column_stack([np.repeat(by_absorption[:, None] / 3, 3, axis=1), -by_absorption])
        logarithm += cv2.transform(light, absorbed)
        np.clip(256 * cv2.exp(logarithm) - 1, 0, 255, out=out)
    return changed
