"""mResNet: ResNet-50 with dilated convolutions, squeeze-and-excitation and fewer blocks.

Maini, Singh, Saxena (2025), Breast tumor classification with fine-tuned hyperparameter training using deep learning
models, doi:10.1109/IEEECONF64992.2025.10963186, name these three changes of ResNet-50 and no numbers. The choices here:

- two bottleneck blocks in each of the four stages, against 3, 4, 6 and 3: 8 in place of 16;
- dilation in the last two stages, as Chen, Papandreou, Schroff, Adam (2017), arXiv:1706.05587, for an output stride of
  16: the third stage dilates its second block by 2, the fourth keeps the third's resolution and dilates by 2 and 4, so
  that its map has twice ResNet-50's sides;
- squeeze-and-excitation in every block, before the addition, with reduction 16: Hu, Shen, Sun (2017), CVPR 2018,
  arXiv:1709.01507. The gates, a number in (0, 1) a channel, are the outputs of the layers "stage<i>_block<j>_se_gate".

The paper starts from ResNet-50's ImageNet weights. They do not fit this network, so it is trained from scratch.
"""

from typing import Any

from bycase.networks.zoo.scratch import normalised_convolution

# Channels within a stage's blocks, stride of its first block, dilation of each block.
STAGES = ((64, 1, (1, 1)), (128, 2, (1, 1)), (256, 2, (1, 2)), (512, 1, (2, 4)))
EXPANSION = 4
REDUCTION = 16


def mresnet_layers(x: Any) -> Any:
    """ResNet-50 as mResNet changes it, to 2,048 channels."""
    import keras

    x = normalised_convolution(x, 64, 7, "stem_conv", strides=2)
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    for stage, (channels, stride, dilations) in enumerate(STAGES, 1):
        for block, dilation in enumerate(dilations, 1):
            x = _block(x, channels, stride if block == 1 else 1, dilation, f"stage{stage}_block{block}")
    return x


def _block(x: Any, channels: int, stride: int, dilation: int, name: str) -> Any:
    """A bottleneck with squeeze-and-excitation, added to its input."""
    import keras

    shortcut, wide = x, EXPANSION * channels
    if stride > 1 or x.shape[-1] != wide:
        shortcut = normalised_convolution(x, wide, 1, f"{name}_shortcut", activate=False, strides=stride)
    x = normalised_convolution(x, channels, 1, f"{name}_conv1")
    x = normalised_convolution(x, channels, 3, f"{name}_conv2", strides=stride, dilation_rate=dilation)
    x = normalised_convolution(x, wide, 1, f"{name}_conv3", activate=False)
    x = keras.layers.Add(name=f"{name}_add")([shortcut, _squeeze_and_excite(x, name)])
    return keras.layers.ReLU(name=f"{name}_out")(x)


def _squeeze_and_excite(x: Any, name: str) -> Any:
    """Weigh the channels by a gate that sees their means."""
    import keras

    channels = x.shape[-1]
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_se_squeeze")(x)
    gate = keras.layers.Dense(channels // REDUCTION, "relu", kernel_initializer="he_normal", name=f"{name}_se_reduce")(
        gate
    )
    gate = keras.layers.Dense(channels, "sigmoid", name=f"{name}_se_gate")(gate)
    return keras.layers.Multiply(name=f"{name}_se")([x, gate])
