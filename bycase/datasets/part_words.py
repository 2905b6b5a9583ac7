"""The words by which others call the parts of a split."""

import re

PART_WORDS = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "eval": "test",
    "evaluation": "test",
}


def part_in(text: str) -> str | None:
    """The part that a name tells by its first such word, as in ``test_patients`` or ``train-00000``; None for none."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return next((PART_WORDS[word] for word in words if word in PART_WORDS), None)
