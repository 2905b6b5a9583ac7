from collections import Counter
from pathlib import PurePath

import pytest

from bycase.images.formats import IMAGE_SUFFIXES, WAYS, describe_kinds, why_not


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.SVS", "OpenSlide"), ("a.ndpi", "OpenSlide"), ("a.npy", "an array"), ("a.nii.gz", "a volume"), ("a.txt", "")],
)
def test_what_is_no_image_says_what_would_make_one_of_it(name: str, words: str) -> None:
    reason = why_not(PurePath(name))
    assert words in reason
    assert bool(reason) == bool(words)


def test_no_kind_is_both() -> None:
    assert not IMAGE_SUFFIXES & set(WAYS)


def test_kinds_are_named_the_most_frequent_first() -> None:
    first = {suffix: PurePath(f"d/x{suffix}") for suffix in (".txt", ".npy", "", ".b", ".c")}
    counts = Counter({".txt": 3, ".npy": 1, "": 2, ".b": 1, ".c": 1})
    assert describe_kinds(counts, first) == (
        "3 .txt (d/x.txt, ...), 2 without suffix (d/x, ...), 1 .b (d/x.b), 1 .c (d/x.c), 1 of other kinds"
    )
    assert "1 .npy (d/x.npy: an array, of which" in describe_kinds({".npy": 1}, first)
