"""`bycase benchmark run [--jobs N]`: all of `benchmark/dvc.yaml`, several cells at a time.

`bycase benchmark --patients 5 10 20 40` trains the same networks on so many of each fold's training patients: how many
does a network need, and would more help?
"""

import argparse


def main(arguments: list[str] | None = None) -> None:
    """Check both parameter files and run the benchmark."""
    parser = argparse.ArgumentParser(prog="bycase benchmark", description=__doc__)
    parser.add_argument("--jobs", type=_at_least_one, default=1, help="cells at a time")
    parser.add_argument(
        "--patients", type=_at_least_one, nargs="+", metavar="N", help="numbers of training patients, in nested sets"
    )
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help="with --patients: only these networks")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="everything, several cells at a time")
    # Without a default, which would take the place of what stands before the word.
    run.add_argument("--jobs", type=_at_least_one, default=argparse.SUPPRESS, help="cells at a time")
    options = parser.parse_args(arguments)
    if options.models and not options.patients:
        parser.error("--models goes with --patients; benchmark/params.yaml has the networks of run")
    if bool(options.command) == bool(options.patients):
        parser.error("give either run, or --patients with numbers of training patients")
    from bycase.core.params import load_params
    from bycase.studies.benchmark.params import load_benchmark_params

    params = load_params()
    benchmark = load_benchmark_params(params)
    if options.patients:
        from bycase.studies.benchmark.label_efficiency import run_label_efficiency

        run_label_efficiency(params, benchmark, options.patients, options.models, options.jobs)
        return
    from bycase.studies.benchmark.cell import WORK
    from bycase.studies.benchmark.jobs import run_jobs

    run_jobs(options.jobs, WORK / "logs")


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least one")
    return number
