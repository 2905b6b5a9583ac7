import threading
from collections.abc import Iterator

import pytest

from bycase.core.parallel import prefetch


def test_order_is_kept_and_the_next_is_prepared_meanwhile() -> None:
    prepared: list[int] = []
    second = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(5):
            prepared.append(number)
            if number == 1:
                second.set()
            yield number

    coming = prefetch(numbers())
    assert next(coming) == 0
    assert second.wait(5)
    assert list(coming) == [1, 2, 3, 4]
    assert prepared == [0, 1, 2, 3, 4]


def test_an_error_comes_where_its_batch_would_have_come() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    coming = prefetch(numbers())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(coming)
