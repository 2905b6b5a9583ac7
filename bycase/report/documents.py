"""The four documents of a run or a benchmark, as texts by file name."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from bycase.core.files import replace_file
from bycase.report.blocks import Page
from bycase.report.checklist import CHECKLISTS, write_checklist
from bycase.report.model_card import write_model_card
from bycase.report.page import write_page
from bycase.report.study import Study

PAGE = "report.html"


def make_documents(page: Page, study: Study) -> dict[str, str]:
    """The texts of ``report.html``, ``model_card.md``, ``claim.md`` and ``tripod_ai.md``."""
    card = re.sub(r"\n{3,}", "\n\n", write_model_card(study))
    return {PAGE: write_page(page), "model_card.md": card} | {
        f"{name}.md": write_checklist(name, study) for name in CHECKLISTS
    }


def write_documents(documents: Mapping[str, str], folder: Path, page_folder: Path) -> None:
    """Write the documents into `folder`, and the page into `page_folder`."""
    for name, text in documents.items():
        path = (page_folder if name == PAGE else folder) / name
        with replace_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
        logging.info("%s: %.0f kB", path, len(text.encode()) / 1000)
