"""Cells side by side: one `dvc repro` a cell, as many at a time as asked for.

DVC itself runs one stage after the other, and lets several of its processes run different stages
(https://dvc.org/doc/command-reference/repro#parallel-stage-execution).
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bycase.core.errors import UserError

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
    stages = list_stages()
    if not _dvc("repro", *(f"{PIPELINE}:{name}" for name in SHARED_STAGES)):
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
    if not _dvc("repro", PIPELINE):
        raise UserError("the cells are done, but what follows them did not finish, for the reason above")


def list_stages() -> list[str]:
    """The names of the benchmark's stages, such as ``cell@resnet50v2-0-3``.

    Raises
    ------
    UserError
        If DVC cannot read the pipeline.
    """
    done = subprocess.run(
        [*_command(), "stage", "list", "--name-only", PIPELINE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UserError(f"{PIPELINE}: {done.stderr.strip()}")
    return [line.split(":")[-1] for line in done.stdout.split()]


def _run_cell(cell: str, logs: Path, jobs: int) -> bool:
    """Run one cell; whether it ended well."""
    log = logs / f"{cell}.log"
    # Threads beyond the cores slow each other down.
    threads = max(1, len(os.sched_getaffinity(0)) // jobs)
    limits = {"OMP_NUM_THREADS": threads, "TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads}
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            [*_command(), "repro", "--single-item", f"{PIPELINE}:{cell}"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=_environment() | {name: str(number) for name, number in limits.items()},
            check=False,
        )
    logging.info("%s: %s", cell, "done" if not done.returncode else f"FAILED, see {log}")
    return done.returncode == 0


def _dvc(*arguments: str) -> bool:
    sys.stdout.flush()
    return subprocess.run([*_command(), *arguments], env=_environment(), check=False).returncode == 0


def _command() -> Sequence[str]:
    return sys.executable, "-m", "dvc"


def _environment() -> dict[str, str]:
    """The pipeline's `python` is this one."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
