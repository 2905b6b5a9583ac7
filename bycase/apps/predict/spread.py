"""The same scoring on a Ray cluster: portions of the files go to actors, predictions come back in order.

Ray Data (https://docs.ray.io/en/latest/data/data.html) keeps a bounded number of portions and results in flight, and
gives a lost node's portions to others.
"""

import pickle
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bycase.apps.classifier.classifier import Classifier
from bycase.apps.predict.batches import PredictedBatch, predict_entries
from bycase.apps.predict.sources import Entry
from bycase.apps.runtimes import load_for_runtime
from bycase.core.errors import UserError
from bycase.core.files import file_digest
from bycase.core.packages import need
from bycase.studies.cluster import connected, node_cores

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
LOST = "the cluster's nodes are lost; nothing is written, run again"
LARGEST_PORTION = 64  # batches
PORTIONS_PER_ACTOR = 4  # at least, so that none waits long for the last
_LOOK_SECONDS = 5.0
_LOOKS = 3  # in a row that find no cluster


@dataclass(frozen=True)
class Task:
    """What an actor needs to know.

    Attributes
    ----------
    model, exports : Path
        The classifier's file and the folder of exports; absolute, and the same for every node.
    digest : str
        The file's SHA-256.
    runtime : str
        One of `bycase.apps.runtimes.RUNTIMES`.
    batch_size : int
        Files at a time.
    views : int, in [1, 8]
        See `Classifier.predict_prepared`.
    value_range : (float, float) or None
        See `bycase.apps.predict.batches.predict_entries`.
    """

    model: Path
    exports: Path
    digest: str
    runtime: str
    batch_size: int
    views: int
    value_range: tuple[float, float] | None = None


class Actor:
    """Loads the classifier once, then predicts portions of files."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.classifier: Classifier | str
        try:
            self.classifier = load_here(task)
        # Raised here it would reach the user as a traceback of Ray.
        except UserError as error:
            self.classifier = str(error)

    def __call__(self, table: "pa.Table") -> Iterator["pa.Table"]:
        """Predict one portion, batch by batch."""
        import pyarrow as pa

        def in_row(result: PredictedBatch | str) -> "pa.Table":
            return pa.table({"result": pa.array([pickle.dumps(result)], pa.binary())})

        if isinstance(self.classifier, str):
            yield in_row(self.classifier)
            return
        for portion in table["files"].to_pylist():
            entries, task = iter(pickle.loads(portion)), self.task
            for batch, predictions in predict_entries(self.classifier, entries, task.views, task.value_range):
                # Neither pixels nor features are in the table.
                bare = replace(batch, images=batch.images[:0])
                yield in_row((bare, predictions and replace(predictions, features=predictions.features[:, :0])))


def load_here(task: Task) -> Classifier:
    """Load the classifier on the node where this runs.

    Raises
    ------
    UserError
        If it is not there, or is another one.
    """
    import ray

    node = f"node {ray.util.get_node_ip_address()}"
    way_out = "put it where every node finds it, and name it by --model"
    if not task.model.is_file():
        raise UserError(f"{node}: {task.model} not found; {way_out}")
    if file_digest(task.model) != task.digest:
        raise UserError(f"{node}: {task.model} is another file than here; {way_out}")
    try:
        return load_for_runtime(task.model, task.runtime, task.batch_size, task.exports)
    except UserError as error:
        raise UserError(f"{node}: {error}") from None


def predict_on_cluster(
    task: Task, address: str, n_actors: int | None, entries: Iterable[Entry], n_files: int
) -> Iterator[PredictedBatch]:
    """`spread` on the cluster at an address; `n_actors` is one a node where left out."""
    need("ray.data", "--ray", "leave --ray out")
    with connected(address) as cores:
        yield from spread(task, n_actors or len(cores), min(cores), iter(entries), n_files)


def spread(task: Task, n_actors: int, cores: float, entries: Iterator[Entry], n_files: int) -> Iterator[PredictedBatch]:
    """Predict files on the cluster that is connected to, in order.

    Parameters
    ----------
    task : Task
        For the actors.
    n_actors : int
        How many load the classifier.
    cores : float
        Of the smallest node. All actors together reserve no more, so that they fit on any node that is left.
    entries : iterator
        The files, `n_files` of them, roughly.

    Raises
    ------
    UserError
        If the classifier cannot be loaded on a node, or all nodes are lost.
    """
    import pyarrow as pa
    import ray

    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    portions: list[Any] = [
        ray.put(pa.table({"files": pa.array([pickle.dumps(portion)], pa.binary())}))
        for portion in cut(entries, task.batch_size * portion_batches(n_files, task.batch_size, n_actors))
    ]
    results = ray.data.from_arrow_refs(portions).map_batches(
        Actor,
        fn_constructor_args=(task,),
        batch_size=None,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=n_actors),
        num_cpus=cores / n_actors,
    )
    rows: Iterator[dict[str, Any]] = iter(results.iter_rows())
    for row in watched(rows, lambda: bool(node_cores())):
        result = pickle.loads(row["result"])
        if isinstance(result, str):
            raise UserError(result)
        yield result


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


def portion_batches(n_files: int, batch_size: int, n_actors: int) -> int:
    """How many batches a portion has: few where there are few, so that every actor gets some."""
    return min(max(n_files // (batch_size * n_actors * PORTIONS_PER_ACTOR), 1), LARGEST_PORTION)


def cut(entries: Iterator[Entry], length: int) -> Iterator[list[Entry]]:
    """Portions of `length` files; the last may be shorter."""
    while portion := list(islice(entries, length)):
        yield portion
