"""The network in two: up to its last feature map, and from there to its scores before sigmoid or softmax."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bycase.core.errors import UserError
from bycase.networks.repeated import HEAD, split_at_head

if TYPE_CHECKING:
    import keras

# What only shrinks a map or leaves parts of it out: the map before it says more of places.
PASSED_OVER = ("AveragePooling2D", "MaxPooling2D", "Dropout", "SpatialDropout2D")
POOLING = (*PASSED_OVER, "GlobalAveragePooling2D", "GlobalMaxPooling2D")


@dataclass(frozen=True)
class Halves:
    """A network cut at its last feature map; the parts share its weights, and follow their changes.

    Attributes
    ----------
    body : keras.Model
        From RGB (n, height, width, 3) in [0, 255] to the map (n, rows, columns, channels); standardised, where the
        head begins with that.
    top : keras.Model
        From the map to what the last layer takes.
    last : keras.layers.Dense
        The last layer, with sigmoid or softmax.
    """

    body: "keras.Model"
    top: "keras.Model"
    last: "keras.layers.Dense"

    def logits(self, maps: Any) -> Any:
        """Scores before sigmoid, (n, 1), or softmax, (n, n_classes), of feature maps; tensors of Keras' backend."""
        import keras

        taken = keras.ops.cast(self.top(maps, training=False), "float32")
        return keras.ops.matmul(taken, self.last.kernel) + self.last.bias


def halve(network: "keras.Model") -> Halves:
    """Cut a network at its last feature map.

    Where the head standardises the pooled features, the map is standardised in their place: the score is the same,
    since that commutes with pooling, but a place is then held against the training images' mean, not against 0. Of
    features that lie far from 0 for every image, all places would else speak for one and the same class.

    Parameters
    ----------
    network : keras.Model
        Of `bycase.networks.head.join`.

    Raises
    ------
    UserError
        If it has no head, or no map of more than one place.
    """
    import keras

    if not any(layer.name == HEAD and isinstance(layer, keras.Model) for layer in network.layers):
        raise UserError(f"network {network.name} has no part '{HEAD}': 'dvc repro train' did not write it")
    features, head = split_at_head(network)
    place, last = last_map(features), head.layers[-1]
    start, given = head.input, place
    standardise = _standardisation(head) if _only_pooled(features, place) else None
    if standardise is not None:
        mean, variance = (keras.ops.convert_to_numpy(v).ravel() for v in (standardise.mean, standardise.variance))
        start, given = standardise.output, keras.layers.Normalization(mean=mean, variance=variance)(place)
    image = keras.Input(place.shape[1:], name="map")
    taken = keras.Model(place, features.output)(image)
    if start is not last.input:
        taken = keras.Model(start, last.input)(taken)
    return Halves(keras.Model(network.input, given), keras.Model(image, taken, name="top"), last)


def _standardisation(head: "keras.Model") -> Any:
    """The head's first layer if it standardises, else None."""
    import keras

    first = head.layers[1]
    return first if isinstance(first, keras.layers.Normalization) else None


def _only_pooled(features: "keras.Model", place: Any) -> bool:
    """Whether nothing but pooling comes after a map."""
    number = next(k for k, operation in enumerate(features.operations) if operation.output is place)
    return all(type(operation).__name__ in POOLING for operation in features.operations[number + 1 :])


def last_map(features: "keras.Model") -> Any:
    """The last feature map of more than one place, all of what is later depending on the image through it alone.

    Of a network from images to a vector of features; gives a KerasTensor (None, rows, columns, channels) of a layer
    that does more than pool or leave out.

    Raises
    ------
    UserError
        If there is none.
    """
    chosen = None
    latest = 0  # of the operations that take what earlier ones give
    operations = features.operations
    for number, (operation, use) in enumerate(zip(operations, _last_uses(features), strict=True)):
        shape: tuple[int, ...] = getattr(operation.output, "shape", ())
        passed_by = latest > number
        if number and not passed_by and len(shape) == 4 and type(operation).__name__ not in PASSED_OVER:
            chosen = operation.output if shape[1] * shape[2] > 1 else chosen
        latest = max(latest, use)
    if chosen is None:
        raise UserError(
            f"{features.name} has no feature map of more than one place, so that it cannot tell parts of an image apart"
        )
    return chosen


def _last_uses(model: "keras.Model") -> list[int]:
    """For each operation, in their order, the number of the last one that takes what it gives."""
    import keras

    numbers = {id(operation): number for number, operation in enumerate(model.operations)}
    uses = list(range(len(model.operations)))
    for number, operation in enumerate(model.operations[1:], 1):
        for tensor in keras.tree.flatten(operation.input):
            # The input of a model within the model is a tensor of its own.
            maker = numbers.get(id(tensor._keras_history.operation))
            if maker is not None:
                uses[maker] = number
    return uses
