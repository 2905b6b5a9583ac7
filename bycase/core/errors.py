"""The one exception for mistakes that a user can mend."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A mistake in parameters, data or set-up: what, where and the way out, in one line."""


@contextmanager
def one_line(what: str, way_out: str) -> Iterator[None]:
    """Make a `UserError` of any exception: "<what> (<its own words>); <way out>".

    For other people's readers and converters, which raise nearly anything on a file that they cannot use.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{what} ({reason[:200]}); {way_out}") from None
