"""A backbone that ends earlier than its paper's: where its maps still have a finer resolution.

The last layers of a network trained on ImageNet know whole objects, earlier ones texture, which is what a microscope
shows. CLAM (Lu et al. 2021, Nature Biomedical Engineering 5, 555, arXiv:2004.09666) therefore takes the features of a
ResNet50 after its third residual block, at a stride of 16.
"""

import math
from typing import TYPE_CHECKING, Any

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
        Up to the end of its last block with such maps, where paths meet in a sum or a concatenation; of a network
        without such blocks, up to its last layer with such maps. Pooled as before; `backbone`'s own layers and weights.

    Raises
    ------
    UserError
        If no layer has such maps; names the strides there are.
    """
    import keras

    pooling = backbone.layers[-1]
    ends = _ends(backbone, keras.Layer) | _ends(backbone, (keras.layers.Add, keras.layers.Concatenate))
    if stride not in ends:
        strides = ", ".join(str(each) for each in sorted(ends) if each > 1)
        raise UserError(f"zoo.{name}.stride: no maps of {name} have a stride of {stride}; choose of {strides}, or null")
    pooled = type(pooling)(name=pooling.name)(ends[stride])
    return keras.Model(backbone.input, pooled, name=backbone.name)


def _ends(backbone: "keras.Model", kinds: Any) -> dict[int, Any]:
    """The last maps that layers of these kinds make, by stride."""
    size = backbone.input_shape[1]
    maps = [layer.output for layer in backbone.layers if isinstance(layer, kinds) and len(layer.output.shape) == 4]
    return {2 ** round(math.log2(size / each.shape[1])): each for each in maps}
