"""Ray, started here for a search or found on a cluster."""

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.machine import core_count
from bycase.studies.tune.params import TuningParams

LOCAL = "local"
LOOPBACK = "127.0.0.1"
LONGEST_REASON = 200
OBJECT_STORE = 100 * 1024**2  # bytes: nothing large goes through it
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray's own record of trials; the journal is ours.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": str(10**9),
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "1000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def find_address(tuning: TuningParams) -> str:
    """The cluster's address: of the parameters, else of the environment; 'local' starts Ray here."""
    return tuning.ray.address or os.environ.get("RAY_ADDRESS") or LOCAL


@contextmanager
def ray_session(tuning: TuningParams) -> Iterator[None]:
    """Have Ray until the end of the block; inside another such block, the outer one's.

    Workers find this package where it is installed, or in the current folder, which Ray hands on to them; on a
    cluster, either has to be so on every node.

    Raises
    ------
    UserError
        If no cluster answers at the address.
    """
    address, cores = find_address(tuning), core_count()
    os.environ.update(QUIET)
    if address == LOCAL or address.startswith(LOOPBACK):
        # Read when Ray is imported; without it Ray would turn the loopback address into one that the network reaches.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    import ray

    from bycase.studies.tune.ray_internals import local_options

    if ray.is_initialized():
        yield
        return
    threads = str(max(1, cores // tuning.workers))  # of one worker; beyond the cores they would slow each other down
    environment = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        **dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), threads),
    }
    common: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "runtime_env": {"env_vars": environment},
    }
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if address == LOCAL:
                ray.init(
                    address=LOCAL,
                    num_cpus=max(cores, tuning.workers),
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE,
                    **local_options(LOOPBACK, Path(folder)),
                    **common,
                )
            else:
                ray.init(address=address, **common)
        # Ray raises bare exceptions, too, where it does not start.
        except Exception as error:
            reason = " ".join(str(error).split())[:LONGEST_REASON]
            if address == LOCAL:
                raise UserError(f"Ray does not start here ({reason}); free some memory or cores and retry") from None
            raise UserError(
                f"no Ray cluster answers at {address} ({reason}); start one with 'ray start --head', or set "
                "ray.address of tuning/params.yaml to null and unset RAY_ADDRESS"
            ) from None
        # What becomes of trials is told by the journal.
        for name in ("ray", "ray.tune", "ray.train", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            if address == LOCAL and ray.util.get_node_ip_address() != LOOPBACK:
                raise RuntimeError("Ray listens to the network: it was imported before tune.session set it up")
            yield
        finally:
            ray.shutdown()


def count_nodes() -> int:
    """Nodes of the cluster that are alive."""
    import ray

    return sum(bool(node["Alive"]) for node in ray.nodes())


def cores_each(workers: int) -> int:
    """CPUs that a trial asks for, so that as many as wanted run at a time on the whole cluster."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)) // workers)
