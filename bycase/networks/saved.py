"""The trained network: its file, the same bytes for the same network, and what is loaded from it."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bycase.core.errors import UserError
from bycase.core.files import replace_file
from bycase.core.packages import need

if TYPE_CHECKING:
    import keras

SHARED = re.compile(rb'("shared_object_id": )(\d+)')
HUB_PACKAGE = "keras_hub"  # its layers are its own
NO_DATE = (1980, 1, 1, 0, 0, 0)


def save_network(network: "keras.Model", path: Path) -> None:
    """Save the whole network so that the same network gives the same bytes.

    Keras writes the date, and for objects that layers share their addresses in memory: here they are numbered.

    Parameters
    ----------
    network : keras.Model
        Not compiled.
    path : Path
        A ``.keras`` file; it appears whole or not at all.
    """
    with replace_file(path) as partial:
        network.save(partial)
        with zipfile.ZipFile(partial) as archive:
            contents = {name: CANONICAL.get(name, bytes)(archive.read(name)) for name in sorted(archive.namelist())}
        with zipfile.ZipFile(partial, "w") as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name, NO_DATE), content)


def _undated(metadata: bytes) -> bytes:
    kept = {key: value for key, value in json.loads(metadata).items() if key != "date_saved"}
    return json.dumps(kept, sort_keys=True).encode()


def _number_shared(config: bytes) -> bytes:
    numbers: dict[bytes, int] = {}
    return SHARED.sub(lambda match: b"%b%d" % (match[1], numbers.setdefault(match[2], len(numbers))), config)


CANONICAL: dict[str, Callable[[bytes], bytes]] = {"metadata.json": _undated, "config.json": _number_shared}


def import_layers(path: Path) -> None:
    """Import the package of an extra whose layers a ``.keras`` file holds, so that Keras knows them.

    Raises
    ------
    UserError
        If it is not installed; names the extra.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = archive.read("config.json")
    except (zipfile.BadZipFile, KeyError):
        return  # refused, with the way out, where it is read
    if f'"{HUB_PACKAGE}.'.encode() in config:
        need(HUB_PACKAGE, f"{path}")


def load_network(path: Path) -> "keras.Model":
    """Load the whole network, its preprocessing included; code in the file is not run.

    Parameters
    ----------
    path : Path
        A ``.keras`` file.

    Returns
    -------
    keras.Model
        Input float32 (n, size, size, 3), RGB in [0, 255]; output float32 in [0, 1], (n, 1) or (n, n_classes).

    Raises
    ------
    UserError
        If the file is missing, Keras cannot load it, or a package that its layers are of is not installed.
    """
    if not path.is_file():
        raise UserError(f"{path} not found: run 'dvc repro train' first")
    import keras

    import_layers(path)
    try:
        return keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise UserError(f"{path} cannot be loaded ({str(error)[:200]}); run 'dvc repro -f train'") from None
