"""Work side by side: one function over many items in processes or threads, in the items' order."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import parent_process
from typing import TypeVar

from tqdm import tqdm

from bycase.core.errors import UserError
from bycase.core.machine import core_count

Item = TypeVar("Item")
Result = TypeVar("Result")
_END = object()

BATCH = 4096  # items handed to the pool at a time, so that memory does not grow with their number


def map_on_all_cores(
    function: Callable[[Item], Result], items: Sequence[Item], label: str, workers: int | None = None
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in the items' order.

    Parameters
    ----------
    function : callable
        A module-level function (it is sent to other processes).
    items : sequence
        Its arguments.
    label : str
        Said beside the progress bar, which is drawn on a terminal only.
    workers : int, optional
        Number of processes; all cores where left out.

    Raises
    ------
    UserError
        If the system ended a worker, as it does when memory runs out.
    """
    workers = workers or core_count()
    chunk = max(1, min(16, len(items) // (workers * 4)))
    rest = iter(items)
    with (
        ProcessPoolExecutor(workers, initializer=end_with_parent) as pool,
        tqdm(total=len(items), desc=label, disable=None) as bar,
    ):
        try:
            while batch := list(islice(rest, BATCH)):
                for result in pool.map(function, batch, chunksize=chunk):
                    bar.update()
                    yield result
        except BrokenProcessPool:
            raise UserError(f"{label}: a worker process was ended by the system; free some memory and retry") from None


def end_with_parent() -> None:
    """Let a worker end when its parent is killed; else it would wait for work for ever."""
    threading.Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Yield ``function(item)`` for every item, in the items' order, computed in threads ahead of what is asked for.

    For batches of images: NumPy, OpenCV, Pillow and files let other threads run while they work, and a batch of
    pictures is sooner made than sent from another process.

    Parameters
    ----------
    function : callable
        Runs in several threads at a time: it neither reads nor writes what another call writes.
    items : iterable
        Its arguments, taken in the caller's thread.
    workers : int, optional
        Number of threads, and of results that are made ahead; all cores where left out.

    Raises
    ------
    Exception
        Any of `function`, where its result would have come; what was begun ahead is waited for and dropped.
    """
    workers = workers or core_count()
    rest = iter(items)
    pool = ThreadPoolExecutor(workers)
    try:
        coming = deque(pool.submit(function, item) for item in islice(rest, workers))
        while coming:
            result = coming.popleft().result()
            coming.extend(pool.submit(function, item) for item in islice(rest, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def prefetch(batches: Iterator[Item]) -> Iterator[Item]:
    """Yield the same batches in the same order, each prepared in a second thread one ahead.

    An exception of `batches` is raised where its batch would have come.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, _END)
        while (batch := coming.result()) is not _END:
            coming = pool.submit(next, batches, _END)
            yield batch  # type: ignore[misc]
