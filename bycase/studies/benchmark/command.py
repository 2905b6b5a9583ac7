"""`bycase benchmark run [--jobs N]`: all of `benchmark/dvc.yaml`, several cells at a time.

`bycase benchmark run --ray ADDRESS` runs them on the nodes of a Ray cluster, each with --cores, --memory and --gpus.
The project's folder must lie on storage that every node has at the same path.

`bycase benchmark --patients 5 10 20 40` trains the same networks on so many of each fold's training patients: how many
does a network need, and would more help?
"""

import argparse
import math


def main(arguments: list[str] | None = None) -> None:
    """Check both parameter files and run the benchmark."""
    parser = argparse.ArgumentParser(prog="bycase benchmark", description=__doc__)
    parser.add_argument("--jobs", type=_at_least_one, help="cells at a time; default: 1")
    parser.add_argument(
        "--patients", type=_at_least_one, nargs="+", metavar="N", help="numbers of training patients, in nested sets"
    )
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help="with --patients: only these networks")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="everything, several cells at a time")
    # Without a default, which would take the place of what stands before the word.
    run.add_argument("--jobs", type=_at_least_one, default=argparse.SUPPRESS, help="cells at a time; default: 1")
    run.add_argument(
        "--ray", metavar="ADDRESS", help="host:port, 'auto' (this machine's cluster) or 'local' (a new one)"
    )
    run.add_argument("--cores", type=_at_least_one, metavar="N", help="with --ray: of a cell; default: 1")
    run.add_argument("--memory", type=_size, metavar="GB", help="with --ray: of a cell; default: not counted")
    run.add_argument("--gpus", type=_share, metavar="N", help="with --ray: of a cell, such as 0.5; default: 0")
    options = parser.parse_args(arguments)
    if options.models and not options.patients:
        parser.error("--models goes with --patients; benchmark/params.yaml has the networks of run")
    if bool(options.command) == bool(options.patients):
        parser.error("give either run, or --patients with numbers of training patients")
    if options.command:
        resources = {name: getattr(options, name) for name in ("cores", "memory", "gpus")}
        resources = {name: value for name, value in resources.items() if value is not None}
        if resources and not options.ray:
            parser.error(f"--{min(resources)} goes with --ray")
        if options.ray and options.jobs:
            parser.error("--jobs is for this machine alone; with --ray, --cores, --memory and --gpus say how many fit")
    from bycase.core.params import load_params
    from bycase.studies.benchmark.params import load_benchmark_params

    params = load_params()
    benchmark = load_benchmark_params(params)
    jobs = options.jobs or 1
    if options.patients:
        from bycase.studies.benchmark.label_efficiency import run_label_efficiency

        run_label_efficiency(params, benchmark, options.patients, options.models, jobs)
        return
    from bycase.studies.benchmark.cell import WORK

    if options.ray:
        from bycase.studies.benchmark.on_ray import Resources, run_on_ray

        run_on_ray(options.ray, Resources(**resources), WORK / "logs")
        return
    from bycase.studies.benchmark.jobs import run_here

    run_here(jobs, WORK / "logs")


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least one")
    return number


def _size(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: more than 0")
    return number


def _share(text: str) -> float:
    """A share of a GPU, or whole ones: what Ray hands out."""
    number = _size(text)
    if number > 1 and not number.is_integer():
        raise argparse.ArgumentTypeError(f"{text}: a share up to 1, or whole GPUs")
    return number
