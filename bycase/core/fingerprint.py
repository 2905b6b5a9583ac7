"""What unfinished work depends on, as one digest: code, settings and files.

A training's checkpoint, a search's trials, a benchmark's cell and partly computed features go on only where their
fingerprint is still the same.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bycase.core.closure import ROOT, import_closure
from bycase.core.files import file_digest


def fingerprint(code: Iterable[str], *settings: object, files: Iterable[Path] = ()) -> str:
    """Digest all that a piece of work depends on.

    Parameters
    ----------
    code : iterable of str
        Modules, such as ``stages.train``; all that they import counts, see `bycase.core.closure.import_closure`.
    *settings : object
        Pydantic models, and whatever JSON can hold; the order of a mapping's keys does not count.
    files : iterable of Path
        Files, and folders with all that is in them.

    Returns
    -------
    str
        A SHA-256, hexadecimal.

    Raises
    ------
    FileNotFoundError
        If a file or a folder is missing.
    TypeError
        If a setting is neither a model nor for JSON.
    """
    content = {
        "code": {path.as_posix(): file_digest(ROOT / path) for path in import_closure(code, ROOT)},
        "settings": settings,
        "files": {path.as_posix(): _file_digests(path) for path in files},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_dump).encode()).hexdigest()


def _file_digests(path: Path) -> str | dict[str, str]:
    if path.is_dir():
        return {file.relative_to(path).as_posix(): file_digest(file) for file in path.rglob("*") if file.is_file()}
    return file_digest(path)


def _dump(settings: object) -> Any:
    if isinstance(settings, BaseModel):
        return settings.model_dump(mode="json")
    raise TypeError(f"{type(settings).__name__} has no fingerprint")
