"""Work in a child process whose end is told, whatever ends it.

Ray ends the process that drives it, by ``_exit`` in its C++ code, when the node or cluster that it is connected to is
lost: no exception, no line, no ``finally``. The parent, which holds what must be tidied up, is not Ray's.
"""

import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from bycase.core.errors import UserError
from bycase.core.parallel import end_with_parent

Item = TypeVar("Item")
Send = Callable[[str, Any], None]
_SECONDS_TO_END = 20.0


def in_child(lost: str, work: Callable[..., Iterable[Item] | None], *arguments: Any) -> Iterator[Item]:
    """Yield the items of ``work(*arguments)``, which runs in a child process; its log becomes this process's.

    Parameters
    ----------
    lost : str
        What is said where the child ended without a word.
    work : callable
        A module-level function (it is sent to the child), which gives items, or nothing.
    arguments : Any
        What it takes; pickled, as the items are.

    Raises
    ------
    UserError
        `lost`, or that the system killed the child.
    Exception
        Any of `work`, where its item would have come.
    """
    context = get_context("spawn")
    coming, sender = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(sender, logging.getLogger().level, work, arguments))
    child.start()
    sender.close()
    try:
        while True:
            try:
                kind, value = coming.recv()
            except (EOFError, ConnectionError):
                child.join(_SECONDS_TO_END)
                if child.exitcode is not None and child.exitcode < 0:
                    name = signal.Signals(-child.exitcode).name
                    raise UserError(f"the process was ended by {name}; free some memory and run again") from None
                raise UserError(lost) from None
            if kind == "end":
                return
            if kind == "error":
                raise value
            if kind == "log":
                logging.getLogger(value.name).handle(value)
            else:
                yield value
    finally:
        coming.close()
        child.terminate()
        child.join(_SECONDS_TO_END)
        child.kill()
        child.join()


class _Relay(logging.Handler):
    """Hands log records on."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record with its text in place of what may not be pickled."""
        record.msg, record.args, record.exc_info = self.format(record), None, None
        self._send("log", record)


def _serve(sender: Connection, level: int, work: Callable[..., Iterable[Any] | None], arguments: Any) -> None:
    """What the child does: ``("log", record)``, ``("item", item)``, then ``("end", None)`` or ``("error", error)``."""
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    lock = threading.Lock()  # several threads log

    def send(kind: str, value: Any) -> None:
        with lock:
            sender.send((kind, value))

    log = logging.getLogger()
    log.setLevel(level)
    log.addHandler(_Relay(send))
    logging.captureWarnings(True)
    try:
        for item in work(*arguments) or ():
            send("item", item)
        send("end", None)
    except Exception as error:
        _tell(send, error)
    except KeyboardInterrupt:
        sys.exit(1)


def _tell(send: Send, error: Exception) -> None:
    """Send an error with its traceback, as words where it cannot be pickled; unless nobody is there to read it."""
    try:
        error.add_note(traceback.format_exc())
        send("error", error)
    except ConnectionError:
        sys.exit(1)
    except Exception:
        send("error", RuntimeError(f"{type(error).__name__}: {error}"))
