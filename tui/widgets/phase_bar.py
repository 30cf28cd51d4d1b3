"""One line of a request's time: waiting, thinking, answering, drawn to scale."""

from __future__ import annotations

from textual.content import Content

from core.live.panel import SAY, THINK, WAIT, phase_bar, phase_words
from tui.widgets.steady import Steady

SHORTEST = 12
"""Columns of bar and gap below which the words are shortened."""
STYLES = ("$foreground 60%", "$secondary", "$primary")


class PhaseBar(Steady):
    """The phases' shares of the time so far, and their seconds, which say what the signs mean."""

    DEFAULT_CSS = """
    PhaseBar { height: 1; padding: 0 2; text-wrap: nowrap; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shares = (0.0, 0.0, 0.0)

    def on_resize(self) -> None:
        """The bar takes what the words leave."""
        self.show(self._shares)

    def show(self, shares: tuple[float, float, float]) -> None:
        """Draw the phases; seconds each."""
        self._shares = shares
        words = phase_words(shares)
        if self.size.width < len(words) + SHORTEST:
            words = phase_words(shares, short=True)
        room = max(self.size.width - len(words) - 2, 0)
        cells = phase_bar(shares, room)
        drawn = [
            (sign * count, style)
            for sign, count, style in zip((WAIT, THINK, SAY), cells, STYLES, strict=True)
        ]
        blank = " " * (room - sum(cells))
        self.put(Content.assemble(*drawn, blank, "  ", (words, "$foreground 85%")))
