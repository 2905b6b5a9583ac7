"""A page as HTML: one template, escaped throughout; Markdown from a file without any HTML of its own."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from bycase.report.blocks import Page, Prose

TEMPLATES = Path(__file__).parent / "templates"
NO_BREAK = "\N{NO-BREAK SPACE}"

_BRACKETS = re.compile(r"\([^()]*\)")


def template_environment() -> Environment:
    """Templates of this package: HTML is escaped, an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["unbroken"] = _unbroken
    return environment


def _unbroken(cell: str) -> str:
    """A cell of a table in which an interval in brackets stays on one line."""
    return _BRACKETS.sub(lambda match: match[0].replace(" ", NO_BREAK), cell)


def write_page(page: Page) -> str:
    """The page as one HTML file that asks for nothing from anywhere.

    Parameters
    ----------
    page : Page
        What is shown.

    Returns
    -------
    str
        HTML 5; styles are inline, images are ``data:`` URIs, there is no script.
    """
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    html = template_environment().get_template("report.html").render(page=page, style=style)
    return re.sub(r"\n{2,}", "\n", html).lstrip()


def prose(markdown: str) -> Prose:
    """Markdown as HTML: its title and images left out, tables with captions and scopes.

    Parameters
    ----------
    markdown : str
        CommonMark with tables; HTML in it is shown as text.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = _without_title(parser.parse(markdown))
    heading = ""
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[number + 1].content
            token.tag = "h3"
        elif token.type == "heading_close":
            token.tag = "h3"
        elif token.type == "th_open":
            token.attrs = {"scope": "col"}
        elif token.type == "td_open":
            first_cell = tokens[number - 1].type == "tr_open"
            token.tag, token.attrs = ("th", {"scope": "row"}) if first_cell else ("td", {})
            closing = next(after for after in tokens[number:] if after.type == "td_close")
            closing.tag = token.tag
        elif token.type == "table_open":
            first = next(after.content for after in tokens[number:] if after.type == "inline")
            token.meta = {"caption": f"{heading}: by {first}"}
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    return Prose(Markup(parser.renderer.render(tokens, parser.options, {})))


def _without_title(tokens: list[Token]) -> list[Token]:
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[3:]
    return tokens


def _open_table(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    caption = escape(tokens[index].meta["caption"])
    opening = f'<div class="scroll" tabindex="0" role="region" aria-label="Table: {caption}">'
    return f'{opening}\n<table class="figures">\n<caption><span>{caption}</span></caption>\n'


def _close_table(*_: Any) -> str:
    return "</table>\n</div>\n"
