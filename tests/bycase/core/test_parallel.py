import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bycase.core import parallel
from bycase.core.errors import UserError
from bycase.core.parallel import map_in_threads, map_on_all_cores, prefetch

REPOSITORY = Path(__file__).parents[3]


def square_after_a_while(number: int) -> int:
    # The first items take longest, so that results become ready out of order.
    time.sleep(0.02 if number < 3 else 0)
    return number * number


def process_of(number: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def end_its_worker(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse_seven(number: int) -> int:
    if number == 7:
        raise OSError(28, "No space left on device", "seven")
    return number


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 35])
def test_every_result_comes_once_in_the_items_order(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(parallel, "BATCH", 10)
    results = list(map_on_all_cores(square_after_a_while, range(count), "test", workers=2))
    assert results == [n * n for n in range(count)]


def test_work_is_done_in_as_many_other_processes_as_asked() -> None:
    processes = set(map_on_all_cores(process_of, range(40), "test", workers=3))
    assert os.getpid() not in processes
    assert len(processes) == 3


def test_killed_worker_becomes_a_message() -> None:
    with pytest.raises(UserError, match="converting: a worker process was ended by the system; free some memory"):
        list(map_on_all_cores(end_its_worker, range(20), "converting", workers=2))


def test_workers_exception_arrives_with_its_number_and_file() -> None:
    with pytest.raises(OSError, match="No space left") as raised:
        list(map_on_all_cores(refuse_seven, range(20), "test", workers=2))
    assert (raised.value.errno, raised.value.filename) == (28, "seven")


def test_workers_end_when_their_parent_is_killed() -> None:
    script = (
        "import os, time\n"
        "from bycase.core.parallel import map_on_all_cores\n"
        "for group in map_on_all_cores(os.getpgid, [0, 0], 'test', workers=2):\n"
        "    print(group, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        start_new_session=True,
    )
    assert parent.stdout is not None
    group = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    # The workers hold the other end of this pipe; it ends when the last of them does.
    ready, _, _ = select.select([parent.stdout], [], [], 20)
    if not ready:
        os.killpg(group, signal.SIGKILL)
    assert ready
    assert parent.stdout.read() == ""
    parent.stdout.close()


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


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 4, 30])
def test_threads_give_every_result_once_in_the_items_order(workers: int, count: int) -> None:
    assert list(map_in_threads(square_after_a_while, range(count), workers)) == [n * n for n in range(count)]


def test_as_many_threads_as_asked_work_at_a_time() -> None:
    together = threading.Barrier(3)
    assert sorted(map_in_threads(lambda _: together.wait(10), range(3), 3)) == [0, 1, 2]


def test_threads_run_ahead_by_no_more_than_their_number() -> None:
    begun: list[int] = []
    results = map_in_threads(lambda number: begun.append(number), range(100), 2)
    for taken in range(1, 6):
        next(results)
        time.sleep(0.01)
        assert len(begun) <= taken + 2


def test_a_threads_error_comes_where_its_result_would_have_come_and_nothing_more_is_begun() -> None:
    begun: list[int] = []

    def refuse(number: int) -> int:
        begun.append(number)
        return refuse_seven(number)

    results = map_in_threads(refuse, range(1000), 3)
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(OSError, match="No space left"):
        next(results)
    assert max(begun) < 12
    assert list(results) == []


def test_threads_end_when_the_rest_of_the_results_is_not_wanted() -> None:
    before = threading.active_count()
    results = map_in_threads(square_after_a_while, range(1000), 3)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
