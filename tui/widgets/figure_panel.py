"""The figures below a stream: each at its place from the first frame to the last."""

from __future__ import annotations

from core.live.figures import Figures
from core.live.panel import NARROW, WIDE, panel
from core.live.watching import Progress
from tui.widgets.steady import Steady

TALL = 34
"""Rows of the terminal from which the figures that explain the others are shown, too."""


class FigurePanel(Steady):
    """Shows the figures of a progress, in the lines that the width allows."""

    DEFAULT_CSS = """
    FigurePanel { height: auto; padding: 0 1; border-top: solid $panel; text-wrap: nowrap; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._progress = Progress(figures=Figures())

    def on_mount(self) -> None:
        """Every figure has its place before there is one."""
        self.show(self._progress)

    def on_resize(self) -> None:
        """Lines as the width allows."""
        self.show(self._progress)

    def show(self, progress: Progress) -> None:
        """Show these figures."""
        self._progress = progress
        room = max(self.app.size.width - 2, NARROW)
        lines = panel(
            progress.figures,
            progress.counts_from,
            rate=progress.rate,
            rates=progress.rates,
            width=min(room, WIDE + 30) if room >= WIDE else NARROW,
            tall=self.app.size.height >= TALL,
        )
        self.put("\n".join(lines))
