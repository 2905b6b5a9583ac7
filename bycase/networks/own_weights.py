"""A backbone's weights out of somebody's own saved classifier, in which it is nested, or stands below a top."""

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bycase.core.errors import UserError
from bycase.networks.saved import import_layers

if TYPE_CHECKING:
    import h5py
    import keras

Arrays = Mapping[str, list[Any]]  # layer to its weights


def load_from_classifier(key: str, model: "keras.Model", path: Path) -> None:
    """Give a backbone the weights that a saved classifier has for it, and say in the log what is left out.

    Parameters
    ----------
    key : str
        Of `params.yaml`, for messages.
    model : Model
        The backbone.
    path : Path
        A ``.keras`` or ``.h5`` file of a whole model, or a ``.weights.h5`` or ``.h5`` file of its weights. No code in
        it is run.

    Raises
    ------
    UserError
        If it is a SavedModel, cannot be read, or a layer is missing or differs, which is named.
    """
    import h5py

    if path.is_dir():
        raise UserError(
            f"{key}: {path} is a folder, such as TensorFlow's SavedModel, whose layers Keras 3 does not read; open it "
            "where it was made and save it by model.save_weights('x.weights.h5')"
        )
    if path.name.endswith(".weights.h5"):
        _load_nested_file(key, model, path)
        return
    try:
        if path.suffix == ".keras":
            arrays, whole = _arrays_of_model(path), True
        else:
            with h5py.File(path) as file:
                whole = "model_config" in file.attrs
                arrays = {} if whole else dict(_arrays_of_file(file))
            arrays = _arrays_of_model(path) if whole else arrays
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        raise UserError(f"{key}: {path} cannot be read ({' '.join(str(error).split())[:160]})") from None
    _copy_layers(key, model, path, arrays)


def _arrays_of_model(path: Path) -> Arrays:
    import keras

    import_layers(path)
    saved = keras.saving.load_model(path, compile=False, safe_mode=True)
    return {layer.name: layer.get_weights() for layer in _all_layers(saved) if layer.weights}


def _all_layers(model: "keras.Model") -> Iterator["keras.Layer"]:
    """The layers of a model and of models within it."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _all_layers(layer)
        else:
            yield layer


def _arrays_of_file(file: "h5py.File") -> Iterator[tuple[str, list[Any]]]:
    """The weights in a file of Keras 2's form, in which every array's name ends with ``layer/weight``."""
    arrays: dict[str, list[Any]] = {}
    for group in file.values():
        for name in group.attrs.get("weight_names", []):
            text = name.decode() if isinstance(name, bytes) else str(name)
            parts = text.split("/")
            arrays.setdefault(parts[-2] if len(parts) > 1 else parts[0], []).append(group[text][()])
    return iter(arrays.items())


def _copy_layers(key: str, model: "keras.Model", path: Path, arrays: Arrays) -> None:
    """Set the weights of every layer, or none."""
    wanted = [layer for layer in _all_layers(model) if layer.weights]
    for layer in wanted:
        there = [tuple(array.shape) for array in arrays.get(layer.name, [])]
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if there != shapes:
            found = f"has {there}" if there else "is missing"
            raise UserError(f"{key}: in {path} layer '{layer.name}' {found}, where this network has {shapes}")
    for layer in wanted:
        layer.set_weights(arrays[layer.name])
    rest = [name for name in arrays if name not in {layer.name for layer in wanted}]
    logging.info("%s: %d layers read from %s; left out: %s", key, len(wanted), path, ", ".join(rest) or "none")


def _load_nested_file(key: str, model: "keras.Model", path: Path) -> None:
    """Keras 3's weights, whose groups bear no layer's name: of a model within the model, the only one that fits."""
    import h5py

    reasons = []
    with h5py.File(path) as file, tempfile.TemporaryDirectory() as folder:
        nested = [name for name, group in file.get("layers", {}).items() if "layers" in group]
        for number, name in enumerate(nested):
            part = Path(folder) / f"{number}.weights.h5"
            with h5py.File(part, "w") as alone:
                for child in file["layers"][name]:
                    file.copy(f"layers/{name}/{child}", alone, name=child)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", UserWarning)
                    model.load_weights(part)
            except (ValueError, OSError, KeyError, UserWarning) as error:
                reasons.append(" ".join(str(error).split())[:160])
                continue
            rest = [other for other in file["layers"] if other != name]
            logging.info("%s: read from '%s' in %s; left out: %s", key, name, path, ", ".join(rest))
            return
    raise UserError(
        f"{key}: {path} does not fit this network ({reasons[0] if reasons else 'it has other layers'}); save the whole "
        "model as .keras, of which layers are compared by name"
    )
