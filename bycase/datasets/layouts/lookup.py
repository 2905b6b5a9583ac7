"""The file that a row of a table means: by its path, its name, its stem in any folder, or its id and a suffix."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from bycase.core.expressions import composed
from bycase.datasets.layouts.naming import plain
from bycase.images.formats import IMAGE_SUFFIXES


class Lookup:
    """Files by what tables call them.

    Parameters
    ----------
    files : iterable of Path
        Relative to the raw folder.
    suffix : str
        What follows the name in a table's row.
    masks : iterable of Path
        Those of the files that count only where no other is meant.
    """

    def __init__(self, files: Iterable[Path], suffix: str = "", masks: Iterable[Path] = ()) -> None:
        self._suffix, self._masks = suffix, frozenset(masks)
        self._by_stem: dict[str, list[Path]] = {}
        for file in files:
            self._by_stem.setdefault(plain(file.stem), []).append(file)

    def find(self, text: str, folder: str = "") -> list[Path]:
        """The files that a name or path may mean; several only where nothing tells them apart.

        Parameters
        ----------
        text : str
            As in the table, however it writes accents: the longest common end of paths counts, so that another
            machine's folders do no harm.
        folder : str
            The table's own, in which a path is looked for first.

        Raises
        ------
        ValueError
            If the path leads upwards.
        """
        wanted = PurePosixPath(composed(text).strip().replace("\\", "/") + self._suffix)
        if ".." in wanted.parts:
            raise ValueError(text)
        parts = tuple(part for part in wanted.parts if part not in ("/", "."))
        if not parts:
            return []
        is_name = PurePosixPath(parts[-1]).suffix.lower() in IMAGE_SUFFIXES
        stem = PurePosixPath(parts[-1]).stem if is_name else parts[-1]
        files = self._by_stem.get(plain(stem), [])
        if len(files) > 1:
            files = [file for file in files if file not in self._masks] or files
            files = [file for file in files if composed(file.name) == parts[-1]] or files
            files = self._nearest(files, parts[:-1])
            if folder:
                beside = composed(Path(folder, *parts[:-1]).as_posix())
                files = [file for file in files if composed(file.parent.as_posix()) == beside] or files
        return files

    @staticmethod
    def _nearest(files: list[Path], folders: tuple[str, ...]) -> list[Path]:
        lengths = [_common_end(file.parts[:-1], folders) for file in files]
        return [file for file, length in zip(files, lengths, strict=True) if length == max(lengths)]


def _common_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    length = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if plain(a) != plain(b):
            break
        length += 1
    return length
