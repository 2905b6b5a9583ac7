"""`bycase compare --benchmark | A B [...]`: leaderboard, verdicts and figures of several networks."""

import argparse
import logging
import sys
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from bycase.studies.benchmark.params import CompareParams


def main(arguments: list[str] | None = None) -> None:
    """Compare the benchmark's networks, or runs of the single pipeline."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.benchmark == bool(options.revisions) or len(options.revisions) == 1:
        parser.error("give --benchmark, or two revisions or folders of benchmark runs, or more")
    from bycase.studies.compare.benchmark import main as compare_benchmark
    from bycase.studies.compare.comparison import compare, write_figures, write_tables
    from bycase.studies.compare.inputs import join_revisions
    from bycase.studies.compare.revisions import read_revisions
    from bycase.studies.compare.runs import read_runs

    if options.benchmark:
        compare_benchmark()
        return
    try:
        settings = CompareParams(**{name: getattr(options, name) for name in CompareParams.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        parser.error(f"--{first['loc'][0]}: {first['msg']}")
    folders = [name for name in options.revisions if Path(name).is_dir()]
    if folders and len(folders) < len(options.revisions):
        other = next(name for name in options.revisions if name not in folders)
        parser.error(f"{folders[0]} is a folder and {other} is none: give folders of benchmark runs, or revisions")
    if options.models and not folders:
        parser.error("--models chooses among the networks of benchmark runs; give their folders")
    runs = read_runs(folders, options.models) if folders else join_revisions(read_revisions(options.revisions))
    comparison = compare(runs, settings)
    sys.stdout.write(comparison.markdown)
    if options.out is not None:
        write_tables(options.out, comparison)
        write_figures(options.out / "plots", comparison)
        logging.info("tables in %s/, figures in %s/", options.out, options.out / "plots")


def make_parser() -> argparse.ArgumentParser:
    """Build the command line; the settings are for revisions, the benchmark has its own in benchmark/params.yaml."""
    fields = CompareParams.model_fields
    parser = argparse.ArgumentParser(prog="bycase compare", description=__doc__)
    parser.add_argument(
        "--benchmark", action="store_true", help="compare the networks of benchmark/params.yaml, which has all settings"
    )
    parser.add_argument(
        "revisions",
        nargs="*",
        help="DVC experiments, Git branches, tags or commits, or 'workspace'; or folders of benchmark runs, such as "
        "results/breakhis-partial; two or more",
    )
    parser.add_argument("--models", nargs="+", default=[], help="of benchmark runs: these networks only")
    parser.add_argument("--metric", choices=get_args(fields["metric"].annotation), default="auc")
    parser.add_argument("--level", choices=get_args(fields["level"].annotation), default="image")
    parser.add_argument("--margin", type=float, default=0.03, help="the difference that matters (default 0.03)")
    parser.add_argument(
        "--alpha", type=float, default=0.05, help="family-wise error rate over all pairs (default 0.05)"
    )
    parser.add_argument("--resamples", type=int, default=10_000, help="bootstrap resamples (default 10000)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="also write tables and figures there")
    return parser
