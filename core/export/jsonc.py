"""One member of a JSON file set to a value, with every other byte left as it is.

Pi reads its files with ``//`` comments, trailing commas and a byte-order mark (earendil-works/pi
``pi-coding-agent`` ``utils/json``), so people write them so; a plain load and dump would lose
their comments. A block comment is an error there, and here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEEPEST: Final = 60
_BLANK: Final = re.compile(r"(?:[ \t\r\n]|//[^\r\n]*)*")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_PLAIN: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_BOM: Final = "\ufeff"


class NotJson(ValueError):
    """The text is no JSON as Pi reads it. ``line`` and ``column`` count from 1."""

    def __init__(self, why: str, text: str, at: int) -> None:
        super().__init__(why)
        self.why = why
        self.line = text.count("\n", 0, at) + 1
        self.column = at - text.rfind("\n", 0, at)


@dataclass(frozen=True, slots=True)
class Member:
    """One ``"key": value`` of an object, with its place in the text."""

    key: str
    start: int
    """Where the key's opening quote stands."""
    value: Node


@dataclass(frozen=True, slots=True)
class Node:
    """One value, with its place in the text: ``text[start:end]``."""

    start: int
    end: int
    members: tuple[Member, ...] | None
    """Of an object; None for anything else."""
    plain: object = None
    """The value itself, for all but objects."""
    items: tuple[Node, ...] | None = None
    """Of a list; None for anything else."""

    def get(self, key: str) -> Node | None:
        """The member of that name; of several the last one, which readers take."""
        found = None
        for member in self.members or ():
            if member.key == key:
                found = member.value
        return found

    def data(self) -> object:
        """The value as plain data."""
        if self.members is None:
            return self.plain
        return {member.key: member.value.data() for member in self.members}


def parse(text: str) -> Node:
    """The value that ``text`` holds.

    Raises:
        NotJson: Pi could not read it either.
    """
    at = _skip(text, len(_BOM) if text.startswith(_BOM) else 0)
    node = _value(text, at, 0)
    end = _skip(text, node.end)
    if end != len(text):
        raise NotJson("something stands behind the end", text, end)
    return node


def with_member(text: str, path: Sequence[str | int], value: object) -> str:
    """``text`` with the member at ``path`` set to ``value``; every other byte stays.

    An empty text becomes an object. New members go to the end of their object, at its
    indentation. A number counts the items of a list from 0; one that is not there goes to its end.

    Raises:
        NotJson: the text is no JSON, or something on the way is no object.
    """
    if not text.strip().removeprefix(_BOM):
        text = "{}\n"
    node = parse(text)
    depth = 0
    while True:
        key = path[depth]
        where = ".".join(map(str, path[:depth])) or "the file"
        if isinstance(key, str):
            if node.members is None:
                raise NotJson(f"{where} is no object", text, node.start)
            below = node.get(key)
        else:
            if node.items is None:
                raise NotJson(f"{where} is no list", text, node.start)
            below = node.items[key] if key < len(node.items) else None
        if below is None:
            break
        depth += 1
        above, node = node, below
        if depth == len(path):
            return _replaced(text, above, node, value)
    for key in reversed(path[depth + 1 :]):
        value = {key: value} if isinstance(key, str) else [value]
    return _inserted(text, node, path[depth], value)


def dumped(value: object, indent: int | None = None) -> str:
    """``value`` as JSON in which letters stay and nothing steers a terminal or an editor."""
    written = json.dumps(value, indent=indent, ensure_ascii=False)
    if written.isprintable():
        return written
    return "".join(
        one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1] for one in written
    )


def _replaced(text: str, above: Node, node: Node, value: object) -> str:
    if not _on_lines(text, above):
        written = dumped(value)
        return text[: node.start] + written + text[node.end :]
    line = text.rfind("\n", 0, node.start) + 1
    own = text[line : node.start]
    indent = own[: len(own) - len(own.lstrip(" \t"))]
    return text[: node.start] + _written(value, indent, _newline(text)) + text[node.end :]


def _inserted(text: str, node: Node, key: str | int, value: object) -> str:
    newline = _newline(text)
    outer = _indent_of(text, node.start)
    spans = _spans(node)
    lines = _on_lines(text, node)
    inner = _indent_of(text, spans[0][0]) if spans and lines else outer + "  "
    made = f"{dumped(key)}: " if isinstance(key, str) else ""
    if not spans:
        body = made + _written(value, inner, newline)
        begin, end = text[node.start], text[node.end - 1]
        inside = text[node.start + 1 : node.end - 1]
        if not inside.strip():
            whole = f"{begin}{newline}{inner}{body}{newline}{outer}{end}"
            return text[: node.start] + whole + text[node.end :]
        # Comments alone stand inside: the new member goes behind them.
        cut = node.start + 1 + len(inside.rstrip(" \t"))
        gap = "" if text[cut - 1] == "\n" else newline
        return f"{text[:cut]}{gap}{inner}{body}{newline}{outer}{text[node.end - 1 :]}"
    last = spans[-1][1]
    if not lines:
        return f"{text[:last]}, {made}{dumped(value)}{text[last:]}"
    body = made + _written(value, inner, newline)
    comma = _skip(text, last)
    if text[comma] == ",":  # a trailing comma: what follows it on its line stays there
        cut = _line_end(text, comma + 1)
        return f"{text[:cut]}{newline}{inner}{body},{text[cut:]}"
    cut = _line_end(text, last)
    return f"{text[:last]},{text[last:cut]}{newline}{inner}{body}{text[cut:]}"


def _spans(node: Node) -> list[tuple[int, int]]:
    """Where each member or item of a value begins and ends."""
    if node.items is not None:
        return [(one.start, one.end) for one in node.items]
    return [(one.start, one.value.end) for one in node.members or ()]


def _on_lines(text: str, node: Node) -> bool:
    """Whether a value has its members on lines of their own, as far as it has any."""
    spans = _spans(node)
    return not spans or "\n" in text[node.start : spans[0][0]]


def _line_end(text: str, at: int) -> int:
    """Behind a comment that follows on the same line, else ``at``."""
    found = re.compile(r"[ \t]*//[^\r\n]*").match(text, at)
    return found.end() if found else at


def _written(value: object, indent: str, newline: str) -> str:
    lines = dumped(value, indent=2).split("\n")
    return (newline + indent).join(lines)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent_of(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))].lstrip(_BOM)


# ---------------------------------------------------------------------- reading


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise NotJson("nested too deeply", text, at)
    sign = text[at : at + 1]
    if sign == "{":
        return _object(text, at, depth)
    if sign == "[":
        return _array(text, at, depth)
    if sign == '"':
        found = _STRING.match(text, at)
        if found is None:
            raise NotJson("a string is not closed, or holds what no string may", text, at)
        plain: object = json.loads(found[0])
        return Node(at, found.end(), None, plain)
    found = _PLAIN.match(text, at)
    if found is None:
        raise NotJson("a value is missing" if sign else "the end came too soon", text, at)
    try:
        plain = json.loads(found[0])
    except ValueError:  # Python makes no number of thousands of digits
        raise NotJson("a number is too long", text, at) from None
    return Node(at, found.end(), None, plain)


def _object(text: str, start: int, depth: int) -> Node:
    members: list[Member] = []
    at = _skip(text, start + 1)
    while text[at : at + 1] != "}":
        found = _STRING.match(text, at)
        if found is None:
            missing = "a name in quotes is missing" if text[at:] else "the end came too soon"
            raise NotJson(missing, text, at)
        key: str = json.loads(found[0])
        colon = _skip(text, found.end())
        if text[colon : colon + 1] != ":":
            raise NotJson("a colon is missing", text, colon)
        value = _value(text, _skip(text, colon + 1), depth + 1)
        members.append(Member(key, at, value))
        at = _next(text, value.end, "}")
    return Node(start, at + 1, tuple(members))


def _array(text: str, start: int, depth: int) -> Node:
    items: list[Node] = []
    at = _skip(text, start + 1)
    while text[at : at + 1] != "]":
        items.append(_value(text, at, depth + 1))
        at = _next(text, items[-1].end, "]")
    return Node(start, at + 1, None, [one.data() for one in items], tuple(items))


def _next(text: str, end: int, close: str) -> int:
    """Where the next member or the closing sign stands; a trailing comma is fine."""
    at = _skip(text, end)
    sign = text[at : at + 1]
    if sign == ",":
        return _skip(text, at + 1)
    if sign == close:
        return at
    raise NotJson("a comma is missing" if sign else "the end came too soon", text, at)
