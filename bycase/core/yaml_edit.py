"""Changing values in a YAML text and nothing else of it: comments, order, quotes and layout stay.

Loading and dumping the text would lose the comments after a list that is replaced, and lay out anew what
`dvc exp run -S` or an editor has laid out otherwise. So the new values are put where ruamel.yaml finds the old ones.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bycase.core.errors import UserError

Edit = tuple[int, int, str]  # from, to, and what takes their place


def set_values(text: str, values: Mapping[str, Any]) -> str:
    """Put new values into a YAML text.

    Parameters
    ----------
    text : str
        Whose top is a mapping.
    values : mapping
        By dotted key, each of which is in the text. Of a list as long as before only what differs changes; another
        one takes its place, comments between its lines included.

    Raises
    ------
    UserError
        If a value is an alias of another, or a change cannot be made without others.
    """
    root = YAML(typ="safe", pure=True).compose(text)
    edits = [edit for key, value in values.items() for edit in _edits(text, key, *_find(root, key), value)]
    edited = text
    for start, end, new in sorted(edits, reverse=True):
        edited = edited[:start] + new + edited[end:]
    expected = yaml.safe_load(text)
    for key, value in values.items():
        _assign(expected, key, value)
    if yaml.safe_load(edited) != expected:
        raise UserError(f"params.yaml: {', '.join(values)} cannot be set without changing more; set them by hand")
    return edited


def _find(root: Node, key: str) -> tuple[Node, Node]:
    """The nodes of a dotted key's last name and of its value."""
    found = (root, root)
    for name in key.split("."):
        found = next(pair for pair in found[1].value if pair[0].value == name)
    return found


def _assign(content: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for name in sections:
        content = content[name]
    content[last] = value


def _edits(text: str, key: str, before: Node, node: Node, new: Any) -> Iterator[Edit]:
    """The changes that make a node's value `new`; `before` is what stands in front of it."""
    start, end = node.start_mark.index, _end(node)
    if start < before.start_mark.index:
        raise UserError(f"params.yaml: {key} is an alias of another value; write it out, or set it by hand")
    if isinstance(node, ScalarNode) and yaml.safe_load(text[start:end]) == new:
        return
    if isinstance(node, SequenceNode) and isinstance(new, list) and len(new) == len(node.value) and new:
        for item, value in zip(node.value, new, strict=True):
            yield from _edits(text, key, node, item, value)
    elif isinstance(node, MappingNode) and isinstance(new, dict) and [name.value for name, _ in node.value] == [*new]:
        for (name, item), value in zip(node.value, new.values(), strict=True):
            yield from _edits(text, key, name, item, value)
    elif isinstance(node, ScalarNode):
        written = _write(node, new)
        if start == end:
            # Nothing at all is null; its mark lies at what follows.
            start = end = text.index(":", before.end_mark.index) + 1
            written = f" {written}"
        yield _keep_column(text, start, end, written)
    else:
        # A block list may stand in its key's column, anything else must stand further in.
        further = "  " if not new and node.start_mark.column <= before.start_mark.column else ""
        yield start, end, further + _write(node, new)


def _end(node: Node) -> int:
    """Where a node's text ends; a block's own mark lies behind the comments after it."""
    if not isinstance(node, SequenceNode | MappingNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _keep_column(text: str, start: int, end: int, written: str) -> Edit:
    """A scalar's change; a comment behind it stays in its column."""
    line = text[end:].split("\n", 1)[0]
    gap = len(line) - len(line.lstrip(" "))
    if line[gap : gap + 1] == "#":
        return start, end + gap, written + " " * max(gap - len(written) + end - start, 1)
    return start, end, written


def _write(node: Node, new: Any) -> str:
    """A value as text in the place, and the style, of a node's."""
    if isinstance(new, list | dict) and new and isinstance(node, SequenceNode | MappingNode) and not node.flow_style:
        lines = yaml.safe_dump(new, default_flow_style=False, sort_keys=False, width=math.inf).splitlines()
        return ("\n" + " " * node.start_mark.column).join(lines)
    quotes = node.style if isinstance(node, ScalarNode) and isinstance(new, str) and node.style in ("'", '"') else None
    text = yaml.safe_dump(new, default_flow_style=True, default_style=quotes, sort_keys=False, width=math.inf)
    return text.removesuffix("...\n").strip()
