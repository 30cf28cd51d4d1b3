"""The lines of the list of keys: a provider in two lines, and what no provider uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from core.text import one_line

if TYPE_CHECKING:
    from core.key_board import Row
    from core.left_over import LeftOver

SIGNS: Final = {"here": "●", "placeholder": "○", "missing": "▲", "refused": "▲"}
NARROW: Final = (9, 24, 15)
"""Columns of provider, variable and place where there are few; the age is left out."""
STYLES: Final = {"here": "$success", "placeholder": "", "missing": "$warning", "refused": "$error"}


def _age(age: str, widths: tuple[int, int, int]) -> str:
    """The last column, which only a window of some width has."""
    return f"  {age}" if sum(widths) > sum(NARROW) else ""


def left_over_lines(one: LeftOver, widths: tuple[int, int, int]) -> Content:
    """A line of the list that is no key of a provider of this file."""
    where = "keyring" if one.source == "keyring" else "environment"
    cells = (one.reader or "–", one.variable, where)
    columns = "  ".join(
        one_line(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)
    )
    verb = "may go to" if one.source == "keyring" else "went to"
    of = "read by a header" if one.reader else "not of this file, or left over"
    return Content.assemble(
        f"· {columns}{_age(one.age, widths)}",
        (f"\n  {verb} {one_line(one.origin, 200)} · {of}", "$foreground 75%"),
    )


def row_lines(row: Row, widths: tuple[int, int, int]) -> Content:
    """A provider in two lines: who, which variable, where, since when; where it may go."""
    cells = (row.provider, row.variable, row.where)
    columns = "  ".join(
        one_line(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)
    )
    may = f"may go to {row.origin}" if row.origin else "may go nowhere"
    if row.state == "refused" and row.origin:
        may = f"may not go to {row.origin} yet"
    return Content.assemble(
        (f"{SIGNS[row.state]} ", STYLES[row.state]),
        (columns, "bold" if row.state == "here" else ""),
        _age(row.age, widths),
        (f"\n  {one_line(may, 200)} · {row.preflight}", "$foreground 75%"),
    )
