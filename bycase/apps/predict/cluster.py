"""A Ray cluster: connecting to it, and noticing that it is gone."""

import logging
import os
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TypeVar

from bycase.core.device import standard_error_put_aside
from bycase.core.errors import UserError
from bycase.core.machine import core_count
from bycase.core.packages import need

T = TypeVar("T")
LOCAL, AUTO = "local", "auto"
START = "'ray start --head', or give 'local'"

_HOST_AND_PORT = re.compile(r"(?P<host>[\w.-]+):(?P<port>\d{1,5})")
_CONNECT_SECONDS = 5.0
_LOOK_SECONDS = 5.0
_LOOKS = 3  # in a row that find no cluster
LOST = "the cluster's nodes are lost; nothing is written, run again"
_STORE_BYTES = 1 << 28  # of a cluster of this machine's own: only names and predictions are stored
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    # Without an answer of the cluster for so many seconds Ray ends this process without a word, by default after 60:
    # a busy machine may not have looked often enough by then.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}


@contextmanager
def connected(address: str) -> Iterator[list[float]]:
    """Connect to a cluster; one of this machine's own ends with the block, in which `sys.stdout` leads nowhere.

    Where the node that it is connected to is lost, Ray ends the process without a word: use it `in_child`.

    Parameters
    ----------
    address : str
        ``host:port``; 'auto', the cluster that this machine is part of; or 'local', a new one that only this machine
        reaches.

    Yields
    ------
    list of float
        The cores of each node that has any.

    Raises
    ------
    UserError
        If Ray is missing, the address is none, no cluster answers, or it has no cores.
    """
    target = check_address(address)
    os.environ.update(_SETTINGS)
    # Ray would otherwise prefer it to the address that was given.
    os.environ.pop("RAY_ADDRESS", None)
    if target is None or _is_loopback(target[0]):
        # Its processes then listen on 127.0.0.1; ray.init's own argument gives way to the machine's address.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    if target is not None:
        _knock(address, *target)
    ray = need("ray", "--ray", "leave --ray out")
    need("ray.data", "--ray", "leave --ray out")
    # When a node is lost, Ray prints pages, whatever its log level.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            _init(address)
            cores = node_cores()
            if not cores:
                raise UserError(f"--ray {address}: the cluster has no cores; add nodes to it")
            logging.info("%g cores of a Ray cluster, nodes: %d", sum(cores), len(cores))
            yield cores
        finally:
            ray.shutdown()


def check_address(address: str) -> tuple[str, int] | None:
    """Take an address apart: host and port; None for 'auto' and 'local'.

    Raises
    ------
    UserError
        If it is no address.
    """
    if address in (LOCAL, AUTO):
        return None
    parts = _HOST_AND_PORT.fullmatch(address)
    if not parts or not 0 < int(parts["port"]) < 1 << 16:
        raise UserError(f"--ray {address}: give host:port, '{AUTO}' or '{LOCAL}'")
    return parts["host"], int(parts["port"])


def node_cores() -> list[float]:
    """The cores of each living node that has any, of the cluster that is connected to."""
    import ray

    return [node["Resources"]["CPU"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]


def has_nodes() -> bool:
    """Whether the cluster that is connected to answers, and has cores."""
    import ray

    try:
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        # Ray itself would wait a minute for an answer, and then end this process.
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
        return bool(node_cores())
    # Ray's own exceptions are of several families.
    except Exception:
        return False


def watched(items: Iterator[T], is_alive: Callable[[], bool], seconds: float = _LOOK_SECONDS) -> Iterator[T]:
    """Yield the same items; where they keep one waiting, look now and then whether any can come.

    Raises
    ------
    UserError
        If `is_alive` said no `_LOOKS` times in a row, or says no after any other error than a user's: where nodes are
        lost, Ray may raise errors of several families before it is noticed otherwise.
    """
    coming: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(maxsize=1)

    def fetch() -> None:
        try:
            for item in items:
                coming.put(("item", item))
            coming.put(("end", None))
        # It is raised again where the item would have come.
        except BaseException as error:
            coming.put(("error", error))

    threading.Thread(target=fetch, daemon=True).start()
    missed = 0
    while True:
        try:
            kind, item = coming.get(timeout=seconds)
        except queue.Empty:
            missed = 0 if is_alive() else missed + 1
            if missed == _LOOKS:
                raise UserError(LOST) from None
            continue
        missed = 0
        if kind == "end":
            return
        if kind == "error":
            if not isinstance(item, UserError):
                # What else is lost with the node that failed is told only a little later.
                time.sleep(seconds)
                if not is_alive():
                    raise UserError(LOST) from None
            raise item  # type: ignore[misc]
        yield item  # type: ignore[misc]


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.")


def _knock(address: str, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"--ray {address}: no cluster answers there ({reason}); start one with {START}") from None


def _init(address: str) -> None:
    import ray

    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
    own |= {"num_cpus": core_count()}
    try:
        with standard_error_put_aside():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **(own if address == LOCAL else {}))
    # Ray raises these for no cluster, another version of Ray or Python, and for a machine that is no part of it.
    except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
        if address == AUTO and isinstance(error, ConnectionError):
            raise UserError(f"--ray {AUTO}: no cluster runs on this machine; start one with {START}") from None
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"--ray {address}: no connection ({reason}); is this machine part of the cluster?") from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
