"""`python -m bycase.studies.benchmark.stages.report [--no-images]`: a page, a model card and two checklists."""

import argparse

from bycase.core.command import run_stage
from bycase.report.benchmark_page import benchmark_documents
from bycase.report.documents import write_documents
from bycase.report.inputs import RESULTS


def main() -> None:
    """Write the report of the benchmark in the workspace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-images", action="store_true", help="leave out images of the data set")
    write_documents(benchmark_documents(not parser.parse_args().no_images), RESULTS, RESULTS)


if __name__ == "__main__":
    run_stage("benchmark report", main)
