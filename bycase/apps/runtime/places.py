"""`exports/<format>/`: an export, and beside it the report of how it compares with the network in Keras."""

import hashlib
import json
import zipfile
import zlib
from pathlib import Path

from bycase.core.errors import UserError

EXPORTS = Path("exports")
REPORT = "report.json"

FILES = {
    "onnx": "model.onnx",
    "openvino": "model.xml",  # and model.bin
    "litert": "model.tflite",
    "tf": "saved_model",
    "int8": "model.xml",  # OpenVINO's too
}
FORMATS = tuple(FILES)

# What a network is; the other members of a .keras file hold dates, and what `stages.bundle` adds.
_MEMBERS = ("config.json", "model.weights.h5")


def network_digest(path: Path) -> str:
    """The SHA-256 of the network in a ``.keras`` file: its layers and weights, not the time of saving.

    ``models/model.keras`` and the ``models/classifier.keras`` made of it have the same.

    Raises
    ------
    UserError
        If the file is missing or no ``.keras`` file.
    """
    if not path.is_file():
        raise UserError(f"{path} not found: run 'dvc repro train' first, or give another file with --model")
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as archive:
            for member in _MEMBERS:
                with archive.open(member) as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError):
        raise UserError(
            f"{path} is no .keras file, or a damaged one: give the file that 'dvc repro train' wrote"
        ) from None
    return digest.hexdigest()


def find_model(runtime: str, model: Path, exports: Path = EXPORTS) -> Path:
    """Where a runtime's form of a network lies.

    Parameters
    ----------
    runtime : str
        'keras', or a format.
    model : Path
        The network's ``.keras`` file.
    exports : Path
        The folder that `bycase export` wrote to.

    Returns
    -------
    Path
        `model` itself, or the export.

    Raises
    ------
    UserError
        If the runtime is unknown, or there is no export of this network.
    """
    if runtime == "keras":
        return model
    check_format(runtime, ("keras", *FORMATS))
    path = exports / runtime / FILES[runtime]
    again = f"run 'bycase export --format {runtime} --model {model} --out {exports}' first"
    try:
        report = json.loads((exports / runtime / REPORT).read_text(encoding="utf-8"))
        made_of = report["model_sha256"]
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} not found: {again}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise UserError(f"{exports / runtime / REPORT} is no export's report: {again}") from None
    if made_of != network_digest(model):
        raise UserError(f"{path} is an export of another network than {model}: {again}")
    return path


def check_format(name: str, valid: tuple[str, ...] = FORMATS) -> None:
    """Refuse a format, or runtime, that there is not; lists those there are."""
    if name not in valid:
        raise UserError(f"no format '{name}'; there are {', '.join(valid)}")
