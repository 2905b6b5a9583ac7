"""Contrast enhancement and noise reduction by OpenCV, as ultrasound recipes use them.

Zuiderveld (1994), Contrast limited adaptive histogram equalization, Graphics Gems IV.
Buades, Coll, Morel (2011), Non-local means denoising, Image Processing On Line 1.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

TILES = (8, 8)


def enhance_contrast(image: NDArray[np.uint8], clip_limit: float) -> NDArray[np.uint8]:
    """Equalise the lightness of an RGB image (height, width, 3), uint8, locally (CLAHE); colours keep their hue.

    `clip_limit` says how far the contrast may be raised; 1 hardly, 4 strongly.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clip_limit, TILES).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def reduce_noise(image: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    """Average over patches of an RGB image (height, width, 3), uint8, that look alike (non-local means).

    `strength` is the filter's ``h``, about the noise's standard deviation in grey values.
    """
    return np.asarray(cv2.fastNlMeansDenoisingColored(image, None, strength, strength), np.uint8)
