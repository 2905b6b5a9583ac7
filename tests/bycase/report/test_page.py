import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bycase.report.benchmark_page import benchmark_documents
from bycase.report.blocks import Example, Figure, Gallery, Listing, Page, Section, Table, Text
from bycase.report.page import LARGEST, TEMPLATES, THUMBNAIL, embed_figure, embed_thumbnail, plain, prose, write_page
from bycase.report.run_page import run_documents
from tests.fixtures.report import CARD

BAD = '<script>alert("x")</script>'
# Pairs of text and ground that style.css puts on one another.
PAIRS = (
    ("ink", "paper"),
    ("soft", "paper"),
    ("link", "paper"),
    ("ink", "tint"),
    ("warning-ink", "warning-paper"),
)


class Outline(HTMLParser):
    """What a screen reader would go by."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    return parser


def test_whatever_a_name_holds_is_text() -> None:
    blocks = [
        Text(BAD),
        Listing([BAD]),
        Table(BAD, (BAD, BAD), [(BAD, BAD)]),
        Figure(BAD, BAD, BAD, (1, 1)),
        Gallery(BAD, [Example(None, BAD, [BAD])]),
        prose(f"# Title\n\n## {BAD}\n\n{BAD}\n\n| {BAD} |\n| --- |\n| {BAD} |\n\n[x](javascript:alert(1))"),
    ]
    html = write_page(Page(BAD, BAD, BAD, [BAD], [], [Section("key", BAD, blocks)]))
    tags = outline(html).tags
    assert "script" not in {tag for tag, _ in tags}
    assert not [attrs for _, attrs in tags if "onclick" in attrs or str(attrs.get("href", "")).startswith("javascript")]
    assert html.count("&lt;script&gt;") > 12


def test_markdown_loses_its_title_and_gains_captions_and_scopes() -> None:
    html = str(prose(CARD).html)
    assert "Data card" not in html
    assert "<h3>Classes</h3>" in html
    assert "<caption><span>Classes: by class</span></caption>" in html
    assert '<th scope="col">images</th>' in html
    assert '<th scope="row">Benign</th>\n<td>1</td>' in html
    assert "<img" not in html


@pytest.mark.parametrize("kind", ["run_folder", "bench_folder"])
def test_the_page_stands_alone_and_is_accessible(kind: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(kind)
    documents = run_documents if kind == "run_folder" else benchmark_documents
    html = documents(images=True)["report.html"]
    assert len(html) < 1_000_000
    page = outline(html)
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    anchors = {attrs["href"] for tag, attrs in page.tags if tag == "a" and str(attrs["href"]).startswith("#")}
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert anchors <= {f"#{name}" for name in ids}
    assert len(ids) == len(set(ids))
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) > 10
    for attrs in images:
        assert str(attrs["src"]).startswith("data:image/")
        assert attrs["alt"]
    tables = html.count("<table")
    assert tables > 5
    assert html.count("<caption>") == tables
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.tags if tag == "th")
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe")
        assert tag == "img" or "src" not in attrs
    assert "default-src 'none'" in html


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance of ``#rrggbb``."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_have_the_contrast_of_wcag_aa_in_light_dark_and_print() -> None:
    style = (TEMPLATES / "style.css").read_text()
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    assert len(schemes) == 3
    for colours in schemes:
        for text, ground in PAIRS:
            bright, dim = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, ground, colours)


def test_the_style_asks_for_nothing() -> None:
    style = (TEMPLATES / "style.css").read_text()
    assert "url(" not in style
    assert "@import" not in style
    assert Path(TEMPLATES).is_dir()


def decode(uri: str) -> Image.Image:
    kind, content = uri.split(",", 1)
    assert kind == "data:image/webp;base64"
    return Image.open(BytesIO(b64decode(content)))


def test_a_drawing_loses_nothing(tmp_path: Path) -> None:
    pixels = np.full((60, 80, 3), 255, np.uint8)
    pixels[10:50, 20:60] = (0, 114, 178)
    Image.fromarray(pixels).save(tmp_path / "drawing.png")
    figure = embed_figure(tmp_path / "drawing.png", "a", "b")
    assert figure.size == (80, 60)
    np.testing.assert_array_equal(np.asarray(decode(figure.source).convert("RGB")), pixels)


def test_a_photograph_gets_smaller(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (180, 180, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 2 * LARGEST
    assert len(b64decode(embed_figure(tmp_path / "noise.png", "a", "b").source.split(",")[1])) < LARGEST


def test_a_thumbnail_keeps_its_shape(tmp_path: Path) -> None:
    Image.new("RGB", (640, 320), (200, 10, 10)).save(tmp_path / "image.png")
    small = decode(embed_thumbnail(tmp_path / "image.png"))
    assert small.size == (THUMBNAIL, THUMBNAIL // 2)


def test_text_is_harmless_in_markdown() -> None:
    assert plain("a_b.png | <b>*x*\n`y`") == "a_b.png \\| \\<b\\>\\*x\\* \\`y\\`"
