"""Changing values in a YAML text and nothing else of it: comments, order, quotes and layout stay.

Loading and dumping the text would lose the comments after a list that is replaced, and lay out anew what
`dvc exp run -S` or an editor has laid out otherwise. So the new values are put where ruamel.yaml finds the old ones.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bycase.core.errors import UserError

Edit = tuple[int, int, str]  # start and end in the text, and what takes the place of what is between


def edit_yaml(text: str, content: Mapping[str, Any], name: str = "params.yaml") -> str:
    """Give a YAML text another content.

    Parameters
    ----------
    text : str
        Its top level is a mapping.
    content : mapping
        What the text shall hold. Of a list as long as before only what differs changes; another one takes its place,
        comments between its lines included. A key that alone takes the place of another, or of that
        with its value among several, keeps its line; other new keys
        go to the start of their section, if they stand before all others in `content`, or to its end.
    name : str
        The file's name, for messages.

    Raises
    ------
    UserError
        If a value to change is an alias of another, or a change cannot be made without others.
    """
    root, old = YAML(typ="safe", pure=True).compose(text), yaml.safe_load(text)
    edited = text
    for start, end, new in sorted(_edits(text, "", root, root, old, content), reverse=True):
        edited = edited[:start] + new + edited[end:]
    if yaml.safe_load(edited) != content:
        raise UserError(f"{name}: this cannot be set without changing more; set it by hand")
    return edited


def _edits(text: str, key: str, before: Node, node: Node, old: Any, new: Any) -> Iterator[Edit]:
    """The changes that make a node's value `new`; `before` is the node in front of it."""
    if old == new:
        return
    start, end = node.start_mark.index, _end(text, before, node)
    if start < before.start_mark.index:
        raise UserError(f"{key} is an alias of another value; write it out, or set it by hand")
    if isinstance(node, SequenceNode) and isinstance(new, list) and len(new) == len(old) and new:
        for item, *values in zip(node.value, old, new, strict=True):
            yield from _edits(text, key, node, item, *values)
    elif isinstance(node, MappingNode) and isinstance(new, dict) and new and old:
        yield from _mapping_edits(text, key, node, old, new)
    elif isinstance(node, ScalarNode):
        written = _write(node, new)
        if start == node.end_mark.index:
            start, written = end, f" {written}"  # nothing at all, which is null
        yield _keep_column(text, start, end, written)
    else:
        # A block list may stand in its key's column, anything else must stand further in.
        further = "  " if not new and node.start_mark.column <= before.start_mark.column else ""
        yield start, end, further + _write(node, new)


def _mapping_edits(
    text: str, key: str, node: MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Edit]:
    """The changes of a mapping's values and keys."""
    gone, added = [name for name in old if name not in new], {name: new[name] for name in new if name not in old}
    equal = gone if len(gone) == 1 else [name for name in gone if old[name] in added.values()]
    renamed = {equal[0]: next(iter(added))} if len(equal) == len(added) == 1 else {}
    for name, item in node.value:
        if name.value in renamed:
            start, end = name.start_mark.index, name.end_mark.index
            yield start, end, renamed[name.value]
        elif name.value in gone:
            # Its lines as a whole; in one line with others it stays, which the caller sees.
            start = text.rindex("\n", 0, name.start_mark.index) + 1
            yield start, _line_end(text, _end(text, name, item)) + 1, ""
            continue
        path = f"{key}.{name.value}".lstrip(".")
        yield from _edits(text, path, name, item, old[name.value], new[renamed.get(name.value, name.value)])
    if added and not renamed:
        yield from _additions(text, node, new, added)


def _additions(text: str, node: MappingNode, new: Mapping[str, Any], added: Mapping[str, Any]) -> Iterator[Edit]:
    """New keys, a line each; in a mapping in one line, likewise there."""
    written = {name: _dump({name: value}, flow=True)[1:-1] for name, value in added.items()}
    if node.flow_style:
        end = node.end_mark.index - 1
        yield end, end, "".join(f", {line}" for line in written.values())
        return
    start, end, indent = node.start_mark.index, _line_end(text, _end(text, node, node)), " " * node.start_mark.column
    for name in itertools.takewhile(lambda name: name in added, new):
        yield start, start, f"{written.pop(name)}\n{indent}"
    if written:
        yield end, end, "".join(f"\n{indent}{line}" for line in written.values())


def _line_end(text: str, position: int) -> int:
    """Where the line ends that a position is in."""
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _end(text: str, before: Node, node: Node) -> int:
    """Where a node's text ends; a block's mark lies behind the comments after it."""
    if node.start_mark.index == node.end_mark.index:
        return text.index(":", before.end_mark.index) + 1  # nothing at all, whose mark lies at what follows
    if not isinstance(node, SequenceNode | MappingNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(text, *last) if isinstance(last, tuple) else _end(text, last, last)


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
        return ("\n" + " " * node.start_mark.column).join(_dump(new, flow=False).splitlines())
    quotes = node.style if isinstance(node, ScalarNode) and isinstance(new, str) and node.style in ("'", '"') else None
    return _dump(new, flow=True, quotes=quotes)


def _dump(value: Any, flow: bool, quotes: str | None = None) -> str:
    """A value as YAML; `flow` puts it into one line."""
    text = yaml.safe_dump(value, default_flow_style=flow, default_style=quotes, sort_keys=False, width=math.inf)
    return text.removesuffix("...\n").strip()
