"""The words by which others call the parts of a split."""

import re

_WORDS = {
    "train": ("train", "training", "trn", "fit"),
    "val": ("val", "valid", "validation", "dev", "tune", "tuning"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout", "heldout", "hold-out", "held-out"),
}
PART_WORDS = {word: part for part, words in _WORDS.items() for word in words}
_NAME = re.compile(rf"({'|'.join(PART_WORDS)})(?:[ _-]*(?:set|data|images|split|part))?")


def read_part(text: str) -> str:
    """Train, val or test of any usual name of it, such as Training_set; else an empty text."""
    match = _NAME.fullmatch(text.strip().lower())
    return PART_WORDS[match[1]] if match else ""


def part_in(text: str) -> str | None:
    """The part that a name tells by its first such word, as in ``test_patients`` or ``train-00000``; None for none."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return next((PART_WORDS[word] for word in words if word in PART_WORDS), None)
