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
    smallest_size: int = 32,
    **arguments: Any,
) -> Network:
    """An entry of the registry.

    Parameters
    ----------
    name : str
        In `params.yaml`.
    he_start : bool
        Whether random weights are He's, as `start_convolutions` gives them; Keras' own otherwise.
    smallest_size : int
        Of `Network`.
    **arguments
        For the constructor.
    """

    def build(image_size: int, weights: str, pooling: str, variant: str) -> "keras.Model":
        chosen = variants[variant]
        image = (chosen.preprocessing or preprocessing).apply(image_input(image_size))
        options = {"include_top": False, "input_tensor": image, "pooling": pooling, **arguments}
        backbone = build_with_weights(chosen.constructor, name, weights, **options)
        return start_convolutions(backbone) if he_start and weights == "random" else backbone

    return Network(build, variants, preprocessing, smallest_size=smallest_size)


def _rebuilt_family(name: str, variants: dict[str, Variant], he_start: bool = False) -> Network:
    """An entry of the registry whose network is built anew from Keras' own; a ``.h5`` file is one that Keras published.

    See `_family` for the parameters, and `_with_one_preprocessing_layer` for what is built.
    """

    def build(image_size: int, weights: str, pooling: str, variant: str) -> "keras.Model":
        whole_file = weights.endswith(".h5") and not weights.endswith(".weights.h5")
        published = build_with_weights(
            variants[variant].constructor,
            name,
            weights if weights == "imagenet" or whole_file else "random",
            include_top=False,
            input_shape=(image_size, image_size, 3),
            pooling=pooling,
        )
        backbone = _with_one_preprocessing_layer(published, image_size)
        if weights == "random":
            return start_convolutions(backbone) if he_start else backbone
        if weights != "imagenet" and not whole_file:
            load_weights_file(name, backbone, Path(weights))
        return backbone

    return Network(build, variants, STANDARDISED)


def _with_one_preprocessing_layer(published: "keras.Model", image_size: int) -> "keras.Model":
    """The same network and weights as a flat graph, with the whole of its preprocessing in the layer "preprocess".

    Keras' EfficientNet has two or three layers of it: the pixels are divided by 255; a Normalization layer, whose
    published weights hold ImageNet's standard deviation in place of the variance, divides by its square root; and,
    with ImageNet weights only, a second Rescaling divides by that root again (tensorflow issue 49930). All in all
    ``(x / 255 - mean) / deviation``, as the weights were trained. ConvNeXt has one layer that does the same.
    """
    import keras

    image = image_input(image_size)
    scaled = STANDARDISED.apply(image)

    def call(layer: "keras.Layer", *args: Any, **kwargs: Any) -> Any:
        if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)):
            return scaled
        if not isinstance(layer, keras.Sequential):
            return layer(*args, **kwargs)
        (x,) = args
        for each in layer.layers:
            x = _copy(each)(x)
        return x

    backbone = keras.models.clone_model(published, input_tensors=image, call_function=call, clone_function=_copy)
    values = published.get_weights()[len(published.weights) - len(backbone.weights) :]
    shapes = [weight.shape for weight in backbone.weights]
    backbone.set_weights(
        [value if value.shape == shape else value.swapaxes(2, 3) for value, shape in zip(values, shapes, strict=True)]
    )
    return backbone


def _copy(layer: "keras.Layer") -> "keras.Layer":
    """The layer anew; one that convolves each channel by itself as the depthwise layer that it is.

    On CPUs TensorFlow's grouped convolution takes twenty times as long.
    """
    import keras

    config = layer.get_config()
    if not isinstance(layer, keras.layers.Conv2D) or layer.groups == 1:
        return type(layer).from_config(config)
    taken = {key: config[key] for key in ("name", "kernel_size", "strides", "padding", "use_bias")}
    return keras.layers.DepthwiseConv2D(**taken)


# Tan, Le (2019), EfficientNet: rethinking model scaling for convolutional neural networks, ICML, arXiv:1905.11946.
EFFICIENTNET = {
    "B0": Variant(224, 1280, 4_049_564, "EfficientNetB0"),
    "B4": Variant(380, 1792, 17_673_816, "EfficientNetB4"),
    "B7": Variant(600, 2560, 64_097_680, "EfficientNetB7"),
}

APPLICATIONS = {
    # He, Zhang, Ren, Sun (2016), Identity mappings in deep residual networks, ECCV, arXiv:1603.05027.
    "resnet50v2": _family("resnet50v2", SYMMETRIC, {"50": Variant(224, 2048, 23_564_800, "ResNet50V2")}),
    "resnet101v2": _family("resnet101v2", SYMMETRIC, {"101": Variant(224, 2048, 42_626_560, "ResNet101V2")}),
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
    "efficientnet": _rebuilt_family("efficientnet", EFFICIENTNET, he_start=True),
    # Simonyan, Zisserman (2014), Very deep convolutional networks for large-scale image recognition, ICLR 2015,
    # arXiv:1409.1556.
    "vgg16": _family("vgg16", CAFFE, {"16": Variant(224, 512, 14_714_688, "VGG16")}),
    # Huang, Liu, van der Maaten, Weinberger (2017), Densely connected convolutional networks, CVPR, arXiv:1608.06993.
    "densenet121": _family("densenet121", STANDARDISED, {"121": Variant(224, 1024, 7_037_504, "DenseNet121")}),
    # Liu, Mao, Wu, Feichtenhofer, Darrell, Xie (2022), A ConvNet for the 2020s, CVPR, arXiv:2201.03545.
    "convnext": _rebuilt_family(
        "convnext",
        {
            "tiny": Variant(224, 768, 27_820_128, "ConvNeXtTiny"),
            "small": Variant(224, 768, 49_454_688, "ConvNeXtSmall"),
        },
    ),
    # Szegedy, Vanhoucke, Ioffe, Shlens, Wojna (2016), Rethinking the Inception architecture for computer vision, CVPR,
    # arXiv:1512.00567.
    "inceptionv3": _family(
        "inceptionv3",
        SYMMETRIC,
        {"3": Variant(299, 2048, 21_802_784, "InceptionV3")},
        he_start=True,
        smallest_size=75,
    ),
    # Chollet (2017), Xception: deep learning with depthwise separable convolutions, CVPR, arXiv:1610.02357.
    "xception": _family("xception", SYMMETRIC, {"1": Variant(299, 2048, 20_861_480, "Xception")}, he_start=True),
    # Zoph, Vasudevan, Shlens, Le (2018), Learning transferable architectures for scalable image recognition, CVPR,
    # arXiv:1707.07012.
    "nasnetmobile": _family("nasnetmobile", SYMMETRIC, {"mobile": Variant(224, 1056, 4_269_716, "NASNetMobile")}),
    # Howard et al. (2017), MobileNets: efficient convolutional neural networks for mobile vision applications,
    # arXiv:1704.04861.
    "mobilenet": _family("mobilenet", SYMMETRIC, {"1.0": Variant(224, 1024, 3_228_864, "MobileNet")}, he_start=True),
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
