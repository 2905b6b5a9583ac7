"""EfficientNetV2.

Tan, Le (2021), EfficientNetV2: smaller models and faster training, ICML, arXiv:2104.00298.
"""

from typing import TYPE_CHECKING, Any

from bycase.networks.weights import build_with_weights
from bycase.networks.zoo.preprocessing import image_input, to_standardised

if TYPE_CHECKING:
    import keras


def build_efficientnetv2(image_size: int, weights: str, pooling: str, variant: str = "B0") -> "keras.Model":
    """EfficientNetV2 without its top: B0 has 5,919,312 parameters and 1,280 features.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, 32 or more; `bycase.networks.registry` has the size at which each
        variant's ImageNet weights were trained.
    weights : str
        See `bycase.networks.weights.build_with_weights`.
    pooling : {'avg', 'max'}
        Over the last feature map.
    variant : {'B0', 'B1', 'B2', 'B3', 'S'}
        The size.

    Returns
    -------
    keras.Model
        From RGB float (n, image_size, image_size, 3) in [0, 255] to float32 (n, 1280), B2 1,408, B3 1,536.
        Inside, B0 to B3 standardise each channel by ImageNet's mean and standard deviation; S, whose
        weights were trained otherwise, takes ``x / 128 - 1``.
    """
    import keras

    image = image_input(image_size)
    return build_with_weights(
        getattr(keras.applications, f"EfficientNetV2{variant}"),
        "efficientnetv2",
        weights,
        include_top=False,
        include_preprocessing=False,
        input_tensor=_to_range_of_s(image) if variant == "S" else to_standardised(image),
        pooling=pooling,
    )


def _to_range_of_s(image: Any) -> Any:
    import keras

    return keras.layers.Rescaling(1 / 128, offset=-1.0, name="preprocess")(image)
