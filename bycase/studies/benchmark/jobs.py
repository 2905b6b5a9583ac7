"""Stages side by side: one `dvc repro` each, as many at a time as asked for, here or on a Ray cluster.

DVC itself runs one stage after the other, and lets several of its processes run different stages
(https://dvc.org/doc/command-reference/repro#parallel-stage-execution); it says what is finished, wherever stages run.
Here threads wait for the processes: Ray would need an extra, and seconds to start, for what one machine does without.
"""

import logging
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.machine import core_count
from bycase.studies import pipelines

PIPELINE = "benchmark/dvc.yaml"
CELLS = ("cell", "shift")
# From stages to each that has ended, as they end, and why it failed: empty where it is done.
Runner = Callable[[Sequence[str]], Iterable[tuple[str, str]]]


def run_here(jobs: int, logs: Path) -> None:
    """`run_stages` with `jobs` cells at a time on this machine."""

    def run(stages: Sequence[str]) -> Iterator[tuple[str, str]]:
        with ThreadPoolExecutor(jobs) as pool:
            running = {pool.submit(run_stage, stage, logs, core_count() // jobs): stage for stage in stages}
            for ended in as_completed(running):
                yield running[ended], ended.result()

    run_stages(run, [f"{PIPELINE}:folds", f"{PIPELINE}:embed"], CELLS, logs)


def run_stages(run: Runner, first: Sequence[str], kinds: Sequence[str], logs: Path) -> None:
    """Run the whole benchmark; what is up to date is left.

    Parameters
    ----------
    run : callable
        Runs stages side by side.
    first : sequence of str
        What DVC runs before them, with all that it needs.
    kinds : sequence of str
        Which stages `run` gets, in this order; DVC runs all others at the end.
    logs : Path
        A folder for one log file a stage.

    Raises
    ------
    UserError
        If a stage fails, after all others have run; names all that failed.
    """
    pipelines.show_pipeline(PIPELINE)
    stages = [name for kind in kinds for name in list_stages() if name.split("@")[0] == kind]
    if not pipelines.run_dvc("repro", *first):
        raise UserError(f"{' and '.join(name.split(':')[-1] for name in first)} did not finish, for the reason above")
    logs.mkdir(parents=True, exist_ok=True)
    failed = []
    for stage, reason in run(stages):
        logging.info("%s: %s", stage, f"FAILED, {reason}" if reason else "done")
        failed += [stage] if reason else []
    if failed:
        raise UserError(
            f"{len(failed)} of {len(stages)} cells failed ({', '.join(sorted(failed, key=stages.index))}); the last "
            f"lines of their logs in {logs} say why; the others are done: mend that and run again, or take the network "
            "out of benchmark/params.yaml"
        )
    if not pipelines.run_dvc("repro", PIPELINE):
        raise UserError("the cells are done, but what follows them did not finish, for the reason above")


def list_stages() -> list[str]:
    """The names of the benchmark's stages, such as ``cell@resnet50v2-0-3``.

    Raises
    ------
    UserError
        If DVC cannot read the pipeline.
    """
    done = subprocess.run(
        [*pipelines.dvc_command(), "stage", "list", "--name-only", PIPELINE],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"{PIPELINE}: {done.stderr.strip()}")
    return [line.split(":")[-1] for line in done.stdout.split()]


def run_stage(
    stage: str, logs: Path, threads: int, guard: Sequence[str] = (), environment: dict[str, str] | None = None
) -> str:
    """Run one stage, and say why it failed; nothing where it did not.

    Parameters
    ----------
    stage : str
        Of `list_stages`.
    logs : Path
        The folder of its log file.
    threads : int
        How many it may use: those beyond the cores slow each other down.
    guard : sequence of str
        A command that runs it, and ends it with the end of standard input; in a process group of its own.
    environment : dict of str to str, optional
        Further variables.
    """
    log = logs / f"{stage}.log"
    limits = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "start_new_session": True} if guard else {}
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            # DVC holds its lock while it looks what has changed.
            [*guard, *pipelines.dvc_command(), "--wait-for-lock", "repro", "--single-item", f"{PIPELINE}:{stage}"],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=pipelines.dvc_environment() | dict.fromkeys(limits, str(max(1, threads))) | (environment or {}),
            **({"stdin": subprocess.DEVNULL} | options),
        ) as process,
    ):
        return f"see {log}" if process.wait() else ""
