"""A data set's archive from a web address, resumed where a transfer broke off, and checked against its sha256.

By requests and HTTP ranges: pooch and its like verify checksums, but begin every interrupted transfer anew, and an
archive of histology has gigabytes.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from bycase.core.errors import UserError
from bycase.core.files import file_digest
from bycase.datasets.sources.archive import removed_after_use

if TYPE_CHECKING:
    from requests import Response, Session

ATTEMPTS = 4  # in a row that bring no further byte
PAUSE = 0.5  # seconds before the second attempt, doubled before each later one
TIMEOUT = (15, 60)  # seconds to connect, and without a byte
_CHUNK = 1 << 16  # what a broken connection may lose
_WITHOUT_WEB = "or set source: local and path in params.yaml"


@dataclass(frozen=True)
class Wanted:
    """A file on the web.

    Attributes
    ----------
    url : str
        Of http or https.
    sha256 : str, optional
        Hexadecimal.
    """

    url: str
    sha256: str | None

    @property
    def shown(self) -> str:
        """The address for messages: what follows ``?`` may be a signature that gives access."""
        return self.url.split("?")[0].split("#")[0]


@contextmanager
def web_archive(wanted: Wanted, folder: Path) -> Iterator[Path]:
    """Give the archive at a web address, and remove it when it is of no more use.

    As of `bycase.datasets.sources.kaggle_archive.kaggle_archive`: it is removed when the block ends well or finds it
    damaged, and stays otherwise.

    Parameters
    ----------
    wanted : Wanted
        Where it is, and what it must be.
    folder : Path
        Where it is kept; an interrupted download continues there.

    Raises
    ------
    UserError
        If it cannot be had, is no archive, or is not what the checksum says.
    """
    archive = download(wanted, folder)
    with removed_after_use(archive):
        yield archive


def download(wanted: Wanted, folder: Path) -> Path:
    """Download an archive, unless it is already there whole, and check it.

    Returns
    -------
    Path
        Its suffix tells the kind that its first bytes show, whatever the address ends with.

    Raises
    ------
    UserError
        If the server refuses or cannot be reached, the file is no archive, or its checksum is another.
    """
    # One address a folder, so that nothing of another file is continued or taken for this one.
    place = folder / hashlib.sha256(wanted.url.encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    kept = sorted(place.glob("archive.*"))
    archive = kept[0] if kept else _name_by_kind(wanted, _download(wanted, place / "partial"))
    found = file_digest(archive)
    if wanted.sha256 is None:
        logging.warning(
            "%s was not checked: sha256 is null; it has sha256 %s: compare it with the publisher's, and set it in "
            "params.yaml",
            wanted.shown,
            found,
        )
    elif found != wanted.sha256.lower():
        archive.unlink()
        raise UserError(
            f"{wanted.shown} has sha256 {found}, not {wanted.sha256.lower()} as params.yaml says; the file has been "
            "removed: run again if the transfer may have failed, else ask its publisher what changed"
        )
    return archive


def _name_by_kind(wanted: Wanted, file: Path) -> Path:
    with file.open("rb") as opened:
        start = opened.read(512)
    suffix = ".zip" if start[:4] in (b"PK\3\4", b"PK\5\6") else ".tar.gz" if start[:2] == b"\x1f\x8b" else ""
    suffix = ".tar" if start[257:262] == b"ustar" else suffix
    if not suffix:
        file.unlink()
        what = "is a web page" if b"<html" in start.lower() or b"<!doctype" in start.lower() else "is no archive"
        raise UserError(
            f"{wanted.shown} {what}: give the address of a .zip, .tar or .tar.gz file as url in params.yaml, "
            f"{_WITHOUT_WEB}"
        )
    return file.rename(file.with_name(f"archive{suffix}"))


def _download(wanted: Wanted, file: Path) -> Path:
    """Get the whole file, in as many requests as it takes."""
    import requests

    failures, furthest = 0, _size(file)
    with requests.Session() as session:
        while True:
            try:
                if _receive(session, wanted, file):
                    return file
                problem = "the connection ended early"
            except requests.RequestException as error:
                # The exception's text may hold the whole address.
                problem = type(error).__name__
            failures = 0 if _size(file) > furthest else failures + 1
            furthest = max(furthest, _size(file))
            if failures == ATTEMPTS:
                raise UserError(
                    f"{wanted.shown} cannot be reached, or the connection broke ({problem}): check address and network "
                    f"and run again, which continues a download that had begun; {_WITHOUT_WEB}"
                )
            time.sleep(PAUSE * 2 ** max(failures - 1, 0))


def _receive(session: "Session", wanted: Wanted, file: Path) -> bool:
    """Make one request and write what it brings; whether the file is whole after it."""
    about = file.with_suffix(".json")  # what the server said of the file that has begun
    start, known = _resumable(file, about, wanted)
    headers = {"Accept-Encoding": "identity"}  # ranges and sizes then count the file's own bytes
    if start:
        headers["Range"] = f"bytes={start}-"
        if known.get("validator"):
            headers["If-Range"] = known["validator"]
    with session.get(wanted.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416 and start:
            # The range begins at the file's end, or past it.
            if _content_range(response)[1] == start:
                return True
            file.unlink()
            return False
        if not response.ok:
            raise UserError(_explain_status(response.status_code, wanted))
        if response.status_code != 206:
            start = 0  # the whole file, since it has changed or the server knows no ranges
        elif _content_range(response)[0] != start:
            raise UserError(f"{wanted.shown}: the server sent another range than asked for; {_WITHOUT_WEB}")
        total = _total(response, start)
        about.write_text(json.dumps({"validator": _validator(response), "total": total}), encoding="utf-8")
        with (
            file.open("ab" if start else "wb") as output,
            tqdm(
                total=total, initial=start, unit="B", unit_scale=True, desc=f"download {wanted.shown}", disable=None
            ) as bar,
        ):
            for chunk in response.iter_content(_CHUNK):
                bar.update(output.write(chunk))
    return total is None or _size(file) == total


def _resumable(file: Path, about: Path, wanted: Wanted) -> tuple[int, dict[str, Any]]:
    """How many bytes of a begun download can be kept, and what was said of it."""
    try:
        known: dict[str, Any] = json.loads(about.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return 0, {}
    # Without a validator a changed file would be joined to the old one's beginning; only a checksum would tell.
    return (_size(file) if known.get("validator") or wanted.sha256 else 0), known


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _validator(response: "Response") -> str | None:
    """What stands for the file's present content in If-Range, where weak tags count for nothing (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def _content_range(response: "Response") -> tuple[int | None, int | None]:
    """First byte and size of the whole, from ``bytes 100-199/200`` or ``bytes */200``."""
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    start = span.partition("-")[0]
    return (int(start) if start.isdecimal() else None), (int(total) if total.isdecimal() else None)


def _total(response: "Response", start: int) -> int | None:
    """Size of the whole file in bytes, where the server tells."""
    if response.status_code == 206:
        return _content_range(response)[1]
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _explain_status(status: int, wanted: Wanted) -> str:
    """Say in one line what an HTTP status means here, and the way out."""
    host = urlsplit(wanted.url).hostname
    match status:
        case 401 | 403:
            return (
                f"{host} forbids access to {wanted.shown} ({status}): download it by hand with your account, and set "
                "source: local and path in params.yaml"
            )
        case 404 | 410:
            return f"{host} has no {wanted.shown} ({status}): correct url in params.yaml, {_WITHOUT_WEB}"
        case _:
            return f"{host} answered with HTTP status {status} for {wanted.shown}: try again later, {_WITHOUT_WEB}"
