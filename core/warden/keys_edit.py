"""Edits of single keys, in whichever of TOML's ways their table is written.

Every edit is a pure function from Document to Document and ends in :func:`agreed`: the spliced
text must parse to the value that was meant, or nothing comes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import ConfigProblem, Fault, UsageProblem
from core.text import one_line
from core.warden import render
from core.warden.scan import starts_with
from core.warden.splice import (
    Splice,
    block_after,
    elements_removed,
    end_of_section,
    entries_removed,
    entry_added,
    indent_of,
    last_section_below,
    lines_after,
    removal,
    section_before,
    spliced,
)
from core.warden.values import same, value_at, with_value, without

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from core.warden.document import Document
    from core.warden.scan import KeyPath, Statement, Value
    from core.warden.values import Table


def dotted(path: KeyPath) -> str:
    """A path as people read it: ``skills[0].triggers[1].model``."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            words += ("." if words else "") + render.key_text(step)
    return words


def agreed(document: Document, splices: Iterable[Splice], *expected: Table) -> Document:
    """The document after ``splices``, which must mean one of ``expected``.

    ConfigProblem (``config_unreadable``) when the text cannot be spliced to that meaning, or the
    file is of the old kind that Warden refuses; the document that was given is unharmed, as it
    always is.
    """
    if isinstance(document.data().get("triggers"), list):
        # getsentry/warden config/loader.ts refuses it with a hint how to migrate.
        raise cannot_edit(document, "It has the old [[triggers]] at its top, which Warden refuses.")
    try:
        text = spliced(document.text, splices)
        result = document.with_text(text)
        data = result.data()
    except (ConfigProblem, ValueError):
        raise cannot_edit(document, "The result would not be valid TOML.") from None
    if not any(same(data, one) for one in expected):
        raise cannot_edit(document, "The result would say something else than was asked for.")
    return result


def cannot_edit(document: Document, why: str) -> ConfigProblem:
    """The refusal to edit a file whose layout does not allow it; nothing was changed."""
    return ConfigProblem(
        Fault(
            "config_unreadable",
            f"turnkey cannot make this change in {one_line(document.path.name)}.",
            why,
            "Nothing was changed. Make the change by hand in an editor.",
        )
    )


def begun(document: Document) -> Document:
    """A blank file with the ``version = 1`` that Warden requires; any other as it is."""
    if document.text.strip():
        return document
    line = f"version = 1{document.newline}"
    return agreed(document, [Splice(0, 0, line)], {"version": 1})


def set_key(document: Document, path: KeyPath, value: object, *, first: bool = False) -> Document:
    """The value at ``path`` becomes ``value``; the key and its table are made where missing.

    Only the value's own characters change where the key is there: a comment behind it stays.
    ``first`` puts a new key at the top of its table instead of behind the last one. A value of
    a table that has headers of its own cannot be replaced (ConfigProblem).
    """
    document = begun(document)
    data = document.data()
    if same(value_at(data, path), value):
        return document
    splice = _set_splice(document, path, value, first=first)
    return agreed(document, [splice], with_value(data, path, value))


def set_keys(document: Document, changes: Mapping[KeyPath, object]) -> Document:
    """Many values at once, as :func:`set_key` (for ``None``: :func:`unset_key`) would one by one.

    The text is parsed once, so that a thousand changes take no longer than a few. Where they cannot
    be made together (one needs what another makes) they are made one by one.
    """
    if len(changes) > 1:
        try:
            return _all_set(document, changes)
        except (ConfigProblem, KeyError):
            pass
    for path, value in changes.items():
        document = unset_key(document, path) if value is None else set_key(document, path, value)
    return document


def _all_set(document: Document, changes: Mapping[KeyPath, object]) -> Document:
    expected = data = document.data()
    gone = [path for path, value in changes.items() if value is None]
    splices = list(written_at(document, *gone, headings=False)) if gone else []
    for path, value in changes.items():
        if value is None:
            expected = without(expected, path)
        elif not same(value_at(data, path), value):
            expected = with_value(expected, path, value)
            splices.append(_set_splice(document, path, value, first=False))
    return agreed(document, splices, expected)


def _set_splice(document: Document, path: KeyPath, value: object, *, first: bool) -> Splice:
    """The edit that :func:`set_key` makes in a file that does not say ``value`` yet."""
    require_tables(document, path[:-1])
    spot = document.layout.spots.get(path)
    if spot is None:
        return _new_key(document, path, value, first=first)
    if spot.value is None:
        raise cannot_edit(document, f"{dotted(path)} is a table with a header of its own.")
    old = document.text[spot.value.start : spot.value.end]
    return Splice(spot.value.start, spot.value.end, render.value_text(value, like=old))


def unset_key(document: Document, path: KeyPath) -> Document:
    """The key at ``path`` leaves with its line; its table stays, even when it is empty then."""
    data = document.data()
    if value_at(data, path) is None:
        return document
    splices = list(written_at(document, path, headings=False))
    return agreed(document, splices, without(data, path), *pruned(data, path))


def without_table(document: Document, path: KeyPath) -> Document:
    """The table or list at ``path`` leaves with all its headers and the comments above them."""
    data = document.data()
    splices = list(written_at(document, path, headings=True))
    left = [without(data, path, prune=length) for length in range(len(path), 0, -1)]
    return agreed(document, splices, without(data, path), *left)


def rename_key(document: Document, path: KeyPath, name: str) -> Document:
    """The last key of ``path`` is spelt ``name`` from now on, wherever it is written.

    UsageProblem when its table has a key of that name already.
    """
    data = document.data()
    value = value_at(data, path)
    renamed = (*path[:-1], name)
    if value is None or path == renamed:
        return document
    if value_at(data, renamed) is not None:
        raise UsageProblem(
            Fault("usage", f"{dotted(renamed)} exists already.", "", "Choose another name.")
        )
    expected = with_value(without(data, path), renamed, value)
    new = render.key_text(name)
    parts = document.layout.mentions(path)
    return agreed(document, [Splice(part.start, part.end, new) for part in parts], expected)


def comment_behind(document: Document, path: KeyPath) -> str:
    """The comment on the line of the key at ``path``, behind its value; ``""``: there is none."""
    spot = document.layout.spots.get(path)
    if spot is None or spot.value is None:
        return ""
    line = document.layout.lines[document.layout.line_at(spot.value.end - 1)]
    rest = document.text[spot.value.end : line.stop]
    return rest if rest.lstrip().startswith("#") else ""


def with_comment(document: Document, path: KeyPath, comment: str) -> Document:
    """The same file with ``comment`` behind the value at ``path``, where nothing follows it."""
    spot = document.layout.spots.get(path)
    if not comment or spot is None or spot.value is None:
        return document
    line = document.layout.lines[document.layout.line_at(spot.value.end - 1)]
    if document.text[spot.value.end : line.stop].strip():
        return document
    splice = Splice(spot.value.end, line.stop, comment)
    return agreed(document, [splice], document.data())


def require_tables(document: Document, path: KeyPath) -> None:
    """ConfigProblem unless everything on ``path`` is a table (or an element) or absent."""
    data: object = document.data()
    for length in range(1, len(path) + 1):
        here = value_at(data, path[:length])
        if here is None:
            if isinstance(path[length - 1], int):
                raise cannot_edit(document, f"There is no {dotted(path[:length])}.")
            return
        wanted = list if length < len(path) and isinstance(path[length], int) else dict
        if not isinstance(here, wanted):
            place = document.position(path[:length])
            line = f" (line {place[0]})" if place else ""
            raise cannot_edit(document, f"{dotted(path[:length])} is not a table{line}.")


def written_at(document: Document, *paths: KeyPath, headings: bool) -> Iterator[Splice]:
    """The splices that take away all that is written at or below ``paths``."""
    layout = document.layout
    gone: list[int] = []
    wanted = frozenset(paths)
    above = frozenset(path[:length] for path in paths for length in range(len(path) + 1))
    for number, statement in enumerate(layout.statements):
        if _at_or_below(statement.path, wanted):
            gone.append(number)
        elif statement.value is not None and statement.path in above:
            yield from _gone_inside(document, statement.value, statement.path, wanted)
    yield from removal(document, gone, headings=headings)


def _at_or_below(here: KeyPath, paths: Collection[KeyPath]) -> bool:
    return any(here[:length] in paths for length in range(1, len(here) + 1))


def _gone_inside(
    document: Document, value: Value, base: KeyPath, paths: Collection[KeyPath]
) -> Iterator[Splice]:
    if value.kind == "scalar" or not any(starts_with(path, base) for path in paths):
        return
    gone: list[int] = []
    for position, item in enumerate(value.items):
        names: KeyPath = tuple(part.name for part in item.parts)
        below = (*base, position) if value.kind == "array" else base + names
        if _at_or_below(below, paths):
            gone.append(position)
        else:
            yield from _gone_inside(document, item.value, below, paths)
    if gone and value.kind == "array":
        yield from elements_removed(document, value, gone)
    elif gone:
        yield from entries_removed(document, value, gone)


def pruned(data: Table, path: KeyPath) -> Iterator[Table]:
    """What ``data`` may mean without ``path``: tables that only it had made are gone with it."""
    for length in range(len(path) - 1, 0, -1):
        try:
            yield without(data, path, prune=length)
        except KeyError:
            return


def _new_key(document: Document, path: KeyPath, value: object, *, first: bool) -> Splice:
    data, layout = document.data(), document.layout
    parent = path[:-1]
    inline = inline_ancestor(document, parent)
    if inline is not None:
        at, table = inline
        names = [str(step) for step in path[len(at) :]]
        # What dots have made there already is one table with them, and closed to a brace.
        made = [one for one in range(1, len(names)) if value_at(data, path[: one - len(names)])]
        nested, depth = value, max(made, default=0) + 1
        for name in reversed(names[depth:]):
            nested = {name: nested}
        entry = f"{render.dotted_text(names[:depth])} = {render.value_text(nested)}"
        return entry_added(table, entry)
    line = f"{render.key_text(str(path[-1]))} = {render.value_text(value)}"
    section = layout.header_of(parent)
    if section is not None:
        return _in_section(document, section, line, first=first)
    if not parent:
        return _at_root(document, line)
    beside = dotted_sibling(document, parent)
    if beside is not None:
        statement, depth = beside
        prefix = document.text[statement.parts[0].start : statement.parts[depth - 1].end]
        added = indent_of(document, statement) + f"{prefix}.{line}"
        return lines_after(document, layout.last_line_of(statement), [added])
    names = [step for step in parent if isinstance(step, str)]
    if len(names) < len(parent):
        return _below_element(document, path, value)
    block = [f"[{render.dotted_text(names)}]", line]
    return block_after(document, _place_of_table(document, parent), block)


def _below_element(document: Document, path: KeyPath, value: object) -> Splice:
    """A key in a table that an array's element lacks yet: a dotted key in the element itself."""
    last = max(at for at, step in enumerate(path) if isinstance(step, int)) + 1
    names = [step for step in path[last:] if isinstance(step, str)]
    section = document.layout.header_of(path[:last])
    if section is not None:
        line = f"{render.dotted_text(names)} = {render.value_text(value)}"
        return _in_section(document, section, line, first=False)
    raise cannot_edit(document, f"There is no place for {dotted(path)}.")


def inline_ancestor(document: Document, path: KeyPath) -> tuple[KeyPath, Value] | None:
    """The deepest inline table at ``path`` or above it, with its path."""
    spots = document.layout.spots
    for length in range(len(path), 0, -1):
        spot = spots.get(path[:length])
        if spot is not None and spot.value is not None and spot.value.kind == "table":
            return path[:length], spot.value
    return None


def _in_section(document: Document, section: int, line: str, *, first: bool) -> Splice:
    layout = document.layout
    header = layout.statements[section]
    own = layout.under(section)
    indent = indent_of(document, own[0] if own else header)
    above = header if first or not own else own[-1]
    return lines_after(document, layout.last_line_of(above), [indent + line])


def _at_root(document: Document, line: str) -> Splice:
    own = document.layout.under(-1)
    if own:
        return lines_after(document, document.layout.last_line_of(own[-1]), [line])
    return block_after(document, end_of_section(document, -1), [line])


def dotted_sibling(document: Document, table: KeyPath) -> tuple[Statement, int] | None:
    """The last key that makes ``table`` by its dots, and how many of its parts lead there."""
    for statement in reversed(document.layout.statements):
        depth = len(table) - len(statement.base)
        if statement.kind != "pair" or not 0 < depth < len(statement.parts):
            continue
        if statement.path[: len(table)] == table:
            return statement, depth
    return None


def _place_of_table(document: Document, table: KeyPath) -> int | None:
    """Behind which line (from 0) a person would start a new table; ``None``: at the top."""
    return place_below(document, table[:1]) if len(table) > 1 else place_at_end(document)


def place_below(document: Document, family: KeyPath) -> int | None:
    """Behind the last table of a family (``("defaults",)``), else as :func:`place_at_end`."""
    section = last_section_below(document, family)
    if section is None:
        return place_at_end(document)
    return end_of_section(document, section)


def place_at_end(document: Document) -> int | None:
    """Before the first ``[[skills]]``, else at the end of the file."""
    layout = document.layout
    headers = layout.headers()
    for number in headers:
        if layout.statements[number].path[0] == "skills":
            return end_of_section(document, section_before(document, number))
    return end_of_section(document, headers[-1] if headers else -1)
