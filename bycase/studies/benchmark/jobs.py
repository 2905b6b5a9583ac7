"""Cells side by side: one `dvc repro` a cell, as many at a time as asked for.

DVC itself runs one stage after the other, and lets several of its processes run different stages
(https://dvc.org/doc/command-reference/repro#parallel-stage-execution).
"""

import logging
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bycase.core.errors import UserError
from bycase.core.machine import core_count
from bycase.studies import pipelines

PIPELINE = "benchmark/dvc.yaml"
SHARED_STAGES = ("folds", "embed")
CELL_STAGES = ("cell", "shift")


def run_jobs(jobs: int, logs: Path) -> None:
    """Run the whole benchmark with `jobs` cells at a time; what is up to date is left.

    Parameters
    ----------
    jobs : int
        From 1 up.
    logs : Path
        A folder for one log file a cell.

    Raises
    ------
    UserError
        If a cell fails, after all others have run; names all that failed.
    """
    pipelines.show_pipeline(PIPELINE)
    stages = list_stages()
    if not pipelines.run_dvc("repro", *(f"{PIPELINE}:{name}" for name in SHARED_STAGES)):
        raise UserError(f"{' and '.join(SHARED_STAGES)} did not finish, for the reason above")
    cells = [name for name in stages if name.split("@")[0] in CELL_STAGES]
    logs.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(jobs) as pool:
        ended = list(pool.map(lambda cell: _run_cell(cell, logs, jobs), cells))
    failed = [cell for cell, well in zip(cells, ended, strict=True) if not well]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(cells)} cells failed ({', '.join(failed)}); the last lines of their logs in {logs} "
            "say why; the others are done: mend that and run again, or take the network out of benchmark/params.yaml"
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


def _run_cell(cell: str, logs: Path, jobs: int) -> bool:
    """Run one cell; whether it ended well."""
    log = logs / f"{cell}.log"
    # Threads beyond the cores slow each other down.
    threads = max(1, core_count() // jobs)
    limits = {"OMP_NUM_THREADS": threads, "TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads}
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            [*pipelines.dvc_command(), "repro", "--single-item", f"{PIPELINE}:{cell}"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=pipelines.dvc_environment() | {name: str(number) for name, number in limits.items()},
            check=False,
        )
    logging.info("%s: %s", cell, "done" if not done.returncode else f"FAILED, see {log}")
    return done.returncode == 0
