"""The trained network, loaded from its file."""

from pathlib import Path
from typing import TYPE_CHECKING

from bycase.core.errors import UserError

if TYPE_CHECKING:
    import keras


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
        If the file is missing or Keras cannot load it.
    """
    if not path.is_file():
        raise UserError(f"{path} not found: run 'dvc repro train' first")
    import keras

    try:
        return keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise UserError(f"{path} cannot be loaded ({str(error)[:200]}); run 'dvc repro -f train'") from None
