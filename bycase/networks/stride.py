"""A backbone that ends earlier than its paper's: where its maps still have a finer resolution.

The last layers of a network trained on ImageNet know whole objects, earlier ones texture, which is what a microscope
shows. CLAM (Lu et al. 2021, Nature Biomedical Engineering 5, 555, arXiv:2004.09666) therefore takes the features of a
ResNet50 after its third residual block, at a stride of 16.
"""

import math
from typing import TYPE_CHECKING

from bycase.core.errors import UserError

if TYPE_CHECKING:
    import keras


def end_at_stride(backbone: "keras.Model", stride: int, name: str) -> "keras.Model":
    """The same backbone up to its last maps at a stride.

    Parameters
    ----------
    backbone : keras.Model
        From images (n, size, size, 3) to features (n, n_features); its last layer pools the last maps.
    stride : int
        Pixels of the image, in either direction, for each value of a map: a power of 2. Where convolutions without
        padding cut margins off, the nearest power counts.
    name : str
        The entry of `zoo`, for the message.

    Returns
    -------
    keras.Model
        Up to the last layer with such maps, pooled as before, with `backbone`'s layers and weights.

    Raises
    ------
    UserError
        If no layer has such maps; names the strides there are.
    """
    import keras

    size, pooling = backbone.input_shape[1], backbone.layers[-1]
    maps = [layer.output for layer in backbone.layers if len(layer.output.shape) == 4]
    ends = {2 ** round(math.log2(size / each.shape[1])): each for each in maps}
    if stride not in ends:
        strides = ", ".join(str(each) for each in sorted(ends) if each > 1)
        raise UserError(f"zoo.{name}.stride: no maps of {name} have a stride of {stride}; choose of {strides}, or null")
    pooled = type(pooling)(name=pooling.name)(ends[stride])
    return keras.Model(backbone.inputs, pooled, name=backbone.name)
