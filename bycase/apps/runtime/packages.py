"""Packages that only some exports need, and that the pipeline does without."""

import importlib
import sys
from types import ModuleType

from bycase.core.errors import UserError


def need(package: str, purpose: str, instead: str) -> ModuleType:
    """Import a package, or say what it is for and what does without it.

    Parameters
    ----------
    package : str
        Its name, for Python as for pip.
    purpose : str
        What needs it.
    instead : str
        What to choose where it is not wanted.

    Raises
    ------
    UserError
        If it is not installed, or does not start.
    """
    # OpenVINO and NNCF send reports of their use over the network; where this package cannot be imported, they do not.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module(package)
    except ImportError as error:
        why = "is not installed" if getattr(error, "name", None) == package else f"does not start ({error})"
        raise UserError(
            f"{purpose} needs the package {package}, which {why}: pip install -c requirements-dev.txt {package}; "
            f"or choose {instead}"
        ) from None
