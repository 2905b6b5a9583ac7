"""The benchmark on a Ray cluster whose nodes share the project's folder: each stage is a task, which runs DVC there."""

import os
import platform
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bycase.core.child import in_child
from bycase.core.errors import UserError
from bycase.studies.benchmark.jobs import CELLS, PIPELINE, run_stage, run_stages
from bycase.studies.cluster import check_cluster, connected, living_nodes
from bycase.tables.out_of_fold import BENCHMARK

LOST = "the cluster's nodes are lost; what is done is kept: run again to go on from it"
SHARE = "put the project and its environment on storage that all nodes mount at the same path"
RETRIES = 5  # of a stage whose node was lost
LONGEST_REASON = 200
GIGABYTE = 1e9
# Runs a command in a process group that ends with standard input, which the system closes with whoever holds it: where
# a node is lost, its stages must not write on beside those that take their place.
GUARD = 'exec 3<&0; "$@" </dev/null & command=$!; { cat <&3 >/dev/null; kill -KILL 0; } & wait $command'
_LOOK_SECONDS = 5.0
_LOOKS = 3  # in a row that find no node for what is left


@dataclass(frozen=True)
class Resources:
    """What each stage gets.

    Attributes
    ----------
    cores : int
        From 1 up; it runs as many threads.
    memory : float
        GB; 0: not counted.
    gpus : float
        A share of a GPU, or whole ones; 0: it sees none.
    """

    cores: int = 1
    memory: float = 0
    gpus: float = 0

    def fit(self, nodes: Sequence[dict[str, float]]) -> bool:
        """Whether any node has all of it; `nodes` are what each has, by Ray's names."""
        needed = {"CPU": self.cores, "memory": self.memory * GIGABYTE, "GPU": self.gpus}
        return any(all(node.get(name, 0) >= number for name, number in needed.items()) for node in nodes)

    def __str__(self) -> str:
        return f"{self.cores} cores, {self.memory:g} GB and {self.gpus:g} GPUs"


def run_on_ray(address: str, resources: Resources, logs: Path) -> None:
    """`run_stages` with embeddings and cells as tasks of the cluster at an address, see `connected`."""
    check_cluster(address)
    run_stages(
        lambda stages: in_child(LOST, run_tasks, address, resources, stages, logs),
        [f"{PIPELINE}:folds", "preprocess"],
        ("embed", *CELLS),
        logs,
    )


def find_embedding(stage: str) -> str | None:
    """The stage that writes the features which a cell such as ``cell@resnet50v2-0-3`` reads; None of any other."""
    kind, _, place = stage.partition("@")
    if kind not in CELLS:
        return None
    model, repeat, _ = place.rsplit("-", 2)
    return f"embed@{model}-{repeat if kind == 'cell' else 0}"


def run_tasks(address: str, resources: Resources, stages: Sequence[str], logs: Path) -> Iterator[tuple[str, str]]:
    """Run stages on the nodes of a cluster; where a node is lost, its stages run again on others.

    Parameters
    ----------
    address : str
        See `connected`.
    resources : Resources
        Of each.
    stages : sequence of str
        Each after the one that it needs, see `find_embedding`.
    logs : Path
        The folder of log files, in that of the project.

    Yields
    ------
    (str, str)
        A stage that has ended, and why it failed; empty where it is done.

    Raises
    ------
    UserError
        If no cluster answers, no node has the resources, or the project's folder of a node is another one.
    """
    # Workers find this package in the project where it is not installed.
    path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    mark = (BENCHMARK / f".shared-{uuid.uuid4().hex}").absolute()
    with connected(address, {"PYTHONPATH": path}):
        import ray

        if not resources.fit(living_nodes()):
            raise UserError(
                f"--ray {address}: no node has {resources} together; lower --cores, --memory or --gpus, or add a node"
            )
        task = ray.remote(
            num_cpus=resources.cores,
            num_gpus=resources.gpus,
            memory=resources.memory * GIGABYTE,
            max_retries=RETRIES,
        )(run_task)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        try:
            refs: dict[str, Any] = {}
            for stage in stages:
                needed = refs.get(find_embedding(stage) or "")
                refs[stage] = task.remote(Path.cwd(), mark, stage, logs, resources, needed)
            yield from _collect({ref: stage for stage, ref in refs.items()}, resources)
        finally:
            mark.unlink()


def _collect(running: dict[Any, str], resources: Resources) -> Iterator[tuple[str, str]]:
    """What becomes of the stages, as they end."""
    import ray

    missed = 0
    while running:
        ended, _ = ray.wait(list(running), timeout=_LOOK_SECONDS)
        missed = 0 if ended or resources.fit(living_nodes()) else missed + 1
        if missed == _LOOKS:
            raise UserError(LOST)
        for ref in ended:
            yield running.pop(ref), _outcome(ref)


def _outcome(ref: Any) -> str:
    """Why a task failed; empty where it did not."""
    import ray

    try:
        reason: str = ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        if "No module named 'bycase'" in str(error):
            raise UserError(f"a node has no bycase: {SHARE}") from None
        raise
    # A worker whose nodes were lost again and again, or all of the cluster.
    except ray.exceptions.RayError as error:
        if isinstance(error, ray.exceptions.LocalRayletDiedError) or not living_nodes():
            raise UserError(LOST) from None
        return " ".join(str(error).split())[:LONGEST_REASON]
    return reason


def run_task(project: Path, mark: Path, stage: str, logs: Path, resources: Resources, needed: str | None) -> str:
    """Run a stage on the node where this is called.

    Parameters
    ----------
    project : Path
        Its folder, absolute.
    mark : Path
        A file in it that only this run has made.
    stage, logs, resources : str, Path, Resources
        See `run_tasks`.
    needed : str or None
        Why the stage that it waited for failed.

    Returns
    -------
    str
        Why it failed; empty where it did not.

    Raises
    ------
    UserError
        If the project's folder is not that of the run.
    """
    if needed:
        return "its features are missing"
    if not mark.is_file():
        raise UserError(f"node {platform.node()}: {project} is not there, or not the folder of this run: {SHARE}")
    os.chdir(project)
    hidden = {} if resources.gpus else {"CUDA_VISIBLE_DEVICES": ""}
    return run_stage(stage, logs, resources.cores, ("sh", "-c", GUARD, "sh"), hidden)
