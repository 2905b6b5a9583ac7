"""The four documents of a run or a benchmark, as texts by file name."""

import re

from bycase.report.benchmark_page import bench_page
from bycase.report.blocks import Page
from bycase.report.checklist import CHECKLISTS, write_checklist
from bycase.report.inputs import read_bench, read_run
from bycase.report.model_card import write_model_card
from bycase.report.page import write_page
from bycase.report.run_page import run_page
from bycase.report.study import Study, study_of_bench, study_of_run

PAGE = "report.html"


def run_documents(images: bool) -> dict[str, str]:
    """The documents of the run in the current folder.

    Parameters
    ----------
    images : bool
        Whether the page may show images of the data set.

    Returns
    -------
    dict of str to str
        ``report.html``, ``model_card.md``, ``claim.md`` and ``tripod_ai.md``.

    Raises
    ------
    UserError
        If a file that every run has is missing.
    """
    run = read_run()
    return _documents(run_page(run, images), study_of_run(run))


def benchmark_documents(images: bool) -> dict[str, str]:
    """The documents of the benchmark in the current folder."""
    bench = read_bench()
    return _documents(bench_page(bench, images), study_of_bench(bench))


def _documents(page: Page, study: Study) -> dict[str, str]:
    card = re.sub(r"\n{3,}", "\n\n", write_model_card(study))
    return {PAGE: write_page(page), "model_card.md": card} | {
        f"{name}.md": write_checklist(name, study) for name in CHECKLISTS
    }
