"""Where everything stands in a ``warden.toml``: a light layout scanner.

``tomllib`` decides what is valid TOML and what it means; this module only says *where* a table,
a key or a value was written, so that an edit can replace exactly those characters. It may
therefore be lenient: it is given text that ``tomllib`` has accepted (TOML 1.0).

Offsets count characters of the text without its byte-order mark. Paths are tuples of keys and,
for elements of arrays, positions: ``("skills", 0, "model")``.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyPath = tuple[str | int, ...]

_QUIET = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
_BLANKS = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
# No possessive groups: Python before 3.11.5 matches them wrongly (python/cpython#106052). Each
# loop is unrolled instead, so that there is one way only to match a text.
_SCALAR = re.compile(
    r'"""[^"\\]*(?:(?:\\[\s\S]|"{1,2}(?!"))[^"\\]*)*"{3,5}'
    r"|'''[^']*(?:'{1,2}(?!')[^']*)*'{3,5}"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\n]*'"
    r"|\d{4}-\d\d-\d\d[Tt ]\d\d:[^\s,\]}#]*"
    r"|[^\s,\]}#]+"
)


class Part(msgspec.Struct, frozen=True, gc=False):
    """One part of a dotted key: its meaning and where it is written (quotes included)."""

    name: str
    start: int
    end: int


class Value(msgspec.Struct, frozen=True, gc=False):
    """A value's span. An array's or inline table's elements are its ``items``."""

    kind: Literal["scalar", "array", "table"]
    start: int
    end: int
    items: tuple[Item, ...] = ()


class Item(msgspec.Struct, frozen=True, gc=False):
    """An element of an array (no ``parts``) or an entry of an inline table."""

    parts: tuple[Part, ...]
    value: Value
    comma: int
    """Offset of the comma after it, -1 where there is none."""

    @property
    def start(self) -> int:
        """Where the element begins."""
        return self.parts[0].start if self.parts else self.value.start


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A header (``[a]``, ``[[a]]``) or a key with its value, from its line's start to its end."""

    kind: Literal["table", "array", "pair"]
    begin: int
    """Start of its first line."""
    stop: int
    """End of the header's bracket or of the value: a trailing comment comes after it."""
    end: int
    """Start of the line after it."""
    parts: tuple[Part, ...]
    base: KeyPath
    """The table it stands in; ``()`` for headers and for keys above the first header."""
    path: KeyPath
    """What it defines. For ``[[a]]`` the new element: ``("a", 2)``."""
    section: int
    """Number of the header statement that it stands under (its own for a header), -1 for none."""
    value: Value | None = None


class Line(NamedTuple):
    """One line of the file; ``kind`` is blank, comment or statement."""

    start: int
    stop: int
    """End of its content, before the line ending."""
    end: int
    kind: Literal["blank", "comment", "statement"]


class Spot(NamedTuple):
    """Where a path is written: its key, its value where it has one, and its statement's number."""

    start: int
    end: int
    value: Value | None
    statement: int


class Layout:
    """The scanned text. Everything beyond the statements is worked out when it is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.statements: tuple[Statement, ...] = tuple(_statements(text))

    @cached_property
    def spots(self) -> dict[KeyPath, Spot]:
        """Every path that is written somewhere, with its first place; a value's place wins."""
        found: dict[KeyPath, Spot] = {}
        for number, statement in enumerate(self.statements):
            _spot_keys(found, statement, number)
            if statement.value is not None:
                _spot_value(found, statement.path, statement.value, number)
        return found

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of each line's first character."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def lines(self) -> list[Line]:
        """All lines. A text that ends with a line ending has no empty line after it."""
        text = self.text
        starts = self.line_starts
        covered = self._covered_lines()
        lines: list[Line] = []
        for number, start in enumerate(starts):
            end = starts[number + 1] if number + 1 < len(starts) else len(text)
            if start == end:
                break
            stop = end
            if text[stop - 1] == "\n":
                stop -= 2 if text.endswith("\r\n", start, stop) else 1
            kind: Literal["blank", "comment", "statement"] = "statement"
            if number not in covered:
                kind = "blank" if not text[start:stop].strip() else "comment"
            lines.append(Line(start, stop, end, kind))
        return lines

    def line_at(self, offset: int) -> int:
        """Number of the line, from 0, that holds ``offset``."""
        return bisect_right(self.line_starts, offset) - 1

    def last_line_of(self, statement: Statement) -> int:
        """Number of the line, from 0, where a statement's value ends."""
        return self.line_at(max(statement.stop - 1, statement.begin))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1; columns count characters."""
        line = self.line_at(offset)
        return line + 1, offset - self.line_starts[line] + 1

    def headers(self) -> list[int]:
        """Numbers of the statements that are headers, in the file's order."""
        return self._headers

    def header_of(self, path: KeyPath) -> int | None:
        """Number of the first header statement of exactly this path; None: it has none."""
        return self._header_of.get(path)

    def under(self, section: int) -> list[Statement]:
        """The keys that stand under header statement ``section`` (-1: above the first header)."""
        return self._under.get(section, [])

    @cached_property
    def _headers(self) -> list[int]:
        return [n for n, statement in enumerate(self.statements) if statement.kind != "pair"]

    @cached_property
    def _header_of(self) -> dict[KeyPath, int]:
        found: dict[KeyPath, int] = {}
        for number in self._headers:
            found.setdefault(self.statements[number].path, number)
        return found

    @cached_property
    def _under(self) -> dict[int, list[Statement]]:
        found: dict[int, list[Statement]] = {}
        for statement in self.statements:
            if statement.kind == "pair":
                found.setdefault(statement.section, []).append(statement)
        return found

    def mentions(self, path: KeyPath) -> Iterator[Part]:
        """Every place where the last key of ``path`` is written on the way to something."""
        for statement in self.statements:
            for reached, part in _steps(statement):
                if reached == path:
                    yield part
            if statement.value is not None:
                yield from _mentions_in(statement.value, statement.path, path)

    def _covered_lines(self) -> set[int]:
        covered: set[int] = set()
        for statement in self.statements:
            first = self.line_at(statement.begin)
            covered.update(range(first, self.last_line_of(statement) + 1))
        return covered


def scan(text: str) -> Layout:
    """The layout of ``text``, which ``tomllib`` has accepted. ValueError where it cannot follow."""
    return Layout(text)


def starts_with(path: KeyPath, prefix: KeyPath) -> bool:
    """Whether ``path`` is ``prefix`` or lies below it."""
    return path[: len(prefix)] == prefix


def _statements(text: str) -> Iterator[Statement]:
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    section = -1
    at = 0
    number = 0
    size = len(text)
    while at < size:
        quiet = _QUIET.match(text, at)
        if quiet is not None:
            at = quiet.end()
            continue
        begin = at
        at = _end(_BLANKS, text, at)
        if text[at] == "[":
            array = text.startswith("[[", at)
            parts, at = _key(text, _end(_BLANKS, text, at + (2 if array else 1)))
            at = _end(_BLANKS, text, at)
            if not text.startswith("]]" if array else "]", at):
                raise _lost(at)
            stop = at + (2 if array else 1)
            at = _line_end(text, stop)
            table = _header_path(parts, counts, array=array)
            section = number
            kind: Literal["table", "array"] = "array" if array else "table"
            yield Statement(kind, begin, stop, at, parts, (), table, section)
        else:
            parts, at = _key(text, at)
            value = _value(text, _end(_EQUALS, text, at))
            at = _line_end(text, value.end)
            path = table + tuple(part.name for part in parts)
            yield Statement("pair", begin, value.end, at, parts, table, path, section, value)
        number += 1


def _header_path(parts: tuple[Part, ...], counts: dict[KeyPath, int], *, array: bool) -> KeyPath:
    path: KeyPath = ()
    for part in parts[:-1]:
        path += (part.name,)
        if path in counts:
            path += (counts[path] - 1,)
    path += (parts[-1].name,)
    if array:
        counts[path] = counts.get(path, 0) + 1
        path += (counts[path] - 1,)
    return path


def _key(text: str, at: int) -> tuple[tuple[Part, ...], int]:
    parts: list[Part] = []
    while True:
        match = _KEY.match(text, at)
        if match is None:
            raise _lost(at)
        token = match.group()
        name = token
        if token[0] in "\"'":
            name = token[1:-1]
            if token[0] == '"' and "\\" in name:
                name = str(tomllib.loads(f"k = {token}")["k"])
        parts.append(Part(name, match.start(), match.end()))
        dot = _DOT.match(text, match.end())
        if dot is None:
            return tuple(parts), match.end()
        at = dot.end()


def _value(text: str, at: int) -> Value:
    opening = text[at : at + 1]
    if opening == "[":
        return _collection(text, at, "array", "]")
    if opening == "{":
        return _collection(text, at, "table", "}")
    return Value("scalar", at, _end(_SCALAR, text, at))


def _collection(text: str, start: int, kind: Literal["array", "table"], closing: str) -> Value:
    items: list[Item] = []
    at = _end(_GAP, text, start + 1)
    while not text.startswith(closing, at):
        parts: tuple[Part, ...] = ()
        if kind == "table":
            parts, at = _key(text, at)
            at = _end(_EQUALS, text, at)
        value = _value(text, at)
        at = _end(_GAP, text, value.end)
        comma = -1
        if text.startswith(",", at):
            comma = at
            at = _end(_GAP, text, at + 1)
        elif not text.startswith(closing, at):
            raise _lost(at)
        items.append(Item(parts, value, comma))
    return Value(kind, start, at + 1, tuple(items))


def _line_end(text: str, at: int) -> int:
    return _end(_QUIET, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    if match is None:
        raise _lost(at)
    return match.end()


def _lost(at: int) -> ValueError:
    return ValueError(f"the layout cannot be followed at character {at}")


def _steps(statement: Statement) -> Iterator[tuple[KeyPath, Part]]:
    """The path reached by each part of a key; the last one without its array's position."""
    length = len(statement.base)
    path = statement.path
    for part in statement.parts:
        if length < len(path) and isinstance(path[length], int):
            length += 1
        length += 1
        yield path[:length], part


def _spot_keys(found: dict[KeyPath, Spot], statement: Statement, number: int) -> None:
    for reached, part in _steps(statement):
        found.setdefault(reached, Spot(part.start, part.end, None, number))
    last = statement.parts[-1]
    if statement.kind == "array":
        found.setdefault(statement.path, Spot(last.start, last.end, None, number))
    elif statement.kind == "pair":
        found[statement.path] = Spot(last.start, last.end, statement.value, number)
    elif found[statement.path].statement != number:
        # `[a.b]` before `[a]`: the header of its own is where `a` is looked for
        spot = found[statement.path]
        if spot.value is None:
            found[statement.path] = Spot(last.start, last.end, None, number)


def _spot_value(found: dict[KeyPath, Spot], path: KeyPath, value: Value, number: int) -> None:
    for position, item in enumerate(value.items):
        below = path
        if value.kind == "array":
            below = (*path, position)
            found[below] = Spot(item.value.start, item.value.end, item.value, number)
        for part in item.parts:
            below = (*below, part.name)
            found.setdefault(below, Spot(part.start, part.end, None, number))
        if item.parts:
            last = item.parts[-1]
            found[below] = Spot(last.start, last.end, item.value, number)
        if item.value.items:
            _spot_value(found, below, item.value, number)


def _mentions_in(value: Value, path: KeyPath, wanted: KeyPath) -> Iterator[Part]:
    for position, item in enumerate(value.items):
        below: KeyPath = (*path, position) if value.kind == "array" else path
        for part in item.parts:
            below = (*below, part.name)
            if below == wanted:
                yield part
        yield from _mentions_in(item.value, below, wanted)
