"""Limits of requests, and the errors of those that exceed them."""

import logging
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

MEGABYTE = 1_000_000
MINUTE = 60.0  # seconds
CLIENTS = 4096  # whose requests are counted; the one longest unseen is forgotten first


@dataclass(frozen=True)
class Limits:
    """How much is accepted.

    Attributes
    ----------
    image_bytes, request_bytes : int
        Of one image's file, and of a request's whole body.
    pixels : int
        Of one image, as its header states them.
    images : int
        In one request.
    per_minute : int
        Requests of one address.
    at_once : int
        Requests in work.
    seconds : float
        In which a request's body has to arrive.
    """

    image_bytes: int = 20 * MEGABYTE
    request_bytes: int = 64 * MEGABYTE
    pixels: int = 50_000_000
    images: int = 16
    per_minute: int = 600
    at_once: int = 64
    seconds: float = 30.0

    @property
    def words(self) -> str:
        """The limits as the page states them."""
        return (
            f"at most {self.images} images at a time, {self.image_bytes // MEGABYTE} MB and "
            f"{self.pixels // 1_000_000} megapixels each, {self.request_bytes // MEGABYTE} MB together"
        )


class RefusedError(Exception):
    """A request, or an image of it, that is refused.

    Attributes
    ----------
    status : int
        The HTTP status.
    code : str
        For programs; never changes.
    message : str
        For people: what, and the way out. Nothing of what was sent is repeated in it.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    @property
    def body(self) -> dict[str, dict[str, str]]:
        """What the API sends."""
        return {"error": {"code": self.code, "message": self.message}}


def report_defect(error: Exception) -> RefusedError:
    """Log where this program failed, without the words, which may be of a file; gives what the asker is told."""
    logging.error("a defect: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return RefusedError(500, "defect", "a defect of this program, not of your image; please report it")


class Rate:
    """Counts each address's requests in the last minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, address: str) -> None:
        """Count one request.

        Raises
        ------
        RefusedError
            If the address has had its share; a refused request does not count.
        """
        now = self._clock()
        times = self._times.setdefault(address, deque())
        self._times.move_to_end(address)
        while times and now - times[0] >= MINUTE:
            times.popleft()
        if len(times) >= self._per_minute:
            raise RefusedError(429, "too_many_requests", f"more than {self._per_minute} requests a minute; wait")
        times.append(now)
        while len(self._times) > CLIENTS:
            self._times.popitem(last=False)
