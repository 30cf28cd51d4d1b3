"""Where new lines go and which lines leave: text surgery that needs no memory.

An added block of lines goes *behind* the content of one line and before that line's own ending,
with an empty line first::

    x = 1⏎                x = 1⏎
    [[skills]]     ->      ⏎
                           [new]⏎
                           [[skills]]

So a missing final newline stays missing, and taking the block away with the empty line above it
gives back the very bytes, even in another process that knows nothing of the adding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from core.warden.scan import starts_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.warden.document import Document
    from core.warden.scan import KeyPath, Line, Statement, Value

# A key that was commented out: it belongs to the table above it, wherever blank lines stand.
_SLEEPING_KEY = re.compile(r"""[ \t]*#+[ \t]*[A-Za-z0-9_.'"-]+[ \t]*=[ \t]*\S""")
_INDENT = re.compile(r"[ \t]*")


class Splice(NamedTuple):
    """Replace the characters from ``start`` to ``end`` by ``text``."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """``text`` with all replacements made; they must not overlap (ValueError)."""
    pieces: list[str] = []
    at = 0
    for splice in sorted(splices, key=lambda one: one[:2]):
        if splice.start < at:
            raise ValueError("two edits touch the same characters")
        pieces += (text[at : splice.start], splice.text)
        at = splice.end
    pieces.append(text[at:])
    return "".join(pieces)


# --- adding lines ---------------------------------------------------------------------------


def block_after(document: Document, line: int | None, block: Sequence[str]) -> Splice:
    """``block`` as a paragraph of its own behind line ``line`` (from 0); ``None``: at the top."""
    if line is None:
        newline = document.newline
        gap = newline if document.text else ""
        return Splice(0, 0, newline.join(block) + newline + gap)
    return lines_after(document, line, ["", *block])


def lines_after(document: Document, line: int, added: Sequence[str]) -> Splice:
    """Lines directly below line ``line``, in the line ending of their neighbour."""
    here = document.layout.lines[line]
    newline = document.text[here.stop : here.end] or document.newline
    return Splice(here.stop, here.stop, "".join(newline + one for one in added))


def indent_of(document: Document, statement: Statement) -> str:
    """The blanks before a statement on its line."""
    match = _INDENT.match(document.text, statement.begin)
    return match.group() if match else ""


def end_of_section(document: Document, section: int) -> int | None:
    """The line (from 0) behind which a new table goes to stand after this one.

    ``section`` is the number of a header statement, -1 for what stands above the first header.
    ``None``: above everything. Comments directly below the last key and keys that were commented
    out stay with the section; comments directly above the next header stay with that.
    """
    layout = document.layout
    own = layout.under(section)
    if own:
        return _tail(document, layout.last_line_of(own[-1]), sleeping=True)
    if section >= 0:
        return _tail(document, layout.last_line_of(layout.statements[section]), sleeping=True)
    if not layout.statements:
        written = [n for n, line in enumerate(layout.lines) if line.kind != "blank"]
        return written[-1] if written else None
    return _end_of_preface(document)


def last_section_below(document: Document, prefix: KeyPath) -> int | None:
    """Number of the last header in the file whose path lies at or below ``prefix``."""
    layout = document.layout
    found = [n for n in layout.headers() if starts_with(layout.statements[n].path, prefix)]
    return found[-1] if found else None


def section_before(document: Document, section: int) -> int:
    """Number of the header statement before this one; -1 when it is the first."""
    before = [n for n in document.layout.headers() if n < section]
    return before[-1] if before else -1


def _end_of_preface(document: Document) -> int | None:
    """The last line of a comment that opens the file and stands apart from the first header."""
    lines = document.layout.lines
    at = 0
    while at < len(lines) and lines[at].kind == "blank":
        at += 1
    first = at
    while at < len(lines) and lines[at].kind == "comment":
        at += 1
    if at == first:
        return None
    attached = at < len(lines) and lines[at].kind == "statement"
    if attached and not _all_sleeping(document, lines[first:at]):
        return None
    return at - 1


def _tail(document: Document, line: int, *, sleeping: bool) -> int:
    """The last line that belongs to a section whose last key or header ends on ``line``."""
    lines = document.layout.lines
    at = _comment_run(document, line + 1)
    if _belongs_above(document, line + 1, at):
        line = at - 1
    elif at > line + 1:
        return line
    while sleeping:
        at = line + 1
        while at < len(lines) and lines[at].kind == "blank":
            at += 1
        end = _comment_run(document, at)
        if end == at or not _all_sleeping(document, lines[at:end]):
            break
        line = end - 1
    return line


def _comment_run(document: Document, at: int) -> int:
    lines = document.layout.lines
    while at < len(lines) and lines[at].kind == "comment":
        at += 1
    return at


def _belongs_above(document: Document, start: int, end: int) -> bool:
    """Whether the comment lines from ``start`` to before ``end`` belong to what is above them."""
    lines = document.layout.lines
    if start == end:
        return False
    below = end < len(lines) and lines[end].kind == "statement"
    return not below or _all_sleeping(document, lines[start:end])


def _all_sleeping(document: Document, lines: Sequence[Line]) -> bool:
    return all(_SLEEPING_KEY.match(document.text, line.start, line.stop) for line in lines)


# --- removing lines -------------------------------------------------------------------------


def removal(document: Document, gone: Iterable[int], *, headings: bool) -> list[Splice]:
    """The splices that take statements away, as whole lines. ``gone`` are their numbers.

    A run of sections takes along what stands between them and one empty line above. With
    ``headings`` the comments directly above a run go too, since they speak of it.
    """
    layout = document.layout
    splices: list[Splice] = []
    for first, last in runs(gone):
        opening = layout.statements[first]
        top = layout.line_at(opening.begin)
        bottom = layout.last_line_of(layout.statements[last])
        if any(layout.statements[number].kind != "pair" for number in range(first, last + 1)):
            bottom = _tail(document, bottom, sleeping=False)
        if headings:
            top = _with_heading(document, top)
        splices.append(_cut(document, top, bottom, paragraph=opening.kind != "pair"))
    return splices


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Whole numbers as runs of neighbours, first and last of each: 1 2 5 -> (1, 2) (5, 5)."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _with_heading(document: Document, line: int) -> int:
    """The first of the comment lines directly above ``line`` that belong to it."""
    lines = document.layout.lines
    top = line
    while top > 0 and lines[top - 1].kind == "comment":
        top -= 1
    above = top > 0 and lines[top - 1].kind == "statement"
    return line if above and _all_sleeping(document, lines[top:line]) else top


def _cut(document: Document, top: int, bottom: int, *, paragraph: bool) -> Splice:
    lines = document.layout.lines
    if top == 0:
        end = bottom + 1
        if paragraph and end < len(lines) and lines[end].kind == "blank":
            end += 1
        return Splice(0, lines[end - 1].end, "")
    if paragraph and lines[top - 1].kind == "blank":
        top -= 1
    if lines[bottom].stop < lines[bottom].end:
        return Splice(lines[top].start, lines[bottom].end, "")
    # The file's last line, without a line ending: the one above takes over that state.
    start = lines[top - 1].stop if top else 0
    return Splice(start, lines[bottom].stop, "")


# --- inside inline tables and arrays --------------------------------------------------------


def entry_added(table: Value, entry: str) -> Splice:
    """An entry (``key = value``) at the end of an inline table."""
    if not table.items:
        return Splice(table.start + 1, table.start + 1, f" {entry} ")
    at = table.items[-1].value.end
    return Splice(at, at, f", {entry}")


def entries_removed(document: Document, table: Value, positions: Iterable[int]) -> list[Splice]:
    """Entries of an inline table leave; undoes :func:`entry_added` exactly."""
    items = table.items
    text = document.text
    splices: list[Splice] = []
    for first, last in runs(positions):
        if first > 0:
            splices.append(Splice(items[first - 1].value.end, items[last].value.end, ""))
        elif last + 1 < len(items):
            splices.append(Splice(items[0].start, items[last + 1].start, ""))
        else:
            start, end = items[0].start, items[last].value.end
            start -= 1 if text[start - 1] == " " else 0
            end += 1 if text[end] == " " else 0
            splices.append(Splice(start, end, ""))
    return splices


def elements_added(document: Document, array: Value, elements: Sequence[str]) -> list[Splice]:
    """Elements at the end of an array: on lines of their own where the array has them so."""
    if not array.items:
        return [Splice(array.start + 1, array.start + 1, ", ".join(elements))]
    last = array.items[-1]
    layout = document.layout
    line = layout.line_at(last.start)
    bottom = layout.line_at(max(last.value.end - 1, last.comma))
    if line == layout.line_at(array.start) or bottom == layout.line_at(array.end - 1):
        return [Splice(last.value.end, last.value.end, "".join(f", {one}" for one in elements))]
    match = _INDENT.match(document.text, layout.lines[line].start)
    indent = match.group() if match else ""
    added = [f"{indent}{one}," for one in elements]
    if last.comma >= 0:
        return [lines_after(document, bottom, added)]
    added[-1] = added[-1][:-1]
    comma = Splice(last.value.end, last.value.end, ",")
    return [comma, lines_after(document, bottom, added)]


def elements_removed(document: Document, array: Value, positions: Iterable[int]) -> list[Splice]:
    """Elements of an array leave, with their lines where they stand alone on them."""
    gone = set(positions)
    if len(gone) == len(array.items):
        return [Splice(array.start + 1, array.end - 1, "")]
    return [_run_removed(document, array, first, last) for first, last in runs(gone)]


def _run_removed(document: Document, array: Value, first: int, last: int) -> Splice:
    items = array.items
    layout = document.layout
    end = items[last].comma + 1 if items[last].comma >= 0 else items[last].value.end
    top, bottom = layout.line_at(items[first].start), layout.line_at(end - 1)
    before_ends = items[first - 1].value.end if first else array.start + 1
    after_starts = items[last + 1].start if last + 1 < len(items) else array.end - 1
    alone = layout.line_at(before_ends - 1) < top and bottom < layout.line_at(after_starts)
    if alone and not document.text[layout.lines[top].start : items[first].start].strip():
        return Splice(layout.lines[top].start, layout.lines[bottom].end, "")
    if last + 1 < len(items):
        return Splice(items[first].start, after_starts, "")
    return Splice(before_ends, items[last].value.end, "")
