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
