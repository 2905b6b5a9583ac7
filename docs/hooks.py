"""What MkDocs runs when it builds the manual: generated tables and drawings, and links out of docs/.

A page links to a figure or file of the project as anybody would who reads it in the repository (``../../plots/x.png``);
the built manual gets a copy of that file, so that nothing is kept twice, and a link to what is not there fails the
build.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from bycase.core.closure import ROOT
from docs.drawings import draw_floors, draw_pipeline
from docs.tables import command_help, parameter_tables, stage_tables

GENERATED: dict[str, Callable[[], str]] = {
    "parameters": parameter_tables,
    "stages": stage_tables,
    "commands": command_help,
    "pipeline": draw_pipeline,
    "floors": draw_floors,
}
OUTSIDE = "project"  # the folder of the built manual that holds files from outside docs/
LINK = re.compile(r"(?<=\]\()([^()\s#:]+)")
MARK = re.compile(r"<!-- generated: (\w+) -->")
FIGURE = re.compile(r"^!\[[^\]]*\]\((\S+)\)$", re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Add the files that pages link to outside docs/."""
    for page in list(files.documentation_pages()):
        for path in outside_links(page.content_string, page.src_uri).values():
            if files.get_file_from_path(uri := copied(path)) is None:
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links out of docs/ to the copies, let figures open at their full size, and fill in what is generated."""
    here = PurePosixPath(page.file.src_uri).parent
    for link, path in outside_links(markdown, page.file.src_uri).items():
        inside = os.path.relpath(copied(path), here)
        markdown = markdown.replace(f"]({link})", f"]({inside})").replace(f"]({link}#", f"]({inside}#")
    markdown = FIGURE.sub(r"[\g<0>](\1)", markdown)
    return MARK.sub(lambda match: GENERATED[match[1]](), markdown)


def outside_links(markdown: str, uri: str) -> dict[str, str]:
    """The links of a page, ``uri`` below docs/, that lead to files outside it, with their paths from the top folder."""
    links = {}
    for link in LINK.findall(markdown):
        path = os.path.normpath(PurePosixPath("docs") / PurePosixPath(uri).parent / link)
        if not path.startswith(("docs/", "..")) and (ROOT / path).is_file():
            links[link] = Path(path).as_posix()
    return links


def copied(path: str) -> str:
    """Where the built manual has a file from outside docs/; Markdown as text, since it is not one of its pages."""
    return f"{OUTSIDE}/{path}{'.txt' if path.endswith(('.md', '.yaml')) else ''}"
