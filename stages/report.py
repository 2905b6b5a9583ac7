"""`python -m stages.report [--benchmark] [--no-images]`: an HTML report, a model card and two checklists."""

import argparse
import logging

from bycase.core.command import run_stage
from bycase.core.files import replace_file
from bycase.report.documents import PAGE, benchmark_documents, run_documents
from bycase.report.inputs import METRICS, PLOTS, RESULTS


def main() -> None:
    """Write the report of the run, or of the benchmark, in the workspace."""
    parser = argparse.ArgumentParser(prog="python -m stages.report", description=__doc__)
    parser.add_argument("--benchmark", action="store_true", help="report the benchmark instead of the single network")
    parser.add_argument("--no-images", action="store_true", help="leave out images of the data set")
    arguments = parser.parse_args()
    make = benchmark_documents if arguments.benchmark else run_documents
    folder = RESULTS if arguments.benchmark else METRICS
    for name, text in make(not arguments.no_images).items():
        path = PLOTS / name if name == PAGE and not arguments.benchmark else folder / name
        with replace_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
        logging.info("%s: %.0f kB", path, len(text.encode()) / 1000)


if __name__ == "__main__":
    run_stage("report", main)
