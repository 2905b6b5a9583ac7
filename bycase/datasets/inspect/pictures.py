"""What the image files are: kinds, sizes and depths of some, and copies at a glance."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bycase.images.pictures import PictureError, read_picture

SMALLEST, USUAL, LARGEST = 32, 224, 2048  # pixels, of image_size
_BROWSER = re.compile(r"(?P<stem>.+?)(?: \(\d+\)| - [Cc]opy(?: \(\d+\))?| copy(?: \d+)?|_copy\d*)")


@dataclass(frozen=True)
class Look:
    """What a sample of pictures shows.

    Attributes
    ----------
    looked_at : int
        Number of pictures.
    sizes : Counter of (int, int)
        Width and height.
    notes : Counter of str
        What decoding changes, see `bycase.images.pictures.Picture`.
    bad : list of (Path, str)
        Those that cannot be used, and why.
    """

    looked_at: int
    sizes: Counter[tuple[int, int]]
    notes: Counter[str]
    bad: list[tuple[Path, str]]

    @property
    def image_size(self) -> int:
        """A side for `image_size`: the usual one, or that of smaller pictures."""
        if not self.sizes:
            return USUAL
        return max(SMALLEST, min(USUAL, int(statistics.median(min(size) for size in self.sizes.elements()))))


def look_at(sample: Sequence[Path], read: Callable[[Path], bytes]) -> Look:
    """Decode some pictures as the pipeline does."""
    look = Look(len(sample), Counter(), Counter(), [])
    for path in sample:
        try:
            picture = read_picture(read(path))
        except PictureError as error:
            look.bad.append((path, str(error)))
            continue
        look.sizes[picture.image.size] += 1
        look.notes.update(picture.notes)
    return look


def count_kinds(files: Iterable[Path]) -> Counter[str]:
    """Files by suffix, as people write it."""
    return Counter(path.suffix.lower() or path.name for path in files)


def exact_copies(images: Iterable[Path], sizes: Mapping[Path, int], digest: Callable[[Path], str]) -> list[list[Path]]:
    """Groups of files with the same bytes: of one size, then of one digest; a file of a size of its own goes unread."""
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in images:
        by_size[sizes[path]].append(path)
    groups = []
    for alike in by_size.values():
        if len(alike) > 1:
            by_digest: dict[str, list[Path]] = defaultdict(list)
            for path in alike:
                by_digest[digest(path)].append(path)
            groups += [group for group in by_digest.values() if len(group) > 1]
    return groups


def browser_copies(images: Iterable[Path]) -> list[Path]:
    """Files named as a browser or desktop names a copy, ``x (1).png``, beside the file that they are named after."""
    known = set(images)
    matches = ((path, _BROWSER.fullmatch(path.stem)) for path in sorted(known))
    return [path for path, match in matches if match and path.with_name(match["stem"] + path.suffix) in known]
