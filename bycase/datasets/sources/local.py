"""A data set that already lies on this machine."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

from tqdm import tqdm

from bycase.core.errors import UserError

_EXPERIMENTS = (".dvc", "tmp", "exps")


def project_folder(current: Path) -> Path:
    """Find the project that a path in `params.yaml` is relative to, from the (absolute) current folder.

    ``dvc exp run --temp`` and ``--queue`` run in a copy below ``<project>/.dvc/tmp/exps/``, which has
    only what Git tracks; the project around it is meant.
    """
    parts = current.parts
    length = len(_EXPERIMENTS)
    for start in range(len(parts) - length, 0, -1):
        if parts[start : start + length] == _EXPERIMENTS:
            return Path(*parts[:start])
    return current


def find_source(path: str, current: Path, raw: Path) -> Path:
    """Resolve the `path` of a local data set.

    Parameters
    ----------
    path : str
        As in `params.yaml`: absolute, relative to the project's top folder, or beginning with ``~``.
    current : Path
        The current folder, absolute.
    raw : Path
        The folder of all stage outputs, relative to the project; DVC empties it.

    Returns
    -------
    Path
        An existing file or folder, absolute, without symbolic links.

    Raises
    ------
    UserError
        If there is nothing there, or it overlaps `raw`.
    """
    project = project_folder(current)
    place = project / Path(path).expanduser()
    if not place.exists():
        raise UserError(f"path '{path}' in params.yaml: {place} not found; give a folder or an archive that exists")
    source = place.resolve()
    for output in {(project / raw).resolve(), (current / raw).resolve()}:
        if source.is_relative_to(output) or output.is_relative_to(source):
            raise UserError(
                f"path '{path}' in params.yaml: {source} overlaps {output}, which the pipeline empties; "
                f"keep the data elsewhere"
            )
    return source


def list_files(folder: Path) -> Iterator[Path]:
    """List every file below a folder, through symbolic links too, in the order of their names.

    A UserError refuses a link that is broken or leads back to a folder above it, and what is neither file nor folder.
    """
    return _list_files(folder, ())


def _list_files(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:
        raise UserError(f"{folder} is a link to a folder above it; remove the link")
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            yield from _list_files(entry, (*above, real))
        elif entry.is_file():
            yield entry
        else:
            raise UserError(f"{entry} is a broken link or no file; mend or remove it")


def link_folder(source: Path, folder: Path) -> None:
    """Rebuild a tree of folders with symbolic links to its files; copies where links are not possible.

    Links keep a large data set from lying on the disk once more than needed: DVC takes the content
    into its cache and leaves the originals as they are. Hidden files are not left out.

    Parameters
    ----------
    source : Path
        The folder to rebuild, with at least one file.
    folder : Path
        An existing empty folder.
    """
    files = list(list_files(source))
    if not files:
        raise UserError(f"{source} has no files; put the data set there as its publisher laid it out")
    for file in tqdm(files, desc=f"link {source.name}", unit="file", disable=None):
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(file, target)


def link_or_copy(file: Path, target: Path) -> None:
    """Make `target` a symbolic link to the resolved `file`, or a copy of it."""
    try:
        target.symlink_to(file.resolve())
    except (OSError, NotImplementedError):
        # Not every file system has links, and Windows allows them only to some users. If something
        # else is wrong, the copy fails too and says what.
        copyfile(file, target)
