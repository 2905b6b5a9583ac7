"""Flips, rotation, zoom and random resized crop, as one resampling by OpenCV.

One affine map an image instead of one layer after another, since every interpolation blurs. Keras' RandomFlip is
no choice besides: with 'horizontal_and_vertical' it makes both flips or neither (Keras 3.15), which a rotation
could do as well.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from bycase.core.params_training import AugmentParams

LARGEST_ASPECT = 4 / 3  # of a crop's width to its height, or the reverse; as torchvision's RandomResizedCrop


def transform(images: NDArray[np.uint8], params: AugmentParams, random: np.random.Generator) -> NDArray[np.float32]:
    """Flip, rotate, zoom and crop each image in its own way; what lies beyond an image's edge is its reflection.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    params : AugmentParams
        `flip`, `rotation`, `zoom` and `crop`.
    random : Generator
        The same numbers are drawn from it whichever changes are on.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255], resampled bilinearly.
    """
    size = images.shape[1]
    transformed = images.astype(np.float32)
    for image, (linear, shift) in zip(transformed, draw_maps(len(images), params, random), strict=True):
        # Pixel i of an axis has its centre at (i + 0.5) / size - 0.5.
        centre = (size - 1) / 2
        offset = centre - linear @ [centre, centre] + size * shift
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        image[:] = cv2.warpAffine(
            image, np.column_stack([linear, offset]), (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT
        )
    return transformed


def draw_maps(
    n_images: int, params: AugmentParams, random: np.random.Generator
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Draw for each image where its new pixels come from.

    Returns
    -------
    list of (ndarray of shape (2, 2), ndarray of shape (2,))
        `linear` and `shift`: what is now at (x, y) was at ``linear @ (x, y) + shift``; an image spans [-0.5, 0.5].
    """
    flips = np.where(random.random((n_images, 2)) < 0.5, -1.0, 1.0)
    flips[:, 0] = flips[:, 0] if params.flip in ("horizontal", "both") else 1
    flips[:, 1] = flips[:, 1] if params.flip in ("vertical", "both") else 1
    angle = 2 * np.pi * random.uniform(-params.rotation, params.rotation, n_images)
    zoom = random.uniform(1 - params.zoom, 1 + params.zoom, n_images)
    windows = draw_windows(n_images, params.crop, random)
    maps = []
    for flip, a, scale, (width, height, x, y) in zip(flips, angle, zoom, windows, strict=True):
        rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        # Read from the right: a crop of what is zoomed, of what is rotated, of what is flipped. The crop comes last
        # so that it may leave out the reflections at a rotated image's corners.
        outer = np.diag(flip) @ rotation * scale
        maps.append((outer @ np.diag([width, height]), outer @ [x, y]))
    return maps


def draw_windows(n_images: int, least: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw windows of a random resized crop.

    Their area is uniform in [least, 1]; their aspect is log-uniform in [3/4, 4/3] as far as a window of that area
    fits (torchvision draws again where it does not; keras-cv's RandomCropAndResize cuts the window off, which leaves
    less than the least area).

    Parameters
    ----------
    least : float
        Smallest area of a window, as a share of the image's.

    Returns
    -------
    ndarray of shape (n_images, 4)
        Width, height and centre (x, y), in an image that spans [-0.5, 0.5].
    """
    area = random.uniform(least, 1, n_images)
    widest = np.minimum(np.log(LARGEST_ASPECT), -np.log(area))
    aspect = np.exp(widest * random.uniform(-1, 1, n_images))
    sides = np.sqrt(np.stack([area * aspect, area / aspect], axis=1))
    centres = (1 - sides) * random.uniform(-0.5, 0.5, (n_images, 2))
    return np.hstack([sides, centres])
