"""The content of a page: sections of texts, tables, figures and galleries; `bycase.report.page` makes HTML of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


class Block:
    """A part of a section."""

    @property
    def kind(self) -> str:
        """The name of the class, by which the template draws it."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Text(Block):
    """A paragraph; a `note` is set apart, a `warning` even more."""

    words: str
    tone: str = "plain"  # plain | note | warning


@dataclass(frozen=True)
class Listing(Block):
    """A list of short texts."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table(Block):
    """A table whose first column names the row; `numbers` sets the other columns to the right."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = True


@dataclass(frozen=True)
class Figure(Block):
    """An image as a ``data:`` URI, with a text for those who do not see it."""

    source: str
    alt: str
    caption: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Example:
    """One image of a gallery; without `source` only its words are shown."""

    source: str | None
    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Gallery(Block):
    """Images side by side, each with what is known of it."""

    caption: str
    examples: Sequence[Example]


@dataclass(frozen=True)
class Details(Block):
    """A long text, folded away."""

    summary: str
    text: str


@dataclass(frozen=True)
class Prose(Block):
    """HTML made from Markdown, in which nothing from outside stands unescaped."""

    html: Markup


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading; `key` is its anchor."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Number:
    """One of the main results at the head of the page."""

    label: str
    value: str
    notes: Sequence[str]


@dataclass(frozen=True)
class Page:
    """The whole report.

    Attributes
    ----------
    kicker : str
        What kind of report it is.
    title : str
        The network or the comparison, and the data.
    warning : str or None
        In large letters under the title, such as that the data are generated.
    headline : sequence of str
        The main results, in sentences.
    numbers : sequence of Number
        The main results.
    sections : sequence of Section
        In reading order.
    clusters : str
        What intervals are over.
    """

    kicker: str
    title: str
    warning: str | None
    headline: Sequence[str]
    numbers: Sequence[Number]
    sections: Sequence[Section]
    clusters: str = "patients"


def missing(what: str, command: str) -> Text:
    """A note in place of an optional input that is not there."""
    return Text(f"Not available: {what}. To create it, run: {command}", "note")
