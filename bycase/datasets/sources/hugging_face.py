"""A data set of the Hugging Face Hub: folders of images as they are, images in parquet files unpacked.

By the official client, which continues interrupted transfers. A token is taken from the environment only
(``HF_TOKEN``), never from files, and never shown.
"""

import fnmatch
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bycase.core.errors import UserError
from bycase.datasets.sources.archive import DamagedArchiveError, RefusedError, split_name, unpack
from bycase.datasets.sources.local import list_files
from bycase.datasets.sources.parquet import unpack_parquet

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import DatasetInfo

TOKEN = "HF_TOKEN"
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WITHOUT_HUB = "or set source: local and path in params.yaml"
_OWN_FILES = (".cache", ".gitattributes")  # the client's and Git's, not the data set's


@contextmanager
def fetch_repository(
    slug: str, revision: str | None, folder: Path, max_gb: float, only: str | None = None
) -> Iterator[Callable[[Path], None]]:
    """Give what writes a data set's files into an empty folder, and remove the download when it is of no more use.

    Parameters
    ----------
    slug : str
        ``owner/name``, or ``name`` alone where the Hub has no owner for it.
    revision : str, optional
        A commit, branch or tag; the newest commit where left out, which is told.
    folder : Path
        Where the download is kept; an interrupted one continues there.
    max_gb : float
        Largest size to accept, of the download and of what is unpacked from it, in GB (10**9 bytes).
    only : str, optional
        A folder of the repository, or a pattern such as ``data/train-*``; all files where left out.

    Raises
    ------
    UserError
        If the Hub cannot be reached, does not give the files, or what it gives is refused.
    """
    download = download_repository(slug, revision, folder, max_gb, only)
    try:
        yield lambda target: write_files(download, target, max_gb)
    except DamagedArchiveError as error:
        shutil.rmtree(download)
        raise UserError(f"{error}; the download has been removed, so run again") from error
    shutil.rmtree(download)


def download_repository(slug: str, revision: str | None, folder: Path, max_gb: float, only: str | None = None) -> Path:
    """Download a data set's repository, unless it is already there whole.

    Returns
    -------
    Path
        The folder of its files, one for each slug, commit and choice.
    """
    # Imported only here: it takes time.
    import huggingface_hub
    from httpx2 import HTTPError
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    huggingface_hub.logging.set_verbosity_error()
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells every request
    # Read anew, since the client reads it once, when imported; False keeps it from the token files of `hf auth login`.
    endpoint = os.environ.get("HF_ENDPOINT")
    client = huggingface_hub.HfApi(endpoint=endpoint, token=os.environ.get(TOKEN) or False)
    try:
        info = client.dataset_info(slug, revision=revision, files_metadata=True)
        patterns = _choose(info, slug, only)
        _check_files(info, slug, patterns, max_gb)
        commit = str(info.sha)
        if not _COMMIT.fullmatch(revision or ""):
            logging.warning(
                "%s: %s is commit %s at present: set revision to it in params.yaml to get the same files again",
                slug,
                f"revision {revision}" if revision else "the newest revision",
                commit,
            )
        place = folder / slug.replace("/", "--") / commit / _folder_name(only)
        _snapshot(client, slug, commit, place, patterns)
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HFValidationError, HTTPError, OSError) as error:
        # An error of the disk has a number and no answer.
        if isinstance(error, OSError) and error.errno is not None and not hasattr(error, "response"):
            raise
        raise UserError(_explain(error, slug, revision)) from None
    return place


def _snapshot(client: "HfApi", slug: str, commit: str, place: Path, patterns: list[str] | None) -> None:
    client.snapshot_download(
        slug, repo_type="dataset", revision=commit, local_dir=place, allow_patterns=patterns, max_workers=4
    )


def _folder_name(only: str | None) -> str:
    return re.sub(r"\W+", "-", only).strip("-") or "all" if only else "all"


def _choose(info: "DatasetInfo", slug: str, only: str | None) -> list[str] | None:
    """The client's patterns for the chosen files."""
    if only is None:
        return None
    patterns = [only, f"{only.rstrip('/')}/*"]
    if not any(_is_chosen(file.rfilename, patterns) for file in info.siblings or []):
        raise UserError(f"{slug} has no file {only}: correct path in params.yaml, or set it to null for all files")
    return patterns


def _is_chosen(name: str, patterns: list[str] | None) -> bool:
    return patterns is None or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _check_files(info: "DatasetInfo", slug: str, patterns: list[str] | None, max_gb: float) -> None:
    """Refuse names that lead outside the folder, and more bytes than allowed, before anything is downloaded."""
    files = [file for file in info.siblings or [] if _is_chosen(file.rfilename, patterns)]
    try:
        for file in files:
            split_name(file.rfilename)
    except RefusedError as error:
        raise UserError(f"{slug} is refused: {error}") from None
    size = sum(file.size or 0 for file in files)
    if size > max_gb * 1e9:
        raise UserError(
            f"{slug} has {size / 1e9:.1f} GB, more than max_unpacked_gb {max_gb:g}: raise it in params.yaml, or set "
            "path to the folder or files that you want"
        )
    if not files:
        raise UserError(f"{slug} holds no files: correct slug or revision in params.yaml, {_WITHOUT_HUB}")


def _explain(error: Exception, slug: str, revision: str | None) -> str:
    """Say in one line what went wrong, and the way out. The client's own words, of several lines, are left out."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    page = f"https://huggingface.co/datasets/{slug}"
    token = f"{TOKEN} is set" if os.environ.get(TOKEN) else f"{TOKEN} is not set"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, OfflineModeIsEnabled):
        return f"HF_HUB_OFFLINE keeps the client from the Hub: unset it to download {slug}, {_WITHOUT_HUB}"
    if isinstance(error, HFValidationError):
        return f"'{slug}' is no name of a data set on the Hub: correct slug in params.yaml"
    if isinstance(error, GatedRepoError):
        return (
            f"{slug} is gated ({token}): accept its terms on {page}, make a token at "
            f"https://huggingface.co/settings/tokens, and run again with it as {TOKEN} in the environment"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{slug} has no revision {revision}: correct it in params.yaml, or set it to null for the newest"
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"the Hub has no data set {slug}, or not for you ({token}): correct slug in params.yaml; for a private one "
            f"set {TOKEN} in the environment"
        )
    if status in (401, 403):
        return f"the Hub refuses access to {slug} ({status}; {token}): check the token at {page}, {_WITHOUT_HUB}"
    if status:
        return f"the Hub answered with HTTP status {status} for {slug}: try again later, {_WITHOUT_HUB}"
    return (
        f"the Hub cannot be reached, or the connection broke ({type(error).__name__}): check the network and run "
        f"again, which continues a download that had begun; {_WITHOUT_HUB}"
    )


def write_files(download: Path, folder: Path, max_gb: float) -> None:
    """Write a repository's files into an empty folder; archives, and images in parquet files, are unpacked.

    An archive becomes a folder of its name. Parquet files without images stay files.

    Raises
    ------
    UserError
        If an archive or a parquet file is refused, or both a table and parquet files say what the images show.
    """
    left = int(max_gb * 1e9)
    tables = []
    for file in list_files(download):
        inside = file.relative_to(download)
        if inside.parts[0] in _OWN_FILES:
            continue
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        name = file.name.lower()
        if name.endswith(".parquet"):
            tables.append(inside)
        elif name.endswith(_ARCHIVES):
            place = _archive_folder(target, download / inside)
            place.mkdir()
            unpack(file, place, left / 1e9)
            left -= sum(each.stat().st_size for each in list_files(place))
        else:
            _place(file, target)
    unpacked = unpack_parquet(download, tables, folder, left)
    for inside in set(tables) - set(unpacked):
        _place(download / inside, folder / inside)


def _archive_folder(target: Path, archive: Path) -> Path:
    suffix = next(suffix for suffix in _ARCHIVES[::-1] if target.name.lower().endswith(suffix))
    stem = target.with_name(target.name[: -len(suffix)])
    # A folder of that name may be in the repository too.
    return target if archive.with_name(stem.name).exists() or stem.exists() else stem


def _place(file: Path, target: Path) -> None:
    """Make `target` the same file without another copy of its bytes, where the file system has hard links."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)
