"""Reporting checklists: the pipeline's answer to each item, and what is left to the author."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bycase.core.wording import capitalise, markdown_table
from bycase.report.answers import ANSWERS
from bycase.report.page import plain
from bycase.report.study import Study

FOLDER = Path(__file__).parent
CHECKLISTS = ("claim", "tripod_ai")
AUTHOR = "To be stated by the author"


@dataclass(frozen=True)
class Item:
    """One item of a checklist.

    Attributes
    ----------
    number : str
        As published, such as ``12a``.
    section, topic : str
        Its place in the list, and what it asks for, in short.
    answer : str or None
        Its key in `bycase.report.answers.ANSWERS`.
    author : str or None
        What it leaves to the author.
    published : str or None
        What it leaves to the author that the data set's publication states; nothing for generated images.
    """

    number: str
    section: str
    topic: str
    answer: str | None = None
    author: str | None = None
    published: str | None = None


@dataclass(frozen=True)
class Checklist:
    """A published checklist."""

    title: str
    citation: str
    items: tuple[Item, ...]


def read_checklist(name: str) -> Checklist:
    """Read one of `CHECKLISTS`."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    items = tuple(Item(**item) for item in content["items"])
    return Checklist(content["title"], content["citation"], items)


def answer_item(item: Item, study: Study) -> str:
    """The pipeline's answer to an item, and what the author has to state."""
    answer = ANSWERS[item.answer] if item.answer else None
    known = answer(study) if callable(answer) else answer
    left = [item.author] if item.author else []
    if item.published:
        if study.phantom:
            known = known or "Not applicable: the images are generated."
        else:
            left.append(f"{item.published}, as stated in the data set's publication")
    words = f"**{AUTHOR}**: {'; '.join(left)}." if left else f"**{AUTHOR}**."
    if known is None:
        return words
    return f"{capitalise(plain(known))} {words}" if left else capitalise(plain(known))


def write_checklist(name: str, study: Study) -> str:
    """Fill in one of `CHECKLISTS`, as a Markdown table."""
    checklist = read_checklist(name)
    answers = [(item, answer_item(item, study)) for item in checklist.items]
    left = sum(AUTHOR in answer for _, answer in answers)
    lines = [
        f"# {checklist.title}: {plain(study.network)}, on {plain(study.name)}",
        "",
        f"After {checklist.citation}. Items are shortened; see there for the full wording.",
        f"Filled in by `python -m stages.report`; {left} of {len(answers)} items are wholly or partly left to the "
        "author. Intervals are 95 % intervals over patients.",
        "",
        markdown_table(
            ("item", "section", "topic", "answer"),
            [(item.number, item.section, item.topic, answer) for item, answer in answers],
        ),
    ]
    return "\n".join(lines) + "\n"
