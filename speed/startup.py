"""`python -m speed.startup [--csv FILE]`: what each stage spends before its work: imports, and tracing networks.

All stages run one after another on a small phantom, each in a process of its own, as under DVC. Seconds are the
processor's, which other programs on the machine do not lengthen much. Imports count wherever they stand, TensorFlow's
and Keras' apart; tracing is what TensorFlow spends on turning Python into graphs.
"""

import argparse
import builtins
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HEAVY = ("keras", "tensorflow")
NUMBERS = ("python", "imports", "tensorflow", "tracing", "all")
# Small, for what comes after the start; the network is the shipped one.
PHANTOM = {"image_size": 64, "phantom": {"cases": 24, "images": 96, "width": 230, "height": 150}}
QUICK: dict[str, Any] = {
    "datasets": {"phantom": PHANTOM},
    "evaluate": {"resamples": 200},
    "explain": {"images": 2, "steps": 2, "randomisations": 1},
    "leakage": {"repeats": 1, "permutations": 20},
    "robustness": {"corruptions": ["brightness"], "severities": [1]},
    "train": {"collapse_action": "warn"},
}


class Stopwatch:
    """Processor seconds inside calls; one within another of the same kind counts once."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(NUMBERS, 0.0)
        self._depth = dict.fromkeys(NUMBERS, 0)

    def wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed under a name."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            self._depth[name] += 1
            try:
                return call(*args, **kwargs)
            finally:
                self._depth[name] -= 1
                if not self._depth[name]:
                    self.seconds[name] += time.process_time() - began

        return timed


def main(words: list[str] | None = None) -> None:
    """Run the stages, and print a table of seconds; with `--child`, run one stage and write its seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stages", nargs="+", help="left out: all of dvc.yaml, in its order")
    parser.add_argument("--folder", type=Path, help="where to work and to leave all; left out: a temporary folder")
    parser.add_argument("--csv", type=Path, help="write the table to this file as well")
    parser.add_argument("--child", nargs=2, metavar=("MODULE", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.child:
        run_child(arguments.child[0], Path(arguments.child[1]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.folder or Path(temporary)
        table = run_stages(work, arguments.stages)
    print_row({"stage": "all", **{name: sum(row[name] for row in table) for name in NUMBERS}})
    if arguments.csv:
        import pandas as pd

        from bycase.core.files import write_csv

        write_csv(arguments.csv, pd.DataFrame(table).round(2))


def run_stages(work: Path, wanted: list[str] | None) -> list[dict[str, Any]]:
    """A row of seconds for each stage."""
    from speed.stages import ROOT, pipeline_modules, write_phantom_params

    work.mkdir(parents=True, exist_ok=True)
    write_phantom_params(work, QUICK)
    modules, table = pipeline_modules(), []
    sys.stdout.write(f"{'stage':<16}" + "".join(f"{name:>12}" for name in NUMBERS) + "\n")
    for stage in wanted or modules:
        result = (work / "startup.json").resolve()
        command = [sys.executable, "-m", "speed.startup", "--child", modules[stage], str(result)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{stage} failed: {done.stderr}")
        table.append({"stage": stage, **json.loads(result.read_text(encoding="utf-8"))})
        print_row(table[-1])
    return table


def print_row(row: dict[str, Any]) -> None:
    """A stage's seconds, as they come."""
    sys.stdout.write(f"{row['stage']:<16}" + "".join(f"{row[name]:>12.1f}" for name in NUMBERS) + "\n")
    sys.stdout.flush()


def run_child(module: str, result: Path) -> None:
    """Run a stage as `python -m` does, and write what its start took."""
    watch = Stopwatch()
    watch.seconds["python"] = time.process_time()
    original = builtins.__import__
    others = watch.wrap("imports", original)
    heavy = watch.wrap("imports", watch.wrap("tensorflow", original))

    def import_timed(name: str, *args: Any, **kwargs: Any) -> Any:
        imported = (heavy if name.partition(".")[0] in HEAVY else others)(name, *args, **kwargs)
        _time_tracing(watch)
        return imported

    builtins.__import__ = import_timed
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    builtins.__import__ = original
    watch.seconds["all"] = time.process_time()
    result.write_text(json.dumps(watch.seconds), encoding="utf-8")


def _time_tracing(watch: Stopwatch) -> None:
    """Once TensorFlow is there, time its tracing."""
    tracing: Any = sys.modules.get("tensorflow.python.eager.polymorphic_function.tracing_compilation")
    # A module that is still being loaded lacks it.
    if hasattr(tracing, "trace_function") and not hasattr(tracing, "timed"):
        tracing.timed = True
        tracing.trace_function = watch.wrap("tracing", tracing.trace_function)


if __name__ == "__main__":
    main()
