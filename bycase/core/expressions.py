"""Regular expressions from `params.yaml`, searched in paths; one that takes too long stops instead of hanging."""

import time
import unicodedata

import regex

from bycase.core.errors import UserError

SECONDS = 1.0  # for one text
SECONDS_OF_ALL = 5.0, 0.0005  # for all, and more for each


def composed(text: str) -> str:
    """A text with each accent in its letter (NFC), as it is typed; macOS writes both apart in names of files."""
    return unicodedata.normalize("NFC", text)


class Expression:
    """A regular expression, of which a text may hold one match, however either writes its accents.

    Parameters
    ----------
    pattern : str
        In the syntax of the package `regex`, which has that of `re`.
    key : str
        Of `params.yaml`, for messages.

    Attributes
    ----------
    pattern : str
        As given.
    groups : tuple of str
        Its named groups.

    Raises
    ------
    UserError
        If it is not valid.
    """

    def __init__(self, pattern: str, key: str) -> None:
        self.pattern, self._key = pattern, key
        try:
            self._compiled = compile_pattern(composed(pattern))
        except ValueError as error:
            raise UserError(f"{key}: {error}") from None
        self.groups: tuple[str, ...] = tuple(self._compiled.groupindex)
        self._spent, self._searched = 0.0, 0

    def search(self, text: str, name: str) -> dict[str, str] | None:
        """The values of a text's first match, or None without one.

        Parameters
        ----------
        text : str
            A path with ``/`` between its folders.
        name : str
            What the expression is asked for; its value is that of the group of this name, else, unless all groups have
            names, of the first group, else, without any group, of the whole match.

        Returns
        -------
        dict of str
            Named groups and `name`; groups that took no part are empty.

        Raises
        ------
        UserError
            If it takes too long.
        """
        began = time.thread_time()
        try:
            match = self._compiled.search(composed(text), timeout=SECONDS)
        except TimeoutError:
            raise self._too_slow(text) from None
        self._searched += 1
        self._spent += time.thread_time() - began
        if self._spent > SECONDS_OF_ALL[0] + SECONDS_OF_ALL[1] * self._searched:
            raise self._too_slow(text)
        if match is None:
            return None
        values = {group: value or "" for group, value in match.groupdict().items()}
        if name not in values and len(match.groups()) > len(values):
            values[name] = match.group(1) or ""
        elif name not in values and not values:
            values[name] = match.group()
        return values

    def _too_slow(self, text: str) -> UserError:
        return UserError(
            f"{self._key}: expression '{self.pattern}' takes too long, as on {text[:80]}; leave out repeats "
            "within repeats, such as (a+)+, and name what stands around"
        )


def compile_pattern(pattern: str) -> "regex.Pattern[str]":
    """Compile an expression; a ValueError says where it is not valid."""
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"expression '{pattern}' is not valid: {error}") from None
