"""`python -m stages.report [--no-images]`: an HTML report, a model card and two checklists."""

import argparse

from bycase.core.command import run_stage
from bycase.report.documents import write_documents
from bycase.report.inputs import METRICS, PLOTS
from bycase.report.run_page import run_documents


def main() -> None:
    """Write the report of the run in the workspace."""
    parser = argparse.ArgumentParser(prog="python -m stages.report", description=__doc__)
    parser.add_argument("--no-images", action="store_true", help="leave out images of the data set")
    write_documents(run_documents(not parser.parse_args().no_images), METRICS, PLOTS)


if __name__ == "__main__":
    run_stage("report", main)
