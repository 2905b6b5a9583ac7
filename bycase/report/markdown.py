"""Text from outside, such as the names of files and data sets, made harmless in Markdown."""

import re

_MARKS = re.compile(r"([\\`*_\[\]<>|#])")
_WORDS = re.compile(r"(?<=\w)\\_(?=\w)")


def plain(text: str) -> str:
    """One line in which no character is Markdown or HTML."""
    escaped = _MARKS.sub(r"\\\1", " ".join(text.split()))
    # An underscore within a word is none to CommonMark, and file names stay readable.
    return _WORDS.sub("_", escaped)
