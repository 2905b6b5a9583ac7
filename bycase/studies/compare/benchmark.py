"""`python -m bycase.studies.compare.benchmark`, the `compare` stage of benchmark/dvc.yaml."""

import logging
from dataclasses import replace
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.studies.benchmark.params import load_benchmark_params
from bycase.studies.compare.comparison import compare, write_figures, write_tables
from bycase.studies.compare.extras import read_extras
from bycase.studies.compare.inputs import make_inputs, read_tables

METRICS = Path("metrics/benchmark")
PLOTS = Path("plots/benchmark")


def main() -> None:
    """Compare the benchmark's networks, and write the leaderboard, the verdicts and the figures."""
    params = load_params()
    inputs, settings = make_inputs(read_tables(), params.seed), load_benchmark_params(params).compare
    comparison = compare(inputs, settings)
    extras = read_extras(inputs, list(comparison.board), params.uncertainty.coverage, settings.resamples)
    comparison = replace(comparison, extras=extras)
    write_tables(METRICS, comparison)
    write_figures(PLOTS, comparison)
    logging.info("%d networks: %s/leaderboard.md, figures in %s/", len(comparison.board), METRICS, PLOTS)


if __name__ == "__main__":
    run_stage("compare", main)
