"""A page as HTML: one template, escaped throughout; Markdown without HTML of its own; pictures as ``data:`` URIs."""

import re
from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from PIL import Image

from bycase.report.blocks import Figure, Page, Prose

TEMPLATES = Path(__file__).parent / "templates"
NO_BREAK = "\N{NO-BREAK SPACE}"
LARGEST = 45_000  # bytes of one figure before base64; fifteen of them stay below 1 MB
QUALITIES = (85, 70, 55, 40)
THUMBNAIL = 160  # pixels

_BRACKETS = re.compile(r"\([^()]*\)")
_MARKS = re.compile(r"([\\`*_\[\]<>|#])")
_INNER_UNDERSCORES = re.compile(r"(?<=\w)\\_(?=\w)")


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


def plain(text: str) -> str:
    """Text from outside, such as a file's name, as one line in which no character is Markdown or HTML."""
    escaped = _MARKS.sub(r"\\\1", " ".join(text.split()))
    # CommonMark ignores an underscore within a word, so file names stay readable.
    return _INNER_UNDERSCORES.sub("_", escaped)


def embed_figure(path: Path, alt: str, caption: str) -> Figure:
    """A PNG figure of the pipeline as part of the page: WebP, lossless where that is small enough.

    Parameters
    ----------
    path : Path
        A PNG file.
    alt : str
        The text for those who do not see it.
    caption : str
        The text below it.
    """
    with Image.open(path) as image:
        drawn = image.convert("RGB")
    content = _encode(drawn, lossless=True)
    for quality in QUALITIES:
        if len(content) <= LARGEST:
            break
        content = _encode(drawn, quality=quality)
    return Figure(_data_uri(content), alt, caption, drawn.size)


def embed_thumbnail(path: Path) -> str:
    """An image of the data set as a small ``data:`` URI."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return _data_uri(_encode(small, quality=78))


def _encode(image: Image.Image, *, lossless: bool = False, quality: int = 80) -> bytes:
    written = BytesIO()
    image.save(written, "WEBP", lossless=lossless, quality=100 if lossless else quality, method=4)
    return written.getvalue()


def _data_uri(content: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(content).decode('ascii')}"
