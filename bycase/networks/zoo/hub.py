"""Vision transformers of KerasHub, the successor of keras-cv: each variant is one of its presets, under its name there.

ImageNet weights, as `params.yaml` calls a preset's published ones, are downloaded with the preset, and so is what it
does to an image: its own converter's scale and offset are this network's layer "preprocess", which `contract` holds
against what the paper's weights expect. DINOv2's weights are of LVD-142M, 142 million images without labels.

A transformer gives a vector for each patch of the image and, but for Swin, a class token. Here the patches are a map,
whose channels are a patch's vector followed by the class token's, so that pooling it gives both, as
Vorontsov et al. (2024, Nature Medicine 30, 2924, arXiv:2309.07778) use them, and what the network sees has a place.

The transformer is one layer, trained as a whole or not at all, and KerasHub's own: loading a saved network needs the
package.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bycase.core.errors import UserError
from bycase.core.packages import need
from bycase.networks.weights import first_words, load_weights_file
from bycase.networks.zoo.network import Network, Variant
from bycase.networks.zoo.preprocessing import STANDARDISED, SYMMETRIC, Preprocessing, image_input, rescale_by
from bycase.networks.zoo.scratch import pooled

if TYPE_CHECKING:
    import keras


class Preset(NamedTuple):
    """A preset of KerasHub.

    Attributes
    ----------
    input_size : int
        Pixels of the images that its weights were trained on.
    features : int
        Length of a patch's vector and, but for Swin, of the class token's together.
    parameters : int
        As KerasHub states them; of DINOv2 at its own image size.
    config : dict
        Arguments of the backbone's constructor.
    """

    input_size: int
    features: int
    parameters: int
    config: Mapping[str, Any]


class Family(NamedTuple):
    """The presets of one kind of backbone.

    Attributes
    ----------
    name : str
        In `params.yaml`.
    backbone : str
        Its class in `keras_hub.models`.
    preprocessing : Preprocessing
        With which its weights were trained.
    presets : dict of str to Preset
        By name; the first is the default.
    sizes : callable
        ``sizes(config)`` gives the smallest side of the images that a preset's constructor takes, and their step, in
        pixels.
    fixed_size : bool
        Whether published weights take images of the size they were trained on and no others.
    overrides : dict
        Of the constructor's arguments, what is not as in a preset.
    """

    name: str
    backbone: str
    preprocessing: Preprocessing
    presets: dict[str, Preset]
    sizes: Callable[[Mapping[str, Any]], tuple[int, int]]
    fixed_size: bool = False
    overrides: Mapping[str, Any] = {}

    def build(self, image_size: int, weights: str, pooling: str, variant: str) -> "keras.Model":
        """The network; see `bycase.networks.zoo.network.Network`."""
        hub = need("keras_hub", f"zoo.{self.name}", "choose another model")
        preset, constructor = self.presets[variant], getattr(hub.models, self.backbone)
        shape = {"image_shape": (image_size, image_size, 3), **self.overrides}
        image = image_input(image_size)
        if weights == "imagenet":
            backbone, converter = _published(hub, constructor, self.name, variant, shape)
            scaled = rescale_by(image, _numbers(converter.scale, 1.0), _numbers(converter.offset, 0.0))
        else:
            backbone, scaled = constructor(**preset.config, **shape), self.preprocessing.apply(image)
            if weights != "random":
                load_weights_file(self.name, backbone, Path(weights))
        # One layer, since KerasHub's own layers can't be saved outside of their model.
        sequence = backbone({"images": scaled} if isinstance(backbone.input, dict) else scaled)
        return pooled(self.name, image, _as_map(sequence, preset.config), pooling)

    def refuse_size(self, image_size: int, weights: str, variant: str) -> None:
        """Refuse images that a preset does not take; see `bycase.networks.zoo.network.Network`."""
        preset = self.presets[variant]
        smallest, step = self.sizes(preset.config)
        takes = ""
        if weights == "imagenet" and self.fixed_size and image_size != preset.input_size:
            takes = f"{preset.input_size}: it has learned the positions of so many patches and no others"
        elif image_size % step or image_size < smallest:
            takes = f"multiples of {step} from {smallest} up"
        if takes:
            raise UserError(
                f"datasets.<name>.image_size: {image_size} pixels do not fit {variant}, which takes {takes}"
            )

    def network(self) -> Network:
        """The entry of the registry."""
        variants = {name: Variant(*preset[:3]) for name, preset in self.presets.items()}
        return Network(self.build, variants, self.preprocessing, refuse_size=self.refuse_size)


def _published(
    hub: Any, constructor: Any, name: str, preset: str, arguments: dict[str, Any]
) -> tuple["keras.Model", "keras.Layer"]:
    """A preset's backbone with its weights, and its image converter."""
    try:
        return (
            constructor.from_preset(preset, **arguments),
            hub.layers.ImageConverter.from_preset(preset),
        )
    # What its clients raise where Kaggle does not answer, or does not have the file, has no class in common.
    except Exception as error:
        raise UserError(
            f"preset {preset} cannot be had from Kaggle ({first_words(error)}); three ways out: connect to the network "
            f"and run again, set zoo.{name}.weights to random, or set it to the path of the preset's model.weights.h5"
        ) from None


def _numbers(given: Any, default: float) -> float | list[float]:
    """A converter's scale or offset: one number, or one a channel."""
    if given is None:
        return default
    return float(given) if isinstance(given, int | float) else [float(each) for each in given]


def _as_map(sequence: Any, config: Mapping[str, Any]) -> Any:
    """The patches of (n, tokens, channels) as (n, rows, columns, channels), the class token's channels after theirs."""
    import keras

    first, length = _tokens_before(config), sequence.shape[1]
    side = round((length - first) ** 0.5)
    if first:
        patches = keras.layers.Cropping1D((first, 0), name="patches")(sequence)
        token = keras.layers.Cropping1D((0, length - 1), name="class_token")(sequence)
        everywhere = keras.layers.UpSampling1D(side * side, name="class_token_everywhere")(token)
        sequence = keras.layers.Concatenate(name="patches_and_class_token")([patches, everywhere])
    return keras.layers.Reshape((side, side, sequence.shape[-1]), name="map")(sequence)


def _tokens_before(config: Mapping[str, Any]) -> int:
    """Tokens before the patches': the class token, which Swin has none of, and registers."""
    return 0 if "window_size" in config else 1 + int(config.get("num_register_tokens", 0))


def _vit(size: int, patch: int, layers: int, heads: int, width: int, parameters: int) -> Preset:
    sizes = {"patch_size": patch, "num_layers": layers, "num_heads": heads, "hidden_dim": width, "mlp_dim": 4 * width}
    return Preset(size, 2 * width, parameters, sizes)


def _swin(size: int, window: int, depth: int, width: int, parameters: int) -> Preset:
    config = {
        "embed_dim": width,
        "depths": (2, 2, depth, 2),
        "num_heads": tuple(width // 32 * 2**stage for stage in range(4)),
        "window_size": window,
    }
    return Preset(size, 8 * width, parameters, config)


def _whole_patches(config: Mapping[str, Any]) -> tuple[int, int]:
    """Sizes that patches tile, two of them a side at least."""
    return 2 * config["patch_size"], config["patch_size"]


def _whole_windows(config: Mapping[str, Any]) -> tuple[int, int]:
    """Sizes of which no map, halved from stage to stage after patches of 4 pixels, is smaller than a window."""
    step = 4 * 2 ** (len(config["depths"]) - 1)
    return step * config["window_size"], step


def _dinov2(layers: int, heads: int, width: int, parameters: int, registers: bool = False) -> Preset:
    config = {
        "patch_size": 14,
        "num_layers": layers,
        "num_heads": heads,
        "hidden_dim": width,
        "intermediate_dim": 4 * width,
        "num_register_tokens": 4 * registers,
        "antialias_in_interpolation": registers,
    }
    return Preset(518, 2 * width, parameters, config)


FAMILIES = (
    # Dosovitskiy et al. (2021), An image is worth 16x16 words: transformers for image recognition at scale, ICLR,
    # arXiv:2010.11929.
    Family(
        "vit",
        "ViTBackbone",
        SYMMETRIC,
        {
            "vit_base_patch16_224_imagenet": _vit(224, 16, 12, 12, 768, 85_798_656),
            "vit_base_patch16_384_imagenet": _vit(384, 16, 12, 12, 768, 86_090_496),
            "vit_base_patch32_384_imagenet": _vit(384, 32, 12, 12, 768, 87_528_192),
            "vit_base_patch16_224_imagenet21k": _vit(224, 16, 12, 12, 768, 85_798_656),
            "vit_base_patch32_224_imagenet21k": _vit(224, 32, 12, 12, 768, 87_455_232),
            "vit_large_patch16_224_imagenet": _vit(224, 16, 24, 16, 1024, 303_301_632),
        },
        _whole_patches,
        fixed_size=True,
    ),
    # Liu et al. (2021), Swin transformer: hierarchical vision transformer using shifted windows, ICCV,
    # arXiv:2103.14030.
    Family(
        "swin",
        "SwinTransformerBackbone",
        STANDARDISED,
        {
            "swin_tiny_patch4_window7_224": _swin(224, 7, 6, 96, 27_519_354),
            "swin_small_patch4_window7_224": _swin(224, 7, 18, 96, 48_837_258),
            "swin_base_patch4_window7_224": _swin(224, 7, 18, 128, 86_743_224),
            "swin_base_patch4_window12_384": _swin(384, 12, 18, 128, 86_878_584),
            "swin_large_patch4_window7_224": _swin(224, 7, 18, 192, 194_995_476),
        },
        _whole_windows,
        # KerasHub 0.29 draws these paths by a function that Keras does not have, so that training stops at them.
        overrides={"drop_path": 0.0},
    ),
    # Oquab et al. (2024), DINOv2: learning robust visual features without supervision, TMLR, arXiv:2304.07193; with
    # registers, Darcet et al. (2024), Vision transformers need registers, ICLR, arXiv:2309.16588.
    Family(
        "dinov2",
        "DINOV2Backbone",
        STANDARDISED,
        {
            "dinov2_small": _dinov2(12, 6, 384, 22_582_656),
            "dinov2_base": _dinov2(12, 12, 768, 87_632_640),
            "dinov2_large": _dinov2(24, 16, 1024, 305_771_520),
            "dinov2_with_registers_small": _dinov2(12, 6, 384, 22_584_192, registers=True),
            "dinov2_with_registers_base": _dinov2(12, 12, 768, 87_635_712, registers=True),
        },
        _whole_patches,
    ),
)
HUB = {family.name: family.network() for family in FAMILIES}
