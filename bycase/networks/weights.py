"""Where a network's weights come from; never a silent substitute."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.core.errors import UserError
from bycase.core.files import file_digest
from bycase.networks.own_weights import load_from_classifier

if TYPE_CHECKING:
    import keras


def build_with_weights(constructor: str, name: str, weights: str, **arguments: Any) -> "keras.Model":
    """Call a constructor of `keras.applications` and give the model its weights.

    Parameters
    ----------
    constructor : str
        Its name there; it takes ``weights`` ('imagenet' or None) and `arguments`.
    name : str
        The network's name in `params.yaml`.
    weights : str
        'imagenet', 'random', or a path to a ``.weights.h5``, ``.h5`` or ``.keras`` file.

    Raises
    ------
    UserError
        If ImageNet weights cannot be downloaded, or the file is missing or does not fit; never
        another source instead.
    """
    import keras

    construct = getattr(keras.applications, constructor)
    try:
        model = construct(weights="imagenet" if weights == "imagenet" else None, **arguments)
    # keras.utils.get_file raises a bare Exception when the address does not answer.
    except Exception as error:
        if weights != "imagenet":
            raise
        raise UserError(
            f"ImageNet weights of {name} cannot be downloaded ({first_words(error)}); three ways out: connect to the "
            f"network and run again, set zoo.{name}.weights to random, or set it to the path of a weights file of "
            f"{name} without its top"
        ) from None
    if weights not in ("imagenet", "random"):
        load_weights_file(name, model, Path(weights))
    # Keras' own takes a list of one image batch when it is built on a tensor, and warns of any other input.
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)


def load_weights_file(name: str, model: "keras.Model", path: Path) -> None:
    """Load a local weights file into a backbone; a UserError says if it is missing or of another backbone."""
    check_weights_file(name, path)
    try:
        with warnings.catch_warnings():
            # Where a file lacks a layer, Keras only warns and leaves that layer's random weights.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (ValueError, OSError, KeyError, UserWarning):
        load_from_classifier(f"zoo.{name}.weights", model, path)


def check_weights_file(name: str, path: Path) -> None:
    """Refuse a weights file that is not there."""
    if path.is_dir() and (path / "saved_model.pb").exists():
        return  # refused, with the way out, where it is read
    if not path.is_file():
        raise UserError(f"zoo.{name}.weights: {path} is no file; choose imagenet, random or a weights file")


def weights_digest(weights: str) -> str:
    """What tells one weights file from another under the same name; empty for named weights."""
    path = Path(weights)
    return file_digest(path) if weights not in ("imagenet", "random") and path.is_file() else ""


def first_words(error: BaseException) -> str:
    """The beginning of an error's message, on one line."""
    return " ".join(str(error).split())[:160]
