from pathlib import Path

import pytest

from bycase.datasets.layouts.lookup import Lookup

FILES = [Path("one/set/a.png"), Path("two/set/a.png"), Path("two/other/a.png"), Path("two/b.png")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C:\\data\\TWO\\set\\A", [FILES[1]]),
        ("/home/me/other/a.png", [FILES[2]]),
        ("set/a.png", FILES[:2]),
        ("a", FILES[:3]),
        ("nowhere/b", [FILES[3]]),
        ("c", []),
        ("", []),
        ("/", []),
    ],
)
def test_the_longest_common_end_of_paths_tells_files_apart(text: str, found: list[Path]) -> None:
    assert Lookup(FILES).find(text) == found


def test_accents_may_be_written_otherwise_than_in_the_files() -> None:
    apart, composed = "Mu\u0308ller", "M\u00fcller"
    files = [Path(f"{apart}/{apart}.png"), Path("Mayer") / f"{apart}.png", Path("Mayer/b.png")]
    assert Lookup(files).find(f"{composed}/{composed}.png") == files[:1]
    assert Lookup(files).find(f"{composed}.png", composed) == files[:1]
    assert Lookup([Path(f"{composed}.png")]).find(apart) == [Path(f"{composed}.png")]
