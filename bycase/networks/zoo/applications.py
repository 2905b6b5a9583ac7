"""The families that `keras.applications` has, without their tops; one table says what is particular to each.

Keras rescales inside some of them and not inside others. Here each gets RGB in [0, 255] and does its preprocessing in
one layer, "preprocess", which comes before Keras' own layers; what these would do again is left out.

Weights of MobileNetV2 that were recovered from a TFLite model come with batch norm folded into the convolutions: mean
0, variance 1, scale sqrt(1.001), so that each batch norm layer only adds a bias. In inference mode, which is how the
pipeline keeps batch norm when it unfreezes layers, they are used like Keras' own. Training such a layer in training
mode (as `mode: end_to_end` does) would standardise by the batch what was never standardised, and lose what the weights
know.

VGG16 has no batch norm: from random weights it learns slowly.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.networks.weights import build_with_weights, load_weights_file
from bycase.networks.zoo.network import Network, Variant
from bycase.networks.zoo.preprocessing import BY_128, CAFFE, STANDARDISED, SYMMETRIC, Preprocessing, image_input
from bycase.networks.zoo.scratch import start_convolutions

if TYPE_CHECKING:
    import keras


def _family(
    name: str,
    preprocessing: Preprocessing,
    variants: dict[str, Variant],
    he_start: bool = False,
    **arguments: Any,
) -> Network:
    """An entry of the registry.

    Parameters
    ----------
    name : str
        In `params.yaml`.
    he_start : bool
        Whether random weights are He's, as `start_convolutions` gives them; Keras' own otherwise.
    **arguments
        For the constructor.
    """

    def build(image_size: int, weights: str, pooling: str, variant: str) -> "keras.Model":
        chosen = variants[variant]
        image = (chosen.preprocessing or preprocessing).apply(image_input(image_size))
        options = {"include_top": False, "input_tensor": image, "pooling": pooling, **arguments}
        backbone = build_with_weights(chosen.constructor, name, weights, **options)
        return start_convolutions(backbone) if he_start and weights == "random" else backbone

    return Network(build, variants, preprocessing)


def build_efficientnet(image_size: int, weights: str, pooling: str, variant: str) -> "keras.Model":
    """EfficientNet, whose preprocessing Keras cannot leave out; a ``.h5`` file is one that Keras published."""
    whole_file = weights.endswith(".h5") and not weights.endswith(".weights.h5")
    published = build_with_weights(
        EFFICIENTNET[variant].constructor,
        "efficientnet",
        weights if weights == "imagenet" or whole_file else "random",
        include_top=False,
        input_shape=(image_size, image_size, 3),
        pooling=pooling,
    )
    backbone = _with_one_preprocessing_layer(published, image_size)
    if weights == "random":
        return start_convolutions(backbone)
    if weights != "imagenet" and not whole_file:
        load_weights_file("efficientnet", backbone, Path(weights))
    return backbone


def _with_one_preprocessing_layer(published: "keras.Model", image_size: int) -> "keras.Model":
    """The same network and weights, with the whole of its preprocessing in the layer "preprocess".

    Keras' has two or three layers: the pixels are divided by 255; a Normalization layer, whose published
    weights hold ImageNet's standard deviation in place of the variance, divides by its square root; and,
    with ImageNet weights only, a second Rescaling divides by that root again (tensorflow issue 49930).
    All in all ``(x / 255 - mean) / deviation``, as the weights were trained.
    """
    import keras

    image = image_input(image_size)
    scaled = STANDARDISED.apply(image)

    def call(layer: "keras.Layer", *args: Any, **kwargs: Any) -> Any:
        if not isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)):
            return layer(*args, **kwargs)
        return scaled

    backbone = keras.models.clone_model(published, input_tensors=image, call_function=call)
    first = len(published.weights) - len(backbone.weights)
    backbone.set_weights(published.get_weights()[first:])
    return backbone


# Tan, Le (2019), EfficientNet: rethinking model scaling for convolutional neural networks, ICML, arXiv:1905.11946.
EFFICIENTNET = {
    "B0": Variant(224, 1280, 4_049_564, "EfficientNetB0"),
    "B4": Variant(380, 1792, 17_673_816, "EfficientNetB4"),
    "B7": Variant(600, 2560, 64_097_680, "EfficientNetB7"),
}

APPLICATIONS = {
    # He, Zhang, Ren, Sun (2016), Identity mappings in deep residual networks, ECCV, arXiv:1603.05027.
    "resnet50v2": _family("resnet50v2", SYMMETRIC, {"50": Variant(224, 2048, 23_564_800, "ResNet50V2")}),
    # He, Zhang, Ren, Sun (2015), Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385.
    "resnet50": _family("resnet50", CAFFE, {"50": Variant(224, 2048, 23_587_712, "ResNet50")}),
    # Tan, Le (2021), EfficientNetV2: smaller models and faster training, ICML, arXiv:2104.00298.
    "efficientnetv2": _family(
        "efficientnetv2",
        STANDARDISED,
        {
            "B0": Variant(224, 1280, 5_919_312, "EfficientNetV2B0"),
            "B1": Variant(240, 1280, 6_931_124, "EfficientNetV2B1"),
            "B2": Variant(260, 1408, 8_769_374, "EfficientNetV2B2"),
            "B3": Variant(300, 1536, 12_930_622, "EfficientNetV2B3"),
            # Its weights were trained otherwise.
            "S": Variant(384, 1280, 20_331_360, "EfficientNetV2S", BY_128),
        },
        include_preprocessing=False,
    ),
    "efficientnet": Network(build_efficientnet, EFFICIENTNET, STANDARDISED),
    # Simonyan, Zisserman (2014), Very deep convolutional networks for large-scale image recognition, ICLR 2015,
    # arXiv:1409.1556.
    "vgg16": _family("vgg16", CAFFE, {"16": Variant(224, 512, 14_714_688, "VGG16")}),
    # Sandler, Howard, Zhu, Zhmoginov, Chen (2018), MobileNetV2: inverted residuals and linear bottlenecks, CVPR,
    # arXiv:1801.04381.
    "mobilenetv2": _family(
        "mobilenetv2", SYMMETRIC, {"1.0": Variant(224, 1280, 2_257_984, "MobileNetV2")}, he_start=True
    ),
    # Howard et al. (2019), Searching for MobileNetV3, ICCV, arXiv:1905.02244.
    "mobilenetv3": _family(
        "mobilenetv3",
        SYMMETRIC,
        {
            "large": Variant(224, 960, 2_996_352, "MobileNetV3Large"),
            "small": Variant(224, 576, 939_120, "MobileNetV3Small"),
        },
        he_start=True,
        include_preprocessing=False,
    ),
}
