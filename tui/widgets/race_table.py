"""The racers' figures in one table, the best of each column named by a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from core.live.race import COLUMNS, Racer, table
from core.text import one_line
from tui.widgets.steady import Steady

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBER: Final = 7
MARK: Final = " best"
AROUND: Final = 8
"""Columns of a line for its number, sign and grade."""
NAMED: Final = 22
"""Columns that a line needs before its figures."""
WIDE: Final = 110
"""Columns from which headings are written out."""
_SIGNS: Final = {"done": "✓", "stopped": "■", "failed": "✗"}
_SHORT: Final = ("token", "answer", "tok/s", "total", "longest")


class RaceTable(Steady):
    """A line a racer; the same width from the first frame on."""

    DEFAULT_CSS = """
    RaceTable { height: auto; padding: 0 1; border-top: solid $panel; text-wrap: nowrap; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._racers: tuple[Racer, ...] = ()

    def on_resize(self) -> None:
        """Names take what the figures leave."""
        self.show(self._racers)

    def show(self, racers: Sequence[Racer]) -> None:
        """Show the racers as they stand."""
        self._racers = tuple(racers)
        room = self.app.size.width - 2
        columns = len(COLUMNS)
        # where five do not fit, the last ones go
        number = NUMBER + 2 if room >= WIDE else NUMBER
        width = number + len(MARK)
        while columns > 2 and room - columns * width < NAMED:
            columns -= 1
        name = max(room - columns * width, NAMED) - AROUND
        heads = "".join(
            f"{head:>{width - 1}} " if room >= WIDE else f"{short:>{number}}{'':{len(MARK)}}"
            for (head, _, _, _), short in zip(COLUMNS[:columns], _SHORT, strict=False)
        )
        lines = [Content.styled(f"{'':{name + AROUND}}{heads}", "bold $primary")]
        for place_number, place in enumerate(table(self._racers), 1):
            sign = _SIGNS.get(place.state, "…" if place.grade == "–" else "●")
            shown = one_line(place.label, name)
            parts: list[tuple[str, str]] = [
                (f"{place_number} {sign} ", "$foreground 75%"),
                (f"{shown:<{name}}", ""),
                (f" ({place.grade})", "$foreground 60%"),
            ]
            for cell in place.cells[:columns]:
                parts.append((f"{cell.text:>{number}}", "bold" if cell.best else ""))
                parts.append((MARK if cell.best else " " * len(MARK), "$success"))
            lines.append(Content.assemble(*parts))
        self.put(Content("\n").join(lines))
