"""The rows of the Lanes screen: which there are, which leave, and which escape belongs to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets.option_list import Option

from core.mend import grouped
from core.text import one_line
from core.warden.keys_edit import dotted
from screens.lane_choice import ALL
from screens.lane_words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.mend import EscapeGroup
    from core.warden.lanes import Escape, LaneReport, Layer, Override

MORE: Final = ("verification", "workflow", "build", "build_repair")


def own_models(report: LaneReport, layer: Layer) -> dict[str, Override]:
    """The skills and triggers of a layer with a model of their own, by the name of their row."""
    return {
        f"{one.skill}{f' · {one.trigger}' if one.trigger else ''}": one
        for one in report.overrides
        if one.layer == layer
    }


def row_option(row: str, selector: str, *, leaves: bool) -> Option:
    """A row of the list: a sign, its name, and what it resolves to."""
    label = "all three" if row == ALL else row.replace("_", " ")
    return Option(
        Content.assemble(
            ("▲ " if leaves else "  ", "bold $error"),
            (f"{one_line(label, 30):<10} ", "bold"),
            (shown(selector), "$accent"),
        )
    )


def in_order(report: LaneReport, row: str) -> tuple[EscapeGroup, ...]:
    """The escapes of one cause together, those of ``row`` first."""
    groups = grouped(report.escapes)
    return tuple(sorted(groups, key=lambda group: row not in group.lanes))


def rows_leaving(
    report: LaneReport, layer: Layer, overrides: Mapping[str, Override]
) -> frozenset[str]:
    """The rows of a layer's list that an escape stands for, to be marked in the list."""
    rows: set[str] = set()
    for one in report.escapes:
        if report.base_lanes is None or one.layer == layer:
            rows |= _own_rows(one, overrides) or {one.lane}
    return frozenset(rows)


def at_row(
    groups: tuple[EscapeGroup, ...], row: str, overrides: Mapping[str, Override]
) -> tuple[EscapeGroup, ...]:
    """The escapes that the row stands for, or that setting it closes; of all rows for *all*."""
    if row == ALL:
        return groups
    return tuple(
        group for group in groups if row in (_own_rows(group.first, overrides) or _lanes_of(group))
    )


def to_close(
    shown: tuple[EscapeGroup, ...], standing: tuple[EscapeGroup, ...]
) -> EscapeGroup | None:
    """The escape that c closes: the first that is shown and stands without the choice, too."""
    known = {(group.first.code, group.first.fix) for group in standing}
    both = [group for group in shown if (group.first.code, group.first.fix) in known]
    return both[0] if both else None


def none_here(row: str, leaving: frozenset[str]) -> str:
    """What c says on a row that no escape stands for."""
    others = ", ".join(one_line(one.replace("_", " "), 30) for one in sorted(leaving))
    return f"No escape stands for {one_line(row.replace('_', ' '), 30)}. " + (
        f"One does for {others}: go there, or to all three." if others else "None does elsewhere."
    )


def _own_rows(escape: Escape, overrides: Mapping[str, Override]) -> set[str]:
    """The rows of skills and triggers whose own model an escape is about."""
    if escape.code != "E8" or escape.edit is None:
        return set()
    return {row for row, one in overrides.items() if dotted(one.path) == escape.edit.path}


def _lanes_of(group: EscapeGroup) -> set[str]:
    """What would leave, and the lane whose setting closes it."""
    edit = group.first.edit
    set_by = () if edit is None or edit.lane is None else (edit.lane,)
    return {*group.lanes, *set_by}
