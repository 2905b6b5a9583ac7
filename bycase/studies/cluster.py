"""A Ray cluster: connecting to it, what its nodes have, and whether it is still there."""

import logging
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from bycase.core.device import standard_error_put_aside
from bycase.core.errors import UserError
from bycase.core.machine import core_count
from bycase.core.packages import need

LOCAL, AUTO = "local", "auto"
START = "'ray start --head', or give 'local'"

_HOST_AND_PORT = re.compile(r"(?P<host>[\w.-]+):(?P<port>\d{1,5})")
_CONNECT_SECONDS = 5.0
_STORE_BYTES = 1 << 28  # of a cluster of this machine's own: only names and predictions are stored
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    # Without an answer of the cluster for so many seconds Ray ends this process without a word, by default after 60:
    # a busy machine may not have looked often enough by then.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}


@contextmanager
def connected(address: str, environment: Mapping[str, str] | None = None) -> Iterator[list[float]]:
    """Connect to a cluster; one of this machine's own ends with the block, in which `sys.stdout` leads nowhere.

    Where the node that it is connected to is lost, Ray ends the process without a word: use it `in_child`.

    Parameters
    ----------
    address : str
        ``host:port``; 'auto', the cluster that this machine is part of; or 'local', a new one that only this machine
        reaches.
    environment : mapping of str to str, optional
        Variables that workers have beside their node's.

    Yields
    ------
    list of float
        The cores of each node that has any.

    Raises
    ------
    UserError
        If Ray is missing, the address is none, no cluster answers, or it has no cores.
    """
    check_cluster(address)
    import ray

    # When a node is lost, Ray prints pages, whatever its log level.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            _init(address, environment or {})
            cores = node_cores()
            if not cores:
                raise UserError(f"--ray {address}: the cluster has no cores; add nodes to it")
            logging.info("%g cores of a Ray cluster, nodes: %d", sum(cores), len(cores))
            yield cores
        finally:
            ray.shutdown()


def check_cluster(address: str) -> None:
    """Find out what can be found out before Ray is started, and set up the environment for it.

    Raises
    ------
    UserError
        If the address is none, nobody answers there, or Ray is missing.
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
    need("ray", "--ray", "leave --ray out")


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


def living_nodes() -> list[dict[str, float]]:
    """What each living node has in all, by Ray's names; none where the cluster that is connected to does not answer."""
    import ray

    try:
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        # Ray itself would wait a minute for an answer, and then end this process.
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
        return [node["Resources"] for node in ray.nodes() if node["Alive"]]
    # Ray's own exceptions are of several families.
    except Exception:
        return []


def node_cores() -> list[float]:
    """The cores of each living node that has any."""
    return [node["CPU"] for node in living_nodes() if node.get("CPU")]


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.")


def _knock(address: str, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"--ray {address}: no cluster answers there ({reason}); start one with {START}") from None


def _init(address: str, environment: Mapping[str, str]) -> None:
    import ray

    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
    own |= {"num_cpus": core_count()}
    try:
        with standard_error_put_aside():
            ray.init(
                address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": dict(environment)} if environment else None,
                **(own if address == LOCAL else {}),
            )
    # Ray raises these for no cluster, another version of Ray or Python, and for a machine that is no part of it.
    except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
        if address == AUTO and isinstance(error, ConnectionError):
            raise UserError(f"--ray {AUTO}: no cluster runs on this machine; start one with {START}") from None
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"--ray {address}: no connection ({reason}); is this machine part of the cluster?") from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
