"""Preparing the next batch while the present one is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def prefetch(batches: Iterator[T]) -> Iterator[T]:
    """Yield the same batches in the same order, each prepared in a second thread one ahead.

    An exception of `batches` is raised where its batch would have come.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, _END)
        while (batch := coming.result()) is not _END:
            coming = pool.submit(next, batches, _END)
            yield batch  # type: ignore[misc]
