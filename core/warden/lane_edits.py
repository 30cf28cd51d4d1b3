"""Edits of the lanes: which model each kind of Warden's work is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from core.errors import ConfigProblem, Fault, Refusal, UsageProblem
from core.text import one_line
from core.warden import render
from core.warden.keys_edit import (
    agreed,
    begun,
    comment_behind,
    dotted_sibling,
    inline_ancestor,
    place_at_end,
    require_tables,
    set_key,
    unset_key,
    with_comment,
    written_at,
)
from core.warden.scan import starts_with
from core.warden.schema import key, value_fault
from core.warden.splice import (
    Splice,
    block_after,
    end_of_section,
    indent_of,
    last_section_below,
    lines_after,
    removal,
    section_before,
)
from core.warden.values import value_at, with_value, without

if TYPE_CHECKING:
    from core.warden.config import Variant
    from core.warden.document import Document
    from core.warden.scan import KeyPath

LaneName = Literal["agent", "auxiliary", "synthesis"]
DefaultModel = Literal["refuse", "move", "keep"]
LANES: tuple[LaneName, ...] = ("agent", "auxiliary", "synthesis")

_DEFAULT_MODEL: KeyPath = ("defaults", "model")


def set_lane(
    document: Document,
    lane: LaneName,
    selector: str,
    *,
    default_model: DefaultModel = "refuse",
) -> Document:
    """``defaults.<lane>.model`` becomes ``selector``; its table is made beside its sisters.

    ``defaults.model`` is the legacy spelling of the agent's model (getsentry/warden
    ``config/schema.ts``) and loses to it, so for ``agent`` a standing one raises Refusal
    ``default_model_stands``, or is moved (its line is replaced) or kept, as ``default_model``
    says. UsageProblem for an unknown lane or an empty selector.
    """
    _known(lane)
    if not selector.strip():
        raise UsageProblem(Fault("usage", "The selector is empty.", "", "Write provider/model."))
    document = begun(document)
    path: KeyPath = ("defaults", lane, "model")
    require_tables(document, path[:-1])
    standing = value_at(document.data(), _DEFAULT_MODEL)
    if lane == "agent" and standing not in (None, "") and default_model != "keep":
        if default_model == "refuse":
            raise _stands(document)
        return _moved(document, selector)
    return _set(document, lane, "model", selector)


def set_effort(
    document: Document, lane: LaneName, effort: str | None, variant: Variant
) -> Document:
    """``defaults.<lane>.effort`` becomes ``effort``; None takes it away.

    UsageProblem for a lane that has no effort in this Warden, or a level that it does not know
    (getsentry/warden ``config/schema.ts``): either would make it refuse the whole file.
    """
    _known(lane)
    path: KeyPath = ("defaults", lane, "effort")
    row = key(".".join(map(str, path)), variant)
    require_tables(document, path[:-1])
    if effort is None:
        return unset_key(document, path)
    if row is None:
        raise UsageProblem(_no_effort(lane, variant))
    fault = value_fault(row, effort)
    if fault is not None:
        what = f"«{one_line(effort, 40)}» is no effort of the {lane} lane."
        raise UsageProblem(Fault("usage", what, f"It {fault}.", "Choose one of these."))
    return _set(begun(document), lane, "effort", effort)


def effort_levels(lane: str, variant: Variant) -> tuple[str, ...]:
    """The efforts that this Warden knows for a lane; none where the lane has no effort."""
    row = key(f"defaults.{lane}.effort", variant)
    return () if row is None else row.choices


def _no_effort(lane: str, variant: Variant) -> Fault:
    what = f"The {lane} lane has no effort of its own in this Warden."
    if variant == "providers" and lane == "auxiliary":
        why = "Only stock Warden reads defaults.auxiliary.effort; this one refuses such a file."
        return Fault("usage", what, why, "With --variant stock it can be set.")
    return Fault("usage", what, "Warden refuses a file with such a key.", "Set the agent's.")


def unset_lane(document: Document, lane: LaneName) -> Document:
    """``defaults.<lane>.model`` leaves, and with it a table that :func:`set_lane` had made for it.

    A header that stands elsewhere than turnkey would have put it, or under a comment, was there
    before and stays, as do comments and keys in it.
    """
    _known(lane)
    table: KeyPath = ("defaults", lane)
    path: KeyPath = (*table, "model")
    data = document.data()
    held = value_at(data, table)
    if not isinstance(held, dict) or "model" not in held:
        return document
    if len(held) > 1 or _has_notes(document, table):
        return unset_key(document, path)
    gone = without(data, table)
    result = agreed(
        document, written_at(document, table, headings=True), gone, without(data, table, prune=1)
    )
    own = document.layout.header_of(table) is not None
    return unset_key(document, path) if own and not _made(document, result, lane) else result


def _made(document: Document, before: Document, lane: LaneName) -> bool:
    """Whether :func:`set_lane` makes ``document`` out of ``before``."""
    selector = value_at(document.data(), ("defaults", lane, "model"))
    try:
        return _set(before, lane, "model", str(selector)).raw == document.raw
    except ConfigProblem:
        return False


def _set(document: Document, lane: LaneName, name: str, value: str) -> Document:
    table: KeyPath = ("defaults", lane)
    path: KeyPath = (*table, name)
    if table in document.layout.spots or inline_ancestor(document, table) is not None:
        return set_key(document, path, value, first=name == "model")
    expected = with_value(document.data(), path, value)
    line = f"{name} = {render.string_text(value)}"
    sister = _dotted_sister(document, lane, line)
    if sister is not None:
        return agreed(document, [sister], expected)
    block = [f"[defaults.{lane}]", line]
    return agreed(document, [block_after(document, _place(document, lane), block)], expected)


def _dotted_sister(document: Document, lane: LaneName, line: str) -> Splice | None:
    """Where lanes are written as dotted keys (``agent.model = ...``), one more of these."""
    before = LANES[: LANES.index(lane)]
    for sister in (*reversed(before), *LANES[len(before) + 1 :]):
        found = dotted_sibling(document, ("defaults", sister))
        if found is not None:
            statement, depth = found
            parts = statement.parts
            prefix = document.text[parts[0].start : parts[depth - 1].start] + lane
            added = f"{indent_of(document, statement)}{prefix}.{line}"
            return lines_after(document, document.layout.last_line_of(statement), [added])
    return None


def _place(document: Document, lane: LaneName) -> int | None:
    """Behind which line (from 0) a lane's new table goes; ``None``: at the top."""
    layout = document.layout
    at = LANES.index(lane)
    for sister in reversed(LANES[:at]):
        section = last_section_below(document, ("defaults", sister))
        if section is not None:
            return end_of_section(document, section)
    for family in (*(("defaults", sister) for sister in LANES[at + 1 :]), None, ("defaults",)):
        for number in layout.headers():
            path = layout.statements[number].path
            if family is None and path == ("defaults",):
                return end_of_section(document, number)
            if family is not None and starts_with(path, family):
                return end_of_section(document, section_before(document, number))
    return place_at_end(document)


def _moved(document: Document, selector: str) -> Document:
    """``defaults.model`` gives way to ``defaults.agent.model``: in its own line where it can."""
    layout = document.layout
    expected = with_value(without(document.data(), _DEFAULT_MODEL), _AGENT_MODEL, selector)
    spot = layout.spots[_DEFAULT_MODEL]
    sisters = [last_section_below(document, ("defaults", lane)) for lane in LANES]
    alone = _AGENT not in layout.spots and sisters == [None, None, None]
    if alone and spot.value is not None:
        old = document.text[spot.value.start : spot.value.end]
        splices = [
            Splice(spot.start, spot.end, "agent.model"),
            Splice(spot.value.start, spot.value.end, render.string_text(selector, like=old)),
        ]
        return agreed(document, splices, expected)
    comment = comment_behind(document, _DEFAULT_MODEL)
    # The new line first: `defaults` must not vanish with its last key in between.
    document = unset_key(_set(document, "agent", "model", selector), _DEFAULT_MODEL)
    return _tidied(with_comment(document, _AGENT_MODEL, comment))


def _tidied(document: Document) -> Document:
    """Without a ``[defaults]`` that has lost its last key and of which no comment speaks."""
    layout = document.layout
    for number in layout.headers():
        statement = layout.statements[number]
        line = layout.line_at(statement.begin)
        spoken_of = line > 0 and layout.lines[line - 1].kind == "comment"
        if statement.path != ("defaults",) or layout.under(number) or spoken_of:
            continue
        if _has_notes(document, statement.path) or last_section_below(document, _AGENT) is None:
            continue
        return agreed(document, removal(document, [number], headings=False), document.data())
    return document


_AGENT: KeyPath = ("defaults", "agent")
_AGENT_MODEL: KeyPath = ("defaults", "agent", "model")


def _has_notes(document: Document, table: KeyPath) -> bool:
    """Whether comments stand inside a table's own section: a key that sleeps there, a reason."""
    layout = document.layout
    for number in layout.headers():
        statement = layout.statements[number]
        if statement.path != table:
            continue
        last = end_of_section(document, number) or 0
        lines = layout.lines[layout.last_line_of(statement) : last + 1]
        if any(line.kind == "comment" for line in lines):
            return True
    return False


def _stands(document: Document) -> Refusal:
    place = document.position(_DEFAULT_MODEL)
    line = f" (line {place[0]})" if place else ""
    return Refusal(
        Fault(
            "default_model_stands",
            f"defaults.model{line} names the agent's model already.",
            "agent.model wins over it, so beside it that line would no longer be true.",
            "Replace that line with --move-default, or leave it with --keep-default.",
        )
    )


def _known(lane: str) -> None:
    if lane not in LANES:
        raise UsageProblem(
            Fault("usage", f"There is no lane «{lane}».", "", f"Lanes: {', '.join(LANES)}.")
        )
