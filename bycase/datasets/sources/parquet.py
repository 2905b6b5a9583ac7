"""Images in parquet files, as the Hugging Face Hub keeps them, unpacked into files with a table beside them.

A column of images holds their bytes and names (``struct<bytes, path>``), or the bytes alone. The table is
``metadata.csv`` with ``file_name``, as imagefolder has it: https://huggingface.co/docs/datasets/image_dataset
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from bycase.core.errors import UserError
from bycase.datasets.part_words import part_in
from bycase.datasets.sources.archive import DamagedArchiveError

if TYPE_CHECKING:
    import pyarrow as pa

METADATA = "metadata.csv"
PART = "part"
BATCH = 64  # rows in memory at once

# Beginning of a file, and suffix. WebP has its name after the length.
KINDS = {
    b"\x89PNG\r\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"BM": ".bmp",
    b"GIF8": ".gif",
}


@dataclass
class _Output:
    """What has been written, and what may be."""

    folder: Path
    left: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)


def unpack_parquet(download: Path, files: Iterable[Path], folder: Path, max_bytes: int) -> list[Path]:
    """Unpack the images of parquet files into ``<file without suffix>/``, and write one `METADATA` for all.

    Parameters
    ----------
    download, folder : Path
        Where the parquet files are, and where images and table go.
    files : iterable of Path
        Relative to `download`.
    max_bytes : int
        Largest sum of bytes to write.

    Returns
    -------
    list of Path
        Those of `files` that hold images; the others are left as they are.

    Raises
    ------
    UserError
        If a file is damaged, what should be an image is none, there are too many bytes, or the folder has a table
        already.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    output, unpacked = _Output(folder, max_bytes), []
    for inside in sorted(files):
        try:
            opened = pq.ParquetFile(download / inside)
            images = image_columns(opened)
            if images:
                _unpack(opened, images, inside, download, output)
                unpacked.append(inside)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise DamagedArchiveError(f"{download / inside} is damaged ({str(error).splitlines()[0]})") from None
    if unpacked:
        target = folder / METADATA
        if target.exists():
            raise UserError(
                f"the data set has both {METADATA} and images in {unpacked[0]}: set path in params.yaml to the one "
                "that you want"
            )
        pd.DataFrame(output.rows).to_csv(target, index=False, lineterminator="\n")
    if output.dropped:
        logging.warning(
            "%s leaves out columns that hold lists or records: %s", METADATA, ", ".join(sorted(output.dropped))
        )
    return unpacked


def image_columns(opened: Any) -> list[str]:
    """The columns of a ``pyarrow.parquet.ParquetFile`` that hold images, in the file's order."""
    import pyarrow as pa

    schema = opened.schema_arrow
    binary = [
        column.name for column in schema if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
    ]
    first = next(opened.iter_batches(1, columns=binary), None) if binary else None
    shown = {name for name in binary if first is not None and suffix_of(first[name][0].as_py() or b"")}
    records = {
        each.name for each in schema if pa.types.is_struct(each.type) and each.type.get_field_index("bytes") >= 0
    }
    return [column.name for column in schema if column.name in records | shown]


def suffix_of(content: bytes) -> str:
    """The suffix that an image file's first bytes ask for; empty for what is no image of a known kind."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for start, suffix in KINDS.items() if content.startswith(start)), "")


def part_of(file: PurePosixPath) -> str | None:
    """The part that a file's name tells, or its nearest folder that tells one: ``data/test-00000-of-00001.parquet``."""
    names = (file.stem, *reversed(file.parts[:-1]))
    return next((part for name in names if (part := part_in(name))), None)


def class_names(schema: "pa.Schema") -> dict[str, list[str]]:
    """The names of numbered classes, by column, that the Hub's library keeps in a schema's metadata."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        kinds = {name: kind for name, kind in features.items() if isinstance(kind, dict)}
    except (KeyError, ValueError, TypeError):
        return {}
    return {name: list(kind["names"]) for name, kind in kinds.items() if kind.get("_type") == "ClassLabel"}


def _unpack(opened: Any, images: list[str], inside: Path, download: Path, output: _Output) -> None:
    place = inside.with_suffix("")
    (output.folder / place).mkdir(parents=True, exist_ok=True)
    kept, named = _plain_columns(opened.schema_arrow, images, output), class_names(opened.schema_arrow)
    part = part_of(PurePosixPath(inside.as_posix()))
    taken: set[str] = set()
    for number, row in enumerate(_rows(opened, [*images, *kept])):
        about: dict[str, Any] = {}
        for column in images:
            key = "file_name" if column == images[0] else f"{column}_file_name"
            about[key] = _write_image(row[column], column, number, place, download, taken, output)
        for column in kept:
            names, value = named.get(column), row[column]
            known = names is not None and isinstance(value, int) and 0 <= value < len(names)
            about[column] = names[value] if names is not None and known else value
        if part:
            about.setdefault(PART, part)
        output.rows.append(about)


def _plain_columns(schema: "pa.Schema", images: list[str], output: _Output) -> list[str]:
    """The columns that a table can hold; the others are noted."""
    import pyarrow as pa

    others = [column for column in schema if column.name not in images]
    nested = {column.name for column in others if pa.types.is_nested(column.type) or pa.types.is_binary(column.type)}
    output.dropped |= nested
    return [column.name for column in others if column.name not in nested]


def _rows(opened: Any, columns: list[str]) -> Iterator[dict[str, Any]]:
    for batch in opened.iter_batches(BATCH, columns=columns):
        yield from batch.to_pylist()


def _write_image(
    value: Any, column: str, number: int, place: Path, download: Path, taken: set[str], output: _Output
) -> str:
    """Write one image; its path below the folder, empty where the row has none."""
    if isinstance(value, bytes):
        value = {"bytes": value, "path": None}
    content, path = (value or {}).get("bytes"), (value or {}).get("path") or ""
    if content is None:
        return _find_image(path, place, download, number) if path else ""
    suffix = suffix_of(content)
    if not suffix:
        raise UserError(f"{place}.parquet, row {number}: column {column} holds no image of a known kind")
    output.left -= len(content)
    if output.left < 0:
        raise UserError(
            f"{place}.parquet unpacks to more than allowed; raise max_unpacked_gb in params.yaml if you trust it"
        )
    # Of a name nothing but its last part counts, and of that nothing that a file system could read otherwise.
    stem = re.sub(r"[^\w. ()-]+", "_", PurePosixPath(path.replace("\\", "/")).stem).strip(". ")
    name = f"{stem or f'{number:06d}'}{suffix}"
    if name.casefold() in taken:
        name = f"{stem}~{column}~{number:06d}{suffix}"
    taken.add(name.casefold())
    (output.folder / place / name).write_bytes(content)
    return (place / name).as_posix()


def _find_image(path: str, place: Path, download: Path, number: int) -> str:
    """An image that a row only names: a file of the repository, from its top or from beside the parquet file."""
    for name in (PurePosixPath(path), PurePosixPath(place.parent.as_posix()) / path):
        if not name.is_absolute() and ".." not in name.parts and (download / name).is_file():
            return name.as_posix()
    raise UserError(f"{place}.parquet, row {number}: names image {path!r}, which the data set does not have")
