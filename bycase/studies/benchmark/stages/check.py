"""`python -m bycase.studies.benchmark.stages.check`: every key and value of both params.yaml."""

from bycase.core.command import run_stage
from bycase.core.files import replace_file
from bycase.core.params import load_params
from bycase.studies.benchmark.params import load_benchmark_params
from bycase.tables.out_of_fold import BENCHMARK

CHECKED = BENCHMARK / "checked.txt"


def main() -> None:
    """Write ``data/benchmark/checked.txt``, always the same, so that only the stages that a change concerns run."""
    load_benchmark_params(load_params())
    with replace_file(CHECKED) as partial:
        partial.write_text("benchmark/params.yaml is valid\n", encoding="utf-8")


if __name__ == "__main__":
    run_stage("benchmark check", main)
